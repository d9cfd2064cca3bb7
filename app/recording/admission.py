"""Admits shares to be recorded, with a slot of their community's limit, or says why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from app.access import communities, community_slots, quota
from app.access.communities import Rules
from app.buffer import refused_shares
from app.cleaning import governor
from app.context import Context
from app.models import Action, BufferRow, CommunityRow, ParticipantRow, TrackRow, Why, schema
from app.models.schema import Community
from app.recording import share_stop
from app.recording.known import Known
from app.store import Change, row_of
from app.work import rounds
from app.work.jobs import seconds
from app.work.share_rates import Often

UNTAKEN = frozenset({"av1", "h265"})
"""Codecs that egress v1.14.1 does not take. A later one may, or gets a second one that the sharer's
client publishes besides: so it is tried."""
CODEC_TRIES = 3
"""So often in a row egress has to fail with one of these."""


@dataclass
class Admission:
    """The admission of one share in one reconcile, by what is known then.

    `again_at`: when what was refused for being too often may be asked for again.
    """

    ctx: Context
    known: Known
    track: TrackRow
    participant: ParticipantRow | None
    again_at: datetime | None = None

    async def refusal(self, buffer: BufferRow, *, running: bool, resting: bool) -> Why | None:
        """Why a share must not be recorded; None: it may, with a slot, if it `begins`.

        The checks are, in order: the sharer's own will, a stop by somebody, encryption, permission,
        the community's switch, the track's codec, the community's limit for one user, its limit for
        all, the sharer's quota, the disk. The last five keep a recording from starting, but end
        none that is `running`, and are not asked of a share that rests in its back-off. What may
        start is asked `is_in_time`, too.
        """
        if self.participant is not None and self.participant["opted_out"]:
            return Why.OPTED_OUT
        if (stopped := share_stop.refusal(buffer)) is not None:
            return stopped
        if self.track["encrypted"]:
            return Why.ENCRYPTED
        rules = self.rules(buffer)
        member = self.known.members.get(rules.community)
        if Action.ENABLE_REPLAY_BUFFER not in communities.actions_by(rules.access, member):
            return Why.NOT_PERMITTED
        if not rules.enabled:
            return Why.COMMUNITY_OFF
        if running or resting:
            return None
        if buffer["failures"] >= CODEC_TRIES and self._codec() in UNTAKEN:
            return Why.CODEC
        shortage = await self._shortage()
        held, identity = self._slots(buffer), buffer["identity"]
        if buffer["_id"] in held.buffers:
            return shortage
        full = held.refusal(rules, identity)
        if full is None or shortage is not None:
            return full or shortage
        # Whoever frees a slot looks for those that wait, and does not know of this one yet.
        full = await community_slots.take(self.ctx.store, rules, buffer["_id"], identity)
        if full is None:
            self.has_taken(buffer)
        return full

    def is_in_time(self, buffer: BufferRow, what: Often) -> bool:
        """Whether the share may do this now, which counts; if not, `again_at` says when."""
        rules = self.rules(buffer)
        wait = self.ctx.shares.take(what, rules.community, rules.max_concurrent, buffer["identity"])
        if wait:
            at = datetime.now(UTC) + seconds(wait)
            self.again_at = min(filter(None, (self.again_at, at)))
        return not wait

    def taking(self, buffer: BufferRow) -> list[Change]:
        """What takes the share's slot, if it has none yet; it fails where others were faster."""
        if buffer["_id"] in self._slots(buffer).buffers:
            return []
        return [community_slots.taking(self.rules(buffer), buffer["_id"], buffer["identity"])]

    def has_taken(self, buffer: BufferRow) -> None:
        """Notes that the share has its slot."""
        held, who = self._slots(buffer), community_slots.sharer(buffer["identity"])
        theirs = [*held.sharers.get(who, ()), buffer["_id"]]
        row = {**(self._row(buffer) or row_of(Community(id=buffer["community"])))}
        row["slots"] = [*held.buffers, buffer["_id"]]
        row["sharers"] = {**held.sharers, who: theirs}
        self.known.communities[buffer["community"]] = cast(CommunityRow, row)

    def freeing(self, buffer: BufferRow) -> list[Change]:
        """What gives the share's slot back, if it has one."""
        row = self._row(buffer)
        if row is None or buffer["_id"] not in row["slots"]:
            return []
        return community_slots.freeing(self.rules(buffer), row, buffer["_id"])

    def detail(self, buffer: BufferRow, why: Why | None) -> str:
        """The detail of a reason: the words of whoever stopped the share, a codec, or how many."""
        if why is Why.CODEC:
            return self._codec()
        if why == Why.TOO_OFTEN:
            return str(self.ctx.shares.per_hour)
        if why not in Why.limits():
            return share_stop.detail(buffer, why)
        rules = self.rules(buffer)
        return str(rules.max_concurrent if why is Why.LIMIT else rules.max_concurrent_per_user)

    def _codec(self) -> str:
        """The track's codec, as `av1`."""
        return self.track["mime"].lower().removeprefix("video/")

    def rules(self, buffer: BufferRow) -> Rules:
        """Those of the share's community."""
        return communities.rules_by(self.ctx.settings, buffer["community"], self._row(buffer))

    def _slots(self, buffer: BufferRow) -> community_slots.HeldSlots:
        return community_slots.held(self._row(buffer))

    def _row(self, buffer: BufferRow) -> CommunityRow | None:
        return self.known.communities[buffer["community"]]

    async def _shortage(self) -> Why | None:
        if quota.of_row(self.known.quota, self.ctx.settings).free_bytes <= 0:
            return Why.QUOTA
        return Why.DISK if await governor.refuse_new(self.ctx) else None


async def freed(ctx: Context, buffer: BufferRow, found: Sequence[bool]) -> None:
    """Has those looked at that wait for the slot which a share has given back.

    `found`: what became of the changes of `Admission.freeing`.
    """
    if community_slots.was_the_last(found):
        await refused_shares.ask_again(
            ctx, {"community": buffer["community"], "why": {"$in": Why.limits()}}
        )


async def free_leftovers(ctx: Context) -> None:
    """Frees slots of shares that are over. Processes that were killed in between leave some."""
    async for row in ctx.store.rows(schema.Community).find({"slots.0": {"$exists": True}}):
        with rounds.item(community=row["_id"]):
            live = await ctx.store.rows(schema.Buffer).distinct(
                "_id", {"_id": {"$in": row["slots"]}, "ended_at": None}
            )
            rules = communities.rules_by(ctx.settings, row["_id"], row)
            for buffer_id in set(row["slots"]) - set(live):
                await ctx.store.write(*community_slots.freeing(rules, row, buffer_id))
                await refused_shares.ask_again(
                    ctx, {"community": row["_id"], "why": {"$in": Why.limits()}}
                )

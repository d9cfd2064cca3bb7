"""Admits shares to be recorded, with a slot of their community's limit, or says why not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from app.access import communities, quota
from app.cleaning import governor
from app.context import Context
from app.models import Action, BufferRow, MemberRow, ParticipantRow, Row, TrackRow, Why, schema
from app.recording import share_stop
from app.work import errands, rounds


@dataclass
class Admission:
    """The admission of one share, in one reconcile: its community is read once, when needed."""

    ctx: Context
    track: TrackRow
    participant: ParticipantRow | None
    _community: tuple[communities.Rules, communities.HeldSlots] | None = None

    async def admit(self, buffer: BufferRow, *, running: bool, resting: bool) -> Why | None:
        """Takes a limit slot for a share that may be recorded: None. Otherwise why it must not be.

        The checks are, in order: the sharer's own will, a stop by somebody, encryption, permission,
        the community's switch, its limit for one user, its limit for all, the sharer's quota, the
        disk. The last four keep a recording from starting, but end none that is `running`. A share
        that rests in its back-off takes no slot, and one that quota or disk refuse gives its own
        back.
        """
        if self.participant is not None and self.participant["opted_out"]:
            return Why.OPTED_OUT
        if (stopped := share_stop.refusal(buffer)) is not None:
            return stopped
        if self.track["encrypted"]:
            return Why.ENCRYPTED
        ctx, community, identity = self.ctx, buffer["community"], buffer["identity"]
        begins = not (running or resting)
        roles_likely = not _permits(ctx.settings.access, None)
        (rules, slots), shortage, member = await asyncio.gather(
            self._rules_and_slots(buffer),
            _shortage(ctx, identity) if begins else _none(),
            communities.member(ctx.store, community, identity) if roles_likely else _none(),
        )
        if not (roles_likely or _permits(rules.access, None)):
            member = await communities.member(ctx.store, community, identity)
        if not _permits(rules.access, member):
            return Why.NOT_PERMITTED
        if not rules.enabled:
            return Why.COMMUNITY_OFF
        if not begins:
            return None
        held = buffer["_id"] in slots.buffers
        if shortage is None:
            if held:
                return None
            # Only the taking itself is exact: others begin at the same moment.
            return await communities.take_slot(ctx.store, rules, buffer["_id"], identity)
        if held:
            await leave(ctx, buffer)
            return shortage
        return slots.refusal(rules, identity) or shortage

    async def detail(self, buffer: BufferRow, why: Why | None) -> str:
        """The detail of a reason: the words of whoever stopped the share, or a limit's number."""
        if why not in Why.limits():
            return share_stop.detail(buffer, why)
        rules, _ = await self._rules_and_slots(buffer)
        return str(rules.max_concurrent if why is Why.LIMIT else rules.max_concurrent_per_user)

    async def _rules_and_slots(
        self, buffer: BufferRow
    ) -> tuple[communities.Rules, communities.HeldSlots]:
        if self._community is None:
            self._community = await communities.rules_and_slots(
                self.ctx.store, self.ctx.settings, buffer["community"]
            )
        return self._community


async def leave(ctx: Context, buffer: BufferRow) -> None:
    """Gives the slot of a share that is not recorded any more to one that waits for it."""
    await _free(ctx, buffer["community"], buffer["_id"])


async def free_leftovers(ctx: Context) -> None:
    """Frees slots of shares that are over. Processes that were killed in between leave some."""
    async for row in ctx.store.rows(schema.Community).find({"slots.0": {"$exists": True}}):
        with rounds.item(community=row["_id"]):
            live = await ctx.store.rows(schema.Buffer).distinct(
                "_id", {"_id": {"$in": row["slots"]}, "ended_at": None}
            )
            for buffer_id in set(row["slots"]) - set(live):
                await _free(ctx, row["_id"], buffer_id)


async def _free(ctx: Context, community: str, buffer_id: str) -> None:
    if await communities.free_slot(ctx.store, community, buffer_id):
        await ask_again(ctx, {"community": community, "why": {"$in": Why.limits()}})


async def ask_again(ctx: Context, which: Row) -> None:
    """Asks for a reconcile of live shares whose buffers match. Their refusal may have changed."""
    found = ctx.store.rows(schema.Buffer).find(
        which | {"ended_at": None}, {"room_sid": 1, "identity": 1}
    )
    async for row in found:
        with rounds.item(buffer=row["_id"]):
            await ctx.queue.ask(errands.RECONCILE, row["room_sid"], row["identity"])


def _permits(access: str, member: MemberRow | None) -> bool:
    return Action.ENABLE_REPLAY_BUFFER in communities.actions_by(access, member)


async def _none() -> None:
    """Nothing is asked."""


async def _shortage(ctx: Context, identity: str) -> Why | None:
    left, is_full = await asyncio.gather(
        quota.read(ctx.store, ctx.settings, identity), governor.refuse_new(ctx)
    )
    if left.free_bytes <= 0:
        return Why.QUOTA
    return Why.DISK if is_full else None

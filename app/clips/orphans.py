"""Clips whose owners do not come back: guests have a new identity at each join.

An owner was seen when they were in a room, asked for a session of ours, or made a clip. Who has
been seen no more for ORPHAN_CLIP_DAYS leaves orphans: clips that expire then, unless they are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pymongo import UpdateOne

from app import stretches
from app.access import clips_total
from app.clips import clip_expiry
from app.context import Context
from app.models import Row
from app.models.keyset import Order
from app.models.schema import ClipOwner, Participant, ReplayClip, UserReplayQuota
from app.store import Store, before, chunks, since
from app.work import set_clock
from app.work.jobs import hours, job, seconds

SHOWN_DAYS = 30.0
"""Of owners who were not seen for so long the doctor tells, where ORPHAN_CLIP_DAYS is 0."""
_AT_ONCE = 500
_LOOK = timedelta(hours=2)
"""Looks are at most so far apart, but for those while nothing of ours runs."""


@dataclass(frozen=True, slots=True)
class ClipFigures:
    """What clips take, with what captures on their way hold; and of owners who were not seen for
    `days` how many they are, and what theirs take."""

    total_bytes: int
    days: float
    owners: int
    orphans_bytes: int


@job("expire_orphans", every=hours(1), timeout=seconds(90))
async def expire_orphans(ctx: Context) -> None:
    """Notes which owners of clips are in a room, and has the clips of those expire who stay away.

    Who was there since the last look, or has made a clip since, counts as there.

    An owner who was not known before counts as seen: so nothing expires sooner than
    ORPHAN_CLIP_DAYS after the first release that looks.
    """
    now = datetime.now(UTC)
    clips = stretches.every(
        ctx.store, ReplayClip, Order("created_at"), {}, fields={"created_at": 1, "owner": 1}
    )
    owners, present = set[str](), set[str]()
    async for clip in clips:
        if (owner := clip.get("owner")) is not None:
            owners.add(owner)
            if clip["created_at"] >= now - _LOOK:
                present.add(owner)
    people = ctx.store.rows(Participant)
    there: list[Row] = [
        {"left_at": None, "unlisted_at": None},
        {"left_at": since(now - _LOOK)},
    ]
    for which in there:
        present |= set(await people.distinct("identity", which))
    rows = await ctx.store.rows(ClipOwner).find({}, {"_id": 1}).to_list(None)
    known = {row["_id"] for row in rows}
    await note_seen(ctx.store, sorted((owners & present) | (owners - known)), now)
    for some in chunks(sorted(known - owners), _AT_ONCE):
        await ctx.store.rows(ClipOwner).delete_many({"_id": {"$in": list(some)}})
    if days := ctx.settings.orphan_clip_days:
        await _expire(ctx, set_clock.OURS.cautious(now) - timedelta(days=days))


async def note_seen(store: Store, owners: list[str], now: datetime) -> None:
    """These people were seen."""
    seen = {"$max": {"seen_at": now}}
    for some in chunks(owners, _AT_ONCE):
        changes = [UpdateOne({"_id": each}, seen, upsert=True) for each in some]
        await store.rows(ClipOwner).bulk_write(changes, ordered=False)


async def note_owner(store: Store, identity: str, now: datetime) -> None:
    """Somebody was seen; nothing is noted of who has no clips."""
    await store.rows(ClipOwner).update_one({"_id": identity}, {"$max": {"seen_at": now}})


async def taken(ctx: Context, now: datetime) -> ClipFigures:
    """What clips take; by owners who were not seen for ORPHAN_CLIP_DAYS, or SHOWN_DAYS if that is
    0."""
    days = ctx.settings.orphan_clip_days or SHOWN_DAYS
    gone = await _not_seen(ctx.store, now - timedelta(days=days))
    sums: list[Row] = []
    for some in chunks(gone, _AT_ONCE):
        pipeline: list[Row] = [
            {"$match": {"_id": {"$in": list(some)}}},
            {"$group": {"_id": None, "bytes": {"$sum": "$used_bytes"}}},
        ]
        sums += await ctx.store.summed(UserReplayQuota, pipeline)
    orphans_bytes = sum(int(each["bytes"]) for each in sums)
    return ClipFigures(await clips_total.read(ctx.store), days, len(gone), orphans_bytes)


async def _not_seen(store: Store, then: datetime) -> list[str]:
    found = store.rows(ClipOwner).find({"seen_at": before(then)}, {"_id": 1})
    return [row["_id"] for row in await found.to_list(None)]


async def _expire(ctx: Context, then: datetime) -> None:
    """Has the clips expire that were there then already, of owners who were not seen since."""
    for some in chunks(await _not_seen(ctx.store, then), _AT_ONCE):
        orphans = {"owner": {"$in": list(some)}, "created_at": before(then)}
        await clip_expiry.expire(ctx, orphans, datetime.now(UTC))

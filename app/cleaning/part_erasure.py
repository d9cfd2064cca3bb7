"""Erases what was recorded of a share between two instants, pinned or not, for good.

The range stands in the buffer's row until nothing of it is left. So the next pass goes on after an
interruption, and erases what was committed late. The rows of its segments stay, as gaps: an
indexer that would index them again finds them. Cleanup deletes these when they are old.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import structlog

from app.buffer import clock, markers, packs, summary
from app.cleaning import pack_removal
from app.cleaning.removal import AT_ONCE, FIELDS, folders_by_session, unlink
from app.context import Context
from app.errors import TooManyRequests
from app.models import ErasedRange, FaultSlug, Row, SegmentRow, SegmentState, SessionRow
from app.models.intervals import Interval
from app.models.schema import Buffer, EgressSession, Segment
from app.store import Store, chunks

RETRY_SECONDS = 15

ErasureStep = Callable[[str], Awaitable[None]]
log = structlog.get_logger()


async def _go_on(step: str) -> None:
    """A step is done: tests stop an erasure here."""


async def promise(
    store: Store, buffer_id: str, start: datetime, end: datetime, *, most: int | None = None
) -> ErasedRange:
    """Notes that what was recorded of a share in [start, end) is to go.

    Raises TooManyRequests if `most` such ranges are noted already.
    """
    part: ErasedRange = {"start": cut(start), "end": cut(end), "captures_ended": False}
    fits: Row = {} if most is None else {f"forget_ranges.{most - 1}": {"$exists": False}}
    noted = await store.rows(Buffer).update_one(
        {"_id": buffer_id} | fits, {"$addToSet": {"forget_ranges": part}}
    )
    if not noted.matched_count and most is not None:
        raise TooManyRequests(
            f"{most} deletions of this share are under way: ask again when some are done, or "
            "delete all of it",
            retry_after=RETRY_SECONDS,
            limit=most,
        )
    return part


async def note_captures_ended(store: Store, buffer_id: str, part: ErasedRange) -> ErasedRange:
    """Notes that nobody works any more with what was read of a range before its promise."""
    settled: ErasedRange = {**part, "captures_ended": True}
    for change in ({"$addToSet": {"forget_ranges": settled}}, {"$pull": {"forget_ranges": part}}):
        await store.rows(Buffer).update_one({"_id": buffer_id}, change)
    return settled


async def extent(ctx: Context, buffer_id: str, part: ErasedRange) -> Interval:
    """From when to when that reaches which goes with a range: segments go whole.

    Whoever has read one of them may show what lies beside the range, too.
    """
    usable: Row = {"fault": {"$in": [None, FaultSlug.DELETED]}}
    rows = await _within(ctx, buffer_id, part, usable, {"start": 1, "end": 1})
    starts = [part["start"], *(row["start"] for row in rows)]
    return min(starts), max([part["end"], *(row["end"] for row in rows)])


async def hide(ctx: Context, buffer_id: str, part: ErasedRange) -> list[SegmentRow]:
    """Makes what is indexed of a range a gap. Returns the rows, whose files stay for `erase`."""
    await markers.delete_between(ctx.store, buffer_id, part["start"], part["end"])
    rows = await _within(ctx, buffer_id, part, {}, FIELDS)
    gone: Row = {"state": SegmentState.QUARANTINED, "fault": FaultSlug.DELETED}
    gone |= {"samples": b"", "levels": b""}  # what they tell of the pictures and the sound
    for chunk in chunks(rows, AT_ONCE):
        ids = {"$in": [row["_id"] for row in chunk]}
        await ctx.store.rows(Segment).update_many({"_id": ids}, {"$set": gone})
    for session_id in {row["session_id"] for row in rows}:
        own = [row for row in rows if row["session_id"] == session_id]
        start_ticks = min(row["start_ticks"] for row in own)
        end_ticks = max(row["end_ticks"] for row in own)
        await summary.lose(ctx.store, session_id, start_ticks, end_ticks, FaultSlug.DELETED)
    return rows


async def erase(
    ctx: Context,
    buffer_id: str,
    ranges: Sequence[ErasedRange],
    *,
    reached: ErasureStep = _go_on,
) -> None:
    """One pass over the ranges of a share that are to go; what is left of them waits for the next.

    While the media root is away all of it waits. `reached` is awaited after the steps `hidden`,
    `unlinked` and `forgotten`.
    """
    if not await ctx.has_media_root():
        return
    settled: list[ErasedRange] = []
    sessions = await _sessions(ctx, buffer_id)
    for part in ranges:
        # Asked before: what an egress that is over has left is indexed by then.
        is_over = await _nothing_more_comes(ctx, buffer_id, part)
        rows = await hide(ctx, buffer_id, part)
        await reached("hidden")
        await _condemn_packs(ctx, sessions, part, rows)
        folders = await folders_by_session(ctx, {row["session_id"] for row in rows})
        refused = await asyncio.to_thread(unlink, rows, folders)
        await reached("unlinked")
        if is_over and not refused and part["captures_ended"]:
            settled.append(part)
    # The bucket comes last: one that is away keeps nothing on the disk.
    packs_gone = not ranges or await pack_removal.sweep(ctx, [row["_id"] for row in sessions])
    for part in settled if packs_gone else ():
        await ctx.store.rows(Buffer).update_one(
            {"_id": buffer_id}, {"$pull": {"forget_ranges": part}}
        )
        log.info("buffer_part_forgotten", buffer=buffer_id)
    await reached("forgotten")


async def _sessions(ctx: Context, buffer_id: str) -> list[SessionRow]:
    of_buffer = {"buffer_id": buffer_id}
    return await ctx.store.rows(EgressSession).find(of_buffer, {"clock_ns": 1}).to_list(None)


async def _condemn_packs(
    ctx: Context, sessions: Sequence[SessionRow], part: ErasedRange, rows: Sequence[SegmentRow]
) -> None:
    """Condemns the packs that hold any of a range: those, too, whose segments have no rows now."""
    await packs.condemn(ctx.store, rows)
    for session in sessions:
        if (clock_ns := session["clock_ns"]) is not None:
            start_ticks = clock.ticks_at(clock_ns, part["start"])
            end_ticks = clock.ticks_at(clock_ns, part["end"]) + 1  # it was rounded down
            await packs.condemn_between(ctx.store, session["_id"], start_ticks, end_ticks)


async def _nothing_more_comes(ctx: Context, buffer_id: str, part: ErasedRange) -> bool:
    """Whether all that was recorded in a range is indexed: segments come in order.

    Those that can't be used tell nothing: their times are what their playlist says.
    """
    begun = {"buffer_id": buffer_id, "created_at": {"$lt": part["end"]}, "indexing": {"$ne": None}}
    later = {"buffer_id": buffer_id, "end": {"$gt": part["end"]}}
    for session in await ctx.store.rows(EgressSession).find(begun, {"_id": 1}).to_list(None):
        own = {"session_id": session["_id"], "start": {"$gte": part["end"]}, "fault": None}
        first_id: list[Row] = [{"$limit": 1}, {"$project": {"_id": 1}}]
        if not await ctx.store.matching(Segment, later, own, *first_id):
            return False
    return True


async def _within(
    ctx: Context, buffer_id: str, part: ErasedRange, which: Row, fields: Row
) -> list[SegmentRow]:
    """The segments that hold any of a range, and match."""
    later = {"buffer_id": buffer_id, "end": {"$gt": part["start"]}}
    begun = which | {"start": {"$lt": part["end"]}}
    return await ctx.store.matching(Segment, later, begun, {"$project": fields})


def cut(instant: datetime) -> datetime:
    """To the millisecond, as rows have it: a range is taken out by its value."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)

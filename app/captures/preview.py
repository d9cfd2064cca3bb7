"""What of a capture can be watched: its window, as far as its media is there.

From its acceptance on, while it waits and its file is written, and afterwards as long as the buffer
holds the window's fragments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.captures import media_arrival
from app.context import Context
from app.errors import BufferEmpty, Gone
from app.models import CaptureRow, CaptureStatus, SegmentRow, SessionRow
from app.models.schema import EgressSession
from app.viewing import fragment_sources, hls
from app.viewing.hls import Item

_ROUNDING = timedelta(milliseconds=10)
_RETRY_SECONDS = 2


@dataclass(frozen=True)
class Watchable:
    """The fragments of a capture's window that are there, in order.

    `complete`: nothing will be added. `target_seconds`: longer than any of them will be.
    """

    items: tuple[Item, ...]
    complete: bool
    target_seconds: int


async def watchable(ctx: Context, row: CaptureRow, now: datetime) -> Watchable:
    """What of a capture can be watched now.

    Raises BufferEmpty as long as there is nothing, Gone if the capture was given up, or if its
    window is not there from its beginning any more.
    """
    if row["trim"] is not None:
        raise Gone("it is made of a clip, not of a share: watch that, or the clip itself")
    if row["status"] in (CaptureStatus.FAILED, CaptureStatus.CANCELLED):
        raise Gone(f"the capture is {row['status']}")
    complete = (
        row["status"] not in (CaptureStatus.QUEUED, CaptureStatus.WAITING)
        or now >= row["wait_until"]
        or await media_arrival.is_complete(ctx, row, now)
    )
    ranges = await media_arrival.ranges_to_make(ctx, row, now)
    sessions = await fragment_sources.sessions_of(ctx, ranges)
    present = [
        [segment for segment in segments if segment["end_ticks"] > range_["start_ticks"]]
        for range_, segments in zip(
            ranges, await fragment_sources.rows_of(ctx, ranges), strict=True
        )
    ]
    if not complete:
        newest = max((segments[0]["session_id"] for segments in present if segments), default="")
        present = _settled(present, sessions, await _begun(ctx, row, newest))
    # Two stays may share a segment.
    once = {segment["_id"]: segment for segments in present for segment in segments}
    items = [hls.item(segment) for segment in once.values()]
    _refuse_what_is_gone(row, items, complete=complete)
    lengths = [session["segment_seconds"] for session in sessions.values()]
    return Watchable(tuple(items), complete, max(lengths, default=1) + 1)


async def _begun(ctx: Context, row: CaptureRow, newest: str) -> datetime | None:
    """When a session after the `newest` one with media began; None if there is none."""
    # The ids of sessions sort by time.
    later = {"buffer_id": row["buffer_id"], "indexing": {"$ne": None}, "_id": {"$gt": newest}}
    later_one = await ctx.store.rows(EgressSession).find_one(later, sort=[("_id", 1)])
    return later_one["created_at"] if later_one else None


def _settled(
    present: Sequence[Sequence[SegmentRow]],
    sessions: dict[str, SessionRow],
    begun: datetime | None,
) -> list[list[SegmentRow]]:
    """Of the segments of each session those whose place in the window can't change any more.

    A playlist only ever grows at its end. When one session takes over from another, the last
    segments of the earlier one may come after the first of the later one; and what the earlier one
    recorded since the later one `begun` may not be needed, which the first picture of the later one
    will tell.
    """
    settled: list[list[SegmentRow]] = []
    for segments in present:
        before = settled[-1] if settled else []
        if before and segments and before[-1]["session_id"] != segments[0]["session_id"]:
            joined = segments[0]["start"] - before[-1]["end"] <= media_arrival.JOINED
            if not joined and sessions[before[-1]["session_id"]]["indexing"] is not None:
                break
        settled.append([each for each in segments if begun is None or each["start"] < begun])
    return settled


def _refuse_what_is_gone(row: CaptureRow, items: list[Item], *, complete: bool) -> None:
    if not items and not complete:
        raise BufferEmpty("nothing of the window is recorded yet", retry_after=_RETRY_SECONDS)
    # Once the file is made, nothing is pinned any more.
    begin = row["result"]["told"]["delivered_start"] if row["result"] else None
    if not items or (begin is not None and items[0].start > begin + _ROUNDING):
        raise Gone("the buffer does not hold the whole window any more: play the clip itself")

"""Segments removed for good: condemned, pins read again, unlinked, forgotten.

This order heals what is interrupted: the next pass takes up a segment that stayed condemned, and a
row whose file is gone. A pinner writes the pin first and reads the segments then (see `pins`). So
one of the two always sees the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import structlog

from app import metrics
from app.buffer import packs, pins, summary
from app.buffer.paths import tile_name
from app.buffer.retention import covers
from app.buffer.session_folders import SessionFolders, folders_of, is_of_egress
from app.context import Context
from app.models import SegmentRow, SegmentState
from app.models.metric_words import ErrorKind
from app.models.schema import EgressSession, Segment
from app.storage.confined import PathRefused
from app.store import chunks

AT_ONCE = 100
"""Rows a step: an embedded store is busy for some 0.1 s with that many."""

FIELDS = dict.fromkeys(
    ("session_id", "sequence", "name", "start_ticks", "end_ticks", "end", "fault"), 1
)
"""What of a segment's row a removal needs."""

Reached = Callable[[str], Awaitable[None]]
log = structlog.get_logger()


async def _go_on(step: str) -> None:
    """A step is done: tests stop a removal here."""


async def remove(
    ctx: Context,
    rows: Sequence[SegmentRow],
    *,
    in_spite_of_pins: bool = False,
    reached: Reached = _go_on,
) -> int:
    """Removes segments, except what was pinned meanwhile. Returns how many are gone.

    `rows` have at least FIELDS. `reached` is awaited after the steps `condemned`, `unlinked`
    and `forgotten`.
    """
    folders = await folders_by_session(ctx, {row["session_id"] for row in rows})
    gone = 0
    for chunk in chunks(rows, AT_ONCE):
        gone += await _remove(ctx, chunk, folders, in_spite_of_pins, reached)
    return gone


async def _remove(
    ctx: Context,
    rows: Sequence[SegmentRow],
    folders: Mapping[str, SessionFolders],
    in_spite_of_pins: bool,
    reached: Reached,
) -> int:
    segments = ctx.store.rows(Segment)
    await segments.update_many(
        {"_id": {"$in": _ids(rows)}}, {"$set": {"state": SegmentState.CONDEMNED}}
    )
    await reached("condemned")
    if not in_spite_of_pins:
        pinned = await pins.pinned(
            ctx.store, {row["session_id"] for row in rows}, datetime.now(UTC)
        )
        spared = [
            row
            for row in rows
            if covers(pinned, row["session_id"], row["start_ticks"], row["end_ticks"])
        ]
        await _spare(ctx, spared)
        rows = [row for row in rows if row not in spared]
    await packs.condemn(ctx.store, rows)
    refused = await asyncio.to_thread(unlink, rows, folders)
    rows = [row for row in rows if row["_id"] not in refused]
    await reached("unlinked")
    for session_id, last in _last_of_each(rows).items():
        await summary.forget_before(ctx.store, session_id, last["end_ticks"], last["sequence"] + 1)
    await segments.delete_many({"_id": {"$in": _ids(rows)}, "state": SegmentState.CONDEMNED})
    await reached("forgotten")
    return len(rows)


async def _spare(ctx: Context, rows: Iterable[SegmentRow]) -> None:
    """Gives segments the state back that they had before they were condemned."""
    for state, spared in (
        (SegmentState.INDEXED, [row for row in rows if row["fault"] is None]),
        (SegmentState.QUARANTINED, [row for row in rows if row["fault"] is not None]),
    ):
        if spared:
            await ctx.store.rows(Segment).update_many(
                {"_id": {"$in": _ids(spared)}, "state": SegmentState.CONDEMNED},
                {"$set": {"state": state}},
            )


async def folders_by_session(ctx: Context, session_ids: Iterable[str]) -> dict[str, SessionFolders]:
    """The folders of these sessions, by id; without those whose rows name none of ours."""
    query = {"_id": {"$in": list(session_ids)}}
    folders: dict[str, SessionFolders] = {}
    for row in await ctx.store.rows(EgressSession).find(query, {"folder": 1}).to_list(None):
        try:
            folders[row["_id"]] = folders_of(ctx.egress, row)
        except PathRefused as error:
            metrics.ERRORS.labels(ErrorKind.PATH_REFUSED).inc()
            log.error("folder_refused", session=row["_id"], error=str(error))
    return folders


def unlink(rows: Iterable[SegmentRow], folders: Mapping[str, SessionFolders]) -> set[str]:
    """Unlinks the segments' files, each with its tile. Returns the ids of those that refuse.

    What egress has written and lets nobody delete, or has made a folder of, is a stray from now on
    and none of these: there may be any number, whose rows would be the first of each pass for ever,
    and nobody knows how much is in a folder.
    """
    refused, told = set[str](), set[str]()
    for row in rows:
        folder = folders.get(row["session_id"])
        if folder is None:
            continue  # its session was forgotten: the file, if there is one, is a stray
        try:
            with suppress(FileNotFoundError):
                folder.remove(row["name"])
            # After its segment: the drawing of a tile looks whether the segment is still there.
            with suppress(FileNotFoundError):
                folder.fragments.unlink(tile_name(row["sequence"]))
        except PathRefused as error:
            # No file of ours can be meant: the row goes, and a fragment it hid is a stray.
            metrics.ERRORS.labels(ErrorKind.PATH_REFUSED).inc()
            log.error("segment_name_refused", segment=row["_id"], error=str(error))
        except OSError as error:
            metrics.ERRORS.labels(ErrorKind.FILE_NOT_DELETABLE).inc()
            if row["session_id"] not in told:
                told.add(row["session_id"])
                log.warning("file_not_deletable", session=row["session_id"], error=str(error))
            if not is_of_egress(row["name"]):
                refused.add(row["_id"])
    return refused


def _last_of_each(rows: Iterable[SegmentRow]) -> dict[str, SegmentRow]:
    last: dict[str, SegmentRow] = {}
    for row in rows:
        known = last.get(row["session_id"])
        if known is None or known["sequence"] < row["sequence"]:
            last[row["session_id"]] = row
    return last


def _ids(rows: Iterable[SegmentRow]) -> list[str]:
    return [row["_id"] for row in rows]

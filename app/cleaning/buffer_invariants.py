"""Checks what must hold between disk and rows, and says where it does not.

1. An indexed segment has a complete file of the recorded size.
2. Every file under the buffer's two roots is exactly one of: indexed, condemned (about to be
   deleted), not yet named by its playlist, or of a named class (playlist, init segment, tile of an
   indexed segment, quarantined, being written, left by who was killed while writing).
3. A pinned segment is neither condemned nor missing. Except what was erased for its sharer, or
   by an admin: that goes whatever pins it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Sequence, Set
from datetime import datetime, timedelta
from pathlib import Path

from app.buffer.retention import Pinned, covers
from app.buffer.session_folders import fragment_path
from app.cleaning import buffer_tree, strays
from app.context import Context
from app.models import SegmentRow, SegmentState
from app.models.instants import EPOCH
from app.models.schema import Buffer, EgressSession, Pin, Segment
from app.storage.confined import PART_SUFFIX, PathRefused, member
from app.storage.violation import Violation
from app.store import batches, dated

BEING_WRITTEN = timedelta(minutes=1)
"""A file younger than this may be on its way: a fragment before its row, a `.part`."""
_AT_ONCE = 500
_FIELDS = dict.fromkeys(
    ("session_id", "buffer_id", "name", "size_bytes", "state", "start", "start_ticks", "end_ticks"),
    1,
)


async def violations(ctx: Context, now: datetime) -> AsyncIterator[Violation]:
    """All violations. Reads every row and every folder, a few at a time; changes nothing."""
    folders: dict[str, Path] = {}
    async for session in ctx.store.rows(EgressSession).find({}, {"folder": 1}):
        try:
            folders[session["_id"]] = fragment_path(ctx.settings.media_root, session)
        except PathRefused as error:
            yield Violation(1, str(error))
    pinned: dict[str, list[tuple[int, int | None]]] = {}
    async for pin in ctx.store.rows(Pin).find({"until": {"$gt": now}}):
        pinned.setdefault(pin["session_id"], []).append((pin["start_ticks"], pin["end_ticks"]))
    async for rows in batches(ctx.store.rows(Segment).find({}, _FIELDS), _AT_ONCE):
        erased = await _erased(ctx, rows)
        for violation in await asyncio.to_thread(_of_rows, rows, folders, pinned, erased):
            yield violation
    # What a killed writer has left stays until the cleanup after it is old enough.
    cleaned = await strays.settled_before(ctx, now)
    cleaned -= timedelta(minutes=2 * ctx.settings.cleanup_minutes)
    async for stray in strays.unknown_files(ctx, now - BEING_WRITTEN):
        left = strays.is_ours(stray.folder) and stray.name.endswith(PART_SUFFIX)
        before = cleaned.timestamp() if left else math.inf
        if await asyncio.to_thread(buffer_tree.older, stray.folder, [stray.name], before):
            yield Violation(2, f"{stray} is neither indexed nor of a known class")


async def _erased(ctx: Context, rows: Sequence[SegmentRow]) -> Set[str]:
    """The ids of the segments that are going because their sharer has had them erased.

    Their pins went first. Another may have come since, of a watcher who was let in just before.
    """
    condemned = [row for row in rows if row["state"] == SegmentState.CONDEMNED]
    if not condemned:
        return set()
    # Asked for after the segments: whatever is condemned for it, the word was there before.
    of_these = {"_id": {"$in": list({row["buffer_id"] for row in condemned})}}
    found = ctx.store.rows(Buffer).find(of_these | {"forget_before": dated()}, {"forget_before": 1})
    until = {row["_id"]: row["forget_before"] or EPOCH async for row in found}
    return {row["_id"] for row in condemned if row["start"] < until.get(row["buffer_id"], EPOCH)}


def _of_rows(
    rows: list[SegmentRow],
    folders: dict[str, Path],
    pinned: Pinned,
    erased: Set[str],
) -> list[Violation]:
    found = []
    for row in rows:
        name = f"{row['session_id']}/{row['name']}"
        held = covers(pinned, row["session_id"], row["start_ticks"], row["end_ticks"])
        try:
            size = _size(folders.get(row["session_id"]), row["name"])
        except PathRefused as error:
            found.append(Violation(1, f"{row['_id']}: {error}"))
            continue
        if row["state"] == SegmentState.INDEXED and size != row["size_bytes"]:
            actual = "is gone" if size is None else f"has {size} bytes"
            found.append(Violation(1, f"{name} {actual}; indexed with {row['size_bytes']}"))
        if row["state"] == SegmentState.CONDEMNED and held and row["_id"] not in erased:
            found.append(Violation(3, f"{name} is pinned and condemned"))
        if row["state"] == SegmentState.INDEXED and held and size is None:
            found.append(Violation(3, f"{name} is pinned and gone"))
    return found


def _size(folder: Path | None, name: str) -> int | None:
    if folder is None:
        return None
    try:
        return member(folder, name).stat().st_size
    except FileNotFoundError:
        return None

"""Making the file of a capture: planned, copied beside its final place, durable, verified."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from app.buffer import pins
from app.clips import captures, delivery, endings, sources, waiting
from app.clips.failures import NothingRecorded, SegmentChanged, SizesDiffer
from app.clips.leases import Lease, Lost
from app.clips.verifying import Expected, verify
from app.context import Context
from app.media import joining, movie
from app.media.movie import Movie, Run
from app.storage import local
from app.store import Row

PROGRESS_SECONDS = 0.5
DURATION_TOLERANCE_SECONDS = 0.05

Made = TypeVar("Made")


async def make(ctx: Context, lease: Lease) -> None:
    """Writes the file, then states in the row what it is.

    Raises Lost, and the failures of `app.clips.failures` and StorageFull; then no file is left.
    """
    await lease.change({"status": "running", "stage": "copying", "progress": 0.0})
    row = lease.row
    root, path = ctx.settings.media_root, endings.storage_path(row)
    spans = row["spans"]
    if row["wait_until"] > row["accepted_at"]:
        spans = await waiting.spans_now(ctx, row, datetime.now(UTC))
        await pins.pin(ctx.store, row["_id"], spans, datetime.now(UTC) + captures.PIN_LIFE)
    found = await sources.rows_of(ctx, spans)
    sessions = await sources.sessions_of(ctx, spans)

    def plan() -> Movie:
        return _planned(row, sources.runs_of(root, sessions, spans, found, row["gaps"]))

    planned = await asyncio.to_thread(plan)
    part = await asyncio.to_thread(local.part_path, root, path, row["attempts"])
    try:
        await _copied(lease, planned, part)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    exact_clock = all(session["clock_exact"] for session in sessions.values())
    result = _result(row, planned, part, exact_clock=exact_clock)
    try:
        await lease.change({"result": result, "stage": "finishing"}, result=None)
    except Lost:  # of any other error it is not known whether the row has the result
        part.unlink(missing_ok=True)
        raise


def _result(row: Row, planned: Movie, part: Path, *, exact_clock: bool) -> dict[str, Any]:
    return {
        "part": part.name,
        "file_id": secrets.token_hex(12),
        "filename": delivery.filename(row["title"], row["room"], planned.spans[0].start),
        "size_bytes": planned.size_bytes,
        "created_at": datetime.now(UTC),
        "told": delivery.told(row, planned, exact_clock=exact_clock),
    }


def _planned(row: Row, runs: list[Run]) -> Movie:
    if not runs:
        raise NothingRecorded("nothing was recorded in the window")
    try:
        return movie.plan(
            runs,
            "segment" if row["cut"] == "segment" else "precise",
            gaps=row["gaps"],
            title=row["title"] or None,
        )
    except movie.NothingToShow as error:
        raise NothingRecorded("no picture was on the screen in the window") from error
    except movie.Incompatible as error:
        raise SizesDiffer(
            f"{error}; the widest window that fits is {delivery.widest(error.widest)}"
        ) from error


async def _copied(lease: Lease, planned: Movie, part: Path) -> None:
    """Writes the movie to the part, makes it durable, verifies it."""
    share = Share()

    def write(stop: threading.Event) -> None:
        with local.disk_errors():
            joining.write(
                planned,
                str(part),
                on_progress=lambda done: share.tell(done / planned.size_bytes),
                should_stop=stop.is_set,
            )

    try:
        await _in_thread(write, lease, share)
    except joining.SourceChanged as error:
        raise SegmentChanged(
            f"{Path(error.path).name} is gone from the disk, or was altered since it came"
        ) from error
    expected = Expected(
        size_bytes=planned.size_bytes,
        width=planned.width,
        height=planned.height,
        duration_seconds=planned.duration_seconds,
        tolerance_seconds=DURATION_TOLERANCE_SECONDS,
        frames=planned.frames,
        audio_frames=planned.audio_frames,
    )
    await asyncio.gather(
        asyncio.to_thread(local.sync, part), asyncio.to_thread(verify, part, expected)
    )


class Share:
    """How much of the work is done, 0 to 1, told by a thread."""

    def __init__(self) -> None:
        self.done = 0.0

    def tell(self, done: float) -> None:
        self.done = done


async def _in_thread(work: Callable[[threading.Event], Made], lease: Lease, share: Share) -> Made:
    """The result of `work` in a thread, its progress written to the row.

    If the lease is lost, or this is cancelled, the thread is told to stop, and has when this ends.
    """
    stop = threading.Event()
    task = asyncio.create_task(asyncio.to_thread(work, stop))
    try:
        while True:
            done, _ = await asyncio.wait({task}, timeout=PROGRESS_SECONDS)
            if done:
                return task.result()
            if lease.lost.is_set():
                raise Lost(lease.row["_id"])
            await lease.change({"progress": round(share.done, 3)})
    finally:
        stop.set()
        await asyncio.gather(task, return_exceptions=True)

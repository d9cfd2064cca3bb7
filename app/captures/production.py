"""Making the file of a capture: planned, written beside its final place, durable, verified."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from app.buffer import pins
from app.captures import acceptance, encoded_cut, endings, media_arrival, part_file, pieced_cut
from app.captures.capture_leases import Lease, Lost
from app.captures.encoded_cut import Encoding
from app.captures.failures import NothingRecorded, SizesDiffer
from app.captures.progress import Share, watched
from app.captures.verification import Expected
from app.clips import clip_report
from app.clips.clip_report import Shown
from app.context import Context
from app.media import ends, movie
from app.media.ends import Ends
from app.media.faults import Unpreparable
from app.media.movie import Gaps, Movie, NothingToShow, Run
from app.models import CaptureStatus, MediaRange, Row
from app.storage import local
from app.viewing import fragment_sources

COPIED_TOLERANCE_SECONDS = 0.05
ENCODED_TOLERANCE_SECONDS = 0.25
"""An encoded picture or frame of sound ends where it ends."""
COPYING_SHARE = 0.05
"""Of the progress of an exact cut that is encoded whole."""
PIECES_SHARE = 0.9
"""Of the progress of an exact cut of which the ends are."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Slots:
    """How many captures of this process may copy, and encode, at the same time."""

    copying: asyncio.Semaphore
    encoding: asyncio.Semaphore


@dataclass(frozen=True)
class Material:
    """The media of a capture's window, as the database knows it."""

    spans: list[MediaRange]
    rows: list[list[Row]]
    sessions: dict[str, Row]


async def make(ctx: Context, lease: Lease, slots: Slots) -> None:
    """Writes the file, then states in the row what it is.

    Raises Lost, and the failures of `app.captures.failures`, FfmpegFailed and StorageFull; then no
    file is left.
    """
    root, path = ctx.settings.media_root, endings.storage_path(lease.row)
    part = await asyncio.to_thread(local.part_path, root, path, lease.row["attempts"])
    try:
        if lease.row["cut"] == "exact":
            result = await _exact(ctx, lease, slots, part)
        else:
            async with slots.copying:
                result = await _copied(ctx, lease, part)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    try:
        await lease.change({"result": result, "stage": "finishing"}, result=None)
    except Lost:  # of any other error it is not known whether the row has the result
        part.unlink(missing_ok=True)
        raise


async def _copied(ctx: Context, lease: Lease, part: Path) -> dict[str, Any]:
    await lease.change({"status": CaptureStatus.RUNNING, "stage": "copying"})
    material = await _material(ctx, lease.row)
    planned = await asyncio.to_thread(_planned, ctx.settings.media_root, lease.row, material)
    await _write(planned, lease, part, Share())
    return _result(lease.row, material, Shown.of(planned), part)


async def _exact(ctx: Context, lease: Lease, slots: Slots, part: Path) -> dict[str, Any]:
    async with slots.copying:
        await lease.change({"status": CaptureStatus.RUNNING, "stage": "copying"})
        material = await _material(ctx, lease.row)
    runs = await asyncio.to_thread(_runs, ctx.settings.media_root, lease.row, material)
    try:
        found = await asyncio.to_thread(ends.find, runs)
        if found is not None:
            return await _pieced(found, lease, slots, part, material)
    except NothingToShow as error:
        raise _nothing() from error
    except (ends.OtherPictures, Unpreparable) as error:
        log.warning("exact_ends_unfit", capture=lease.row["_id"], error=str(error))
    return await _encoded(runs, lease, slots, part, material)


async def _pieced(
    found: Ends, lease: Lease, slots: Slots, part: Path, material: Material
) -> dict[str, Any]:
    """Its ends encoded, the rest copied."""
    row, files = lease.row, list[Path]()
    try:
        async with slots.encoding:
            await lease.change({"stage": "encoding"})
            share = Share(0.0, PIECES_SHARE)
            title = row["title"] or None
            planned = await watched(
                pieced_cut.pieced(
                    found, part, files, gaps=row["gaps"], title=title, on_progress=share.tell
                ),
                lease,
                share,
            )
        async with slots.copying:
            await lease.change({"stage": "copying"})
            await _write(planned, lease, part, Share(PIECES_SHARE, 1.0))
    finally:
        for path in files:
            path.unlink(missing_ok=True)
    return _result(row, material, Shown.of(planned), part)


async def _encoded(
    runs: list[Run], lease: Lease, slots: Slots, part: Path, material: Material
) -> dict[str, Any]:
    """All of it encoded."""
    inputs: list[Path] = []
    try:
        async with slots.copying:
            encoding = await asyncio.to_thread(_encoding, runs, lease.row["gaps"])
            share = Share(0.0, COPYING_SHARE)
            for number, planned in enumerate(encoding.movies):
                inputs.append(local.beside(part, f"input{number}"))
                await watched(part_file.write(planned, inputs[-1], share.tell), lease, share)
        async with slots.encoding:
            await lease.change({"stage": "encoding"})
            share = Share(COPYING_SHARE, 1.0)
            title = lease.row["title"]
            await watched(
                encoded_cut.encode(encoding, inputs, part, title=title, on_progress=share.tell),
                lease,
                share,
            )
    finally:
        for path in inputs:
            path.unlink(missing_ok=True)
    await part_file.settle(
        part,
        Expected(
            size_bytes=None,
            width=encoding.shown.width,
            height=encoding.shown.height,
            duration_seconds=encoding.seconds,
            tolerance_seconds=ENCODED_TOLERANCE_SECONDS,
        ),
    )
    return _result(lease.row, material, encoding.shown, part)


async def _write(planned: Movie, lease: Lease, part: Path, share: Share) -> None:
    await watched(part_file.write(planned, part, share.tell), lease, share)
    await part_file.settle(
        part,
        Expected(
            size_bytes=planned.size_bytes,
            width=planned.width,
            height=planned.height,
            duration_seconds=planned.duration_seconds,
            tolerance_seconds=COPIED_TOLERANCE_SECONDS,
            frames=planned.frames,
            audio_frames=planned.audio_frames,
        ),
    )


async def _material(ctx: Context, row: Row) -> Material:
    spans = await media_arrival.spans_to_make(ctx, row, datetime.now(UTC))
    if row["wait_until"] > row["accepted_at"]:
        await pins.pin(ctx.store, row["_id"], spans, datetime.now(UTC) + acceptance.PIN_LIFE)
    rows = await fragment_sources.rows_of(ctx, spans)
    return Material(spans, rows, await fragment_sources.sessions_of(ctx, spans))


def _planned(root: Path, row: Row, material: Material) -> Movie:
    runs = _runs(root, row, material)
    try:
        return movie.plan(
            runs,
            "segment" if row["cut"] == "segment" else "precise",
            gaps=row["gaps"],
            title=row["title"] or None,
        )
    except NothingToShow as error:
        raise _nothing() from error
    except movie.Incompatible as error:
        raise SizesDiffer(
            f"{error}; the widest window that fits is {clip_report.widest(error.widest)}, and with "
            "cut=exact it can be had whole"
        ) from error


def _encoding(runs: list[Run], gaps: Gaps) -> Encoding:
    try:
        return encoded_cut.plan(runs, gaps)
    except NothingToShow as error:
        raise _nothing() from error


def _runs(root: Path, row: Row, material: Material) -> list[Run]:
    runs = fragment_sources.runs_of(
        root, material.sessions, material.spans, material.rows, row["gaps"]
    )
    if not runs:
        raise _nothing()
    return runs


def _nothing() -> NothingRecorded:
    return NothingRecorded("no picture was recorded in the window")


def _result(row: Row, material: Material, shown: Shown, part: Path) -> dict[str, Any]:
    exact_clock = all(session["clock_exact"] for session in material.sessions.values())
    return {
        "part": part.name,
        "file_id": secrets.token_hex(12),
        "filename": clip_report.filename(row["title"], row["room"], shown.spans[0].start),
        "size_bytes": part.stat().st_size,
        "created_at": datetime.now(UTC),
        "told": clip_report.told(row, shown, exact_clock=exact_clock),
    }

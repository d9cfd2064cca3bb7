"""From a capture's ranges to the fragments on disk that its movie is planned from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

from app.buffer import clock
from app.buffer.paths import init_name
from app.buffer.session_folders import fragment_path
from app.context import Context
from app.errors import CaptureFailed
from app.media.init_segment import Init
from app.media.movie import Run, Source
from app.media.samples import SampleTable
from app.models import FailureReason, Gaps, MediaRange, SegmentRow, SegmentState, SessionRow
from app.models.instants import EPOCH
from app.models.schema import EgressSession
from app.storage.confined import PathRefused, member, member_text
from app.viewing import windows

_LOST_TICKS = 9_000
"""Further apart than a tenth of a second: a segment is missing between two."""
_SETTLING_SECONDS = 2.0


class SegmentChanged(CaptureFailed):
    """A segment is gone from the disk, or is not what was indexed."""

    slug: ClassVar[str] = FailureReason.SEGMENT_CHANGED


async def rows_of(ctx: Context, ranges: Sequence[MediaRange]) -> list[list[SegmentRow]]:
    """The segments of each range, once it is clear which of them stay.

    Cleanup may have condemned some before it saw our pin: it spares or deletes them in a moment.
    """
    deadline = asyncio.get_running_loop().time() + _SETTLING_SECONDS
    while True:
        found = await windows.segments(ctx.store, ranges, lead=True)
        condemned = any(row["state"] == SegmentState.CONDEMNED for rows in found for row in rows)
        if not condemned:
            return found
        if asyncio.get_running_loop().time() > deadline:
            return [[row for row in rows if row["state"] == SegmentState.INDEXED] for rows in found]
        await asyncio.sleep(0.1)


async def sessions_of(ctx: Context, ranges: Sequence[MediaRange]) -> dict[str, SessionRow]:
    """The rows of the ranges' sessions, by id."""
    ids = {"$in": [range_["session_id"] for range_ in ranges]}
    return {row["_id"]: row async for row in ctx.store.rows(EgressSession).find({"_id": ids})}


def runs_of(
    root: Path,
    sessions: dict[str, SessionRow],
    ranges: Sequence[MediaRange],
    rows: Sequence[Sequence[SegmentRow]],
    gaps: Gaps,
) -> list[Run]:
    """The runs to plan a movie from. Reads the sessions' init segments.

    A session is parted where its init changes and, with gaps=skip, where segments are lost.

    Raises SegmentChanged if an init segment can't be read.
    """
    inits: dict[tuple[str, str], Init] = {}
    runs: list[Run] = []
    for range_, segments in zip(ranges, rows, strict=True):
        parts = list(_parted(segments, gaps))
        if not parts:
            continue
        session = sessions[range_["session_id"]]
        folder = _folder(root, session)
        folder_text = str(folder)
        for number, part in enumerate(parts):
            key = (session["_id"], part[0]["init_id"])
            if key not in inits:
                inits[key] = _init(folder, part[0]["init_id"])
            start = range_["start_ticks"] if number == 0 else part[0]["start_ticks"]
            end = range_["end_ticks"] if number == len(parts) - 1 else part[-1]["end_ticks"]
            if start < end:
                runs.append(
                    Run(
                        session=session["_id"],
                        init=inits[key],
                        sources=[_source(folder_text, row) for row in part],
                        start_ticks=start,
                        end_ticks=end,
                        clock_start=_clock(session),
                    )
                )
    return runs


def _parted(segments: Sequence[SegmentRow], gaps: Gaps) -> Iterator[list[SegmentRow]]:
    part: list[SegmentRow] = list(segments[:1])
    for before, row in pairwise(segments):
        lost = row["start_ticks"] - before["end_ticks"] > _LOST_TICKS
        if row["init_id"] != before["init_id"] or (lost and gaps == Gaps.SKIP):
            yield part
            part = []
        part.append(row)
    if part:
        yield part


def _source(folder_text: str, row: SegmentRow) -> Source:
    try:
        path = member_text(folder_text, row["name"])
    except PathRefused as error:
        raise SegmentChanged(f"the row of segment {row['_id']} was altered: {error}") from error
    return Source(
        path=path,
        size_bytes=row["size_bytes"],
        payload_offset=row["payload_offset"],
        samples=SampleTable.unpack(row["samples"]),
        modified_ns=row["modified_ns"],
    )


def _folder(root: Path, session: SessionRow) -> Path:
    try:
        return fragment_path(root, session)
    except PathRefused as error:
        raise SegmentChanged(f"the row of session {session['_id']} was altered: {error}") from error


def _init(folder: Path, init_id: str) -> Init:
    try:
        return Init.parse(member(folder, init_name(init_id)).read_bytes())
    except FileNotFoundError as error:
        raise SegmentChanged(f"the init segment {init_id} is gone from the disk") from error
    except ValueError as error:
        raise SegmentChanged(f"the init segment {init_id} was altered: {error}") from error


def _clock(session: SessionRow) -> datetime:
    # To the microsecond; one part in a thousand of a frame is lost.
    return EPOCH + timedelta(microseconds=clock.of(session) / 1000)

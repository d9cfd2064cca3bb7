"""The media of a capture's window, as the database knows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.buffer import pins
from app.captures import media_arrival, packed_writer
from app.captures.part_file import PartWriter
from app.clips import clip_report
from app.clips.clip_report import ClipContents
from app.context import Context
from app.media.movie import NothingToShow, Run
from app.models import CaptureRow, ClipFields, Gaps, MediaRange, SegmentRow, SessionRow
from app.viewing import fragment_sources


@dataclass(frozen=True)
class WindowMedia:
    """The segments' rows of each range, and the rows of the ranges' sessions by id. `writer`: of
    what is planned of them."""

    ranges: Sequence[MediaRange]
    segments: Sequence[Sequence[SegmentRow]]
    sessions: dict[str, SessionRow]
    writer: PartWriter

    @property
    def exact_clock(self) -> bool:
        """Whether each session's place on the wall clock is known exactly."""
        return all(session["clock_exact"] for session in self.sessions.values())

    def told(self, capture: CaptureRow, contents: ClipContents) -> ClipFields:
        """The fields of the clip's row that depend on its media."""
        return clip_report.fields(capture, contents, self.ranges, exact_clock=self.exact_clock)

    def runs(self, root: Path, gaps: Gaps) -> list[Run]:
        """What a movie is planned from. Blocks. Raises NothingToShow, SegmentChanged."""
        runs = fragment_sources.runs_of(root, self.sessions, self.ranges, self.segments, gaps)
        if not runs:
            raise NothingToShow("no segment of the window is there")
        return runs


async def read(ctx: Context, capture: CaptureRow) -> WindowMedia:
    """The media that is there now. What has come since the acceptance is pinned, too."""
    ranges = await media_arrival.ranges_to_make(ctx, capture, datetime.now(UTC))
    if capture["wait_until"] > capture["accepted_at"]:
        # Until the same instant each time: a capture that is tried for long keeps nothing longer.
        until = capture["wait_until"] + media_arrival.PIN_LIFE
        await pins.pin(ctx.store, capture["_id"], ranges, until)
    segments = await fragment_sources.rows_of(ctx, ranges)
    sessions = await fragment_sources.sessions_of(ctx, ranges)
    return WindowMedia(ranges, segments, sessions, await packed_writer.of(ctx, sessions))

"""What a movie is planned from: fragments on disk, in runs of one session each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from app.media.init_segment import Init
from app.media.samples import VIDEO_TICKS, SampleTable

_COARSER_NS = (100, 1_000, 1_000_000, 10_000_000, 1_000_000_000, 2_000_000_000)
"""What file systems, and programs that copy files, keep of a time: SMB and NTFS 100 ns, tar and
rsync 1 us or 1 s, exFAT 10 ms, ext4 with inodes of 128 bytes 1 s, FAT 2 s."""


def was_altered(written_ns: int | None, found_ns: int) -> bool:
    """Whether a file was altered, by its st_mtime_ns when it was written (None: unknown) and now.

    A time of which only the digits are gone that something on the way does not keep is the same.
    """
    if written_ns is None or written_ns == found_ns:
        return False
    return all(written_ns - written_ns % coarser != found_ns for coarser in _COARSER_NS)


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One fragment's file. `path` is never interpreted, only opened.

    `modified_ns` (st_mtime_ns once it was written) lets the copier notice an altered file of the
    same size; None leaves that out.
    """

    path: str
    size_bytes: int
    payload_offset: int
    samples: SampleTable
    modified_ns: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Consecutive fragments of one session under one init, and the window of them to show.

    `start_ticks`, `end_ticks`: 90 kHz ticks on the session's media clock; the window may reach
    over what the sources hold. Hand in the source before the window's first one too, if there is
    one: the sound at the window's first instant may lie in it.

    `clock_start`: the wall clock of tick 0 (aware UTC; egress's started_at).
    `session`: a label that comes back in the result.
    """

    session: str
    init: Init
    sources: Sequence[Source]
    start_ticks: int
    end_ticks: int
    clock_start: datetime

    def wall_clock(self, ticks: int) -> datetime:
        return self.clock_start + timedelta(seconds=ticks / VIDEO_TICKS)


class NothingToShow(Exception):
    """No picture in the window, nor one before it that stood there."""


class Incompatible(Exception):
    """Runs that can't stand in one MP4 without re-encoding.

    `widest` is the longest stretch of consecutive runs that can.
    """

    def __init__(self, detail: str, widest: Sequence[Run]) -> None:
        self.widest = tuple(widest)
        super().__init__(detail)


def check(runs: Sequence[Run]) -> None:
    """Raise ValueError for what no caller should ask, Incompatible for what can't be joined."""
    if not runs:
        raise ValueError("no run to plan a movie from")
    for run in runs:
        if run.end_ticks <= run.start_ticks:
            raise ValueError(
                f"session {run.session}: window [{run.start_ticks}, {run.end_ticks}) is empty"
            )
        if run.clock_start.tzinfo is None:
            raise ValueError(f"session {run.session}: clock_start has no time zone")
        firsts = [source.samples.first_pts for source in run.sources]
        if any(later <= earlier for earlier, later in pairwise(firsts)):
            raise ValueError(f"session {run.session}: sources are not in order of time")
    stretches: list[list[Run]] = []
    for run in runs:
        if stretches and _fits(stretches[-1][-1], run):
            stretches[-1].append(run)
        else:
            stretches.append([run])
    if len(stretches) > 1:
        kinds = ", ".join(_kind(stretch[0].init) for stretch in stretches)
        raise Incompatible(
            f"these can't be joined without re-encoding: {kinds}", max(stretches, key=_ticks)
        )


def _fits(one: Run, other: Run) -> bool:
    return (one.init.width, one.init.height, one.init.audio_format) == (
        other.init.width,
        other.init.height,
        other.init.audio_format,
    )


def _kind(init: Init) -> str:
    sound = init.audio_format
    return f"{init.width}x{init.height} with {sound.sample_rate} Hz in {sound.channels} channels"


def _ticks(stretch: Sequence[Run]) -> int:
    """How much media a stretch can show at most."""
    return sum(
        max(
            0,
            min(run.end_ticks, run.sources[-1].samples.end_pts)
            - max(run.start_ticks, run.sources[0].samples.first_pts),
        )
        for run in stretch
        if run.sources
    )

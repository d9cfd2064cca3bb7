"""The plan of one MP4 made of fragments: its header, and which bytes of which file follow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.media.init_segment import Init
from app.media.samples import SampleTable

Cut = Literal["precise", "segment"]
Gaps = Literal["skip", "keep"]


@dataclass(frozen=True, slots=True)
class Source:
    """One fragment's file. `path` is never interpreted, only opened.

    `modified_ns` (st_mtime_ns when it was written) lets the copier notice an altered file of the
    same size; None leaves that out.
    """

    path: str
    size_bytes: int
    payload_offset: int
    samples: SampleTable
    modified_ns: int | None = None


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Span:
    """What of one session is shown, and from which second of the movie on.

    `start_ticks` is the first shown picture's time, `end_ticks` where the last one ends.
    `standing`: nothing began inside the window, so the picture that stood there is shown.
    """

    session: str
    start_ticks: int
    end_ticks: int
    start: datetime
    end: datetime
    movie_seconds: float
    standing: bool


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch where nothing was recorded, or the picture stood still.

    - `hole`: no picture came for `seconds`; the one before is held, sound goes on.
    - `lost`: no picture and no sound between two fragments of one session; kept in time.
    - `start`: the window began where no picture begins; `seconds` were left out.
    - `session`: between two sessions; `kept` tells whether it is in the movie.
    """

    kind: Literal["hole", "lost", "start", "session"]
    start: datetime
    end: datetime
    seconds: float
    movie_seconds: float
    kept: bool


@dataclass(frozen=True, slots=True)
class Extent:
    """Consecutive bytes of the movie: `data`, or `length` bytes of `path` from `offset`."""

    movie_offset: int
    length: int
    path: str | None
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Movie:
    """A planned MP4. Every number is exact before a byte of media has been read.

    - `header`: `ftyp moov` and the head of `mdat`. `extents`: what follows, in order.
    - `sources`: the files that extents name, with the size each must have.
    - `duration_seconds`: what is shown. `hidden_head_seconds`: in the file before it, not shown.
    - `frames`, `audio_frames`: samples in the file, hidden ones and silence included;
      `silence_frames`: how many of the latter were made here.
    - `audio`: whether any sound is real.
    """

    header: bytes
    extents: Sequence[Extent]
    sources: Sequence[Source]
    size_bytes: int
    duration_seconds: float
    hidden_head_seconds: float
    frames: int
    audio_frames: int
    silence_frames: int
    audio: bool
    width: int
    height: int
    spans: tuple[Span, ...]
    pauses: tuple[Pause, ...]

    def extents_of(self, start: int, end: int) -> Iterator[Extent]:
        """The parts of bytes [start, end) of the movie, header included as data."""
        raise NotImplementedError


class NothingToShow(Exception):
    """No picture in the window, nor one before it that could stand in."""


class Incompatible(Exception):
    """Runs that can't stand in one MP4 without re-encoding.

    `widest` is the longest stretch of consecutive runs that can.
    """

    def __init__(self, detail: str, widest: Sequence[Run]) -> None:
        self.widest = tuple(widest)
        super().__init__(detail)


def plan(
    runs: Sequence[Run],
    cut: Cut = "precise",
    *,
    gaps: Gaps = "skip",
    title: str | None = None,
    created_at: datetime | None = None,
) -> Movie:
    """Plan the MP4 of `runs`, in order of time.

    `segment` takes every fragment that the window touches, whole. `precise` begins at the first
    picture that starts inside the window (what lies between it and its keyframe is in the file but
    hidden by an edit list) and holds nothing that came after the window's end.

    `gaps`: the time between two runs is left out, or kept as still picture and silence.
    `created_at` stands in the file's header; it defaults to the first shown picture's wall clock,
    so that one window always gives the same bytes.

    Raises Incompatible, NothingToShow; ValueError for runs out of order or an empty window.
    """
    raise NotImplementedError

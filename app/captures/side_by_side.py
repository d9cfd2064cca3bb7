"""Clips of one moment in one film, in step: where each is in the picture, and when. Pure.

The first clip is heard, or the first that has sound if it has none: of several that are heard at
once nothing is understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from app.captures.rendition_kinds import KINDS, fitted
from app.clips import play_time
from app.models import ClipRow, RenditionFormat

RATE = 30
"""Pictures a second."""
MOST_PAUSES = 500
"""Of all clips of a film: some 110 bytes each in an argument of ffmpeg's, which has 128 KiB."""
_COLUMNS = 2
_AWAY = 0.001
"""Seconds: a picture that is this near to a pause is after it."""


@dataclass(frozen=True)
class LeftOut:
    """What a clip leaves out: where in its play time, and for how long, in seconds."""

    at: float
    seconds: float


@dataclass(frozen=True)
class Cell:
    """A clip's place: `left`, `top` in pixels; [begin, end) in seconds of the film."""

    left: int
    top: int
    begin: float
    end: float
    pauses: tuple[LeftOut, ...]

    @property
    def moved(self) -> str:
        """ffmpeg's words for when in the film a picture, or sound, of the clip is."""
        later = "".join(f"+gte(T,{p.at - _AWAY:.6f})*{p.seconds:.6f}" for p in self.pauses)
        return f"PTS+({self.begin:.6f}{later})/TB"

    @property
    def blank(self) -> str:
        """ffmpeg's words for whether there is nothing of the clip at an instant of the film."""
        parts = [f"lt(t,{self.begin:.6f})", f"gte(t,{self.end:.6f})"]
        passed = self.begin
        for pause in self.pauses:
            start = passed + pause.at
            passed += pause.seconds
            parts.append(f"gte(t,{start:.6f})*lt(t,{start + pause.seconds - _AWAY:.6f})")
        return "+".join(parts)


@dataclass(frozen=True)
class Arrangement:
    """A film of some clips: `width`, `height` of the place of each. `heard`: which is."""

    cells: tuple[Cell, ...]
    width: int
    height: int
    seconds: float
    heard: int

    @property
    def pauses(self) -> int:
        """How many the clips leave out."""
        return sum(len(cell.pauses) for cell in self.cells)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the film's pictures."""
        return (
            max(cell.left for cell in self.cells) + self.width,
            max(cell.top for cell in self.cells) + self.height,
        )


def plan(clips: Sequence[ClipRow]) -> Arrangement:
    """The film of some clips. No place is larger than it need be for any clip as it is."""
    rows = ceil(len(clips) / _COLUMNS)
    kind = KINDS[RenditionFormat.SIDE_BY_SIDE]
    room = kind.width // _COLUMNS, kind.height // rows
    sizes = [fitted(clip, *room) for clip in clips]
    width, height = max(size[0] for size in sizes), max(size[1] for size in sizes)
    first = min(play_time.begin(clip) for clip in clips)
    cells: list[Cell] = []
    for place, clip in enumerate(clips):
        pauses = tuple(_pauses(clip))
        begin = (play_time.begin(clip) - first).total_seconds()
        end = begin + clip["duration_seconds"] + sum(pause.seconds for pause in pauses)
        row, column = divmod(place, _COLUMNS)
        cells.append(Cell(column * width, row * height, begin, end, pauses))
    heard = next((place for place, clip in enumerate(clips) if clip["audio"]), 0)
    return Arrangement(tuple(cells), width, height, max(cell.end for cell in cells), heard)


def _pauses(clip: ClipRow) -> list[LeftOut]:
    found: list[LeftOut] = []
    played, at = 0.0, play_time.begin(clip)
    for gap in play_time.left_out(clip):
        played += (gap["start"] - at).total_seconds()
        at = gap["end"]
        found.append(LeftOut(played, (at - gap["start"]).total_seconds()))
    return found

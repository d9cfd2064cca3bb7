"""Sprite sheets: many small pictures in one, and the WebVTT index that finds them. Pure.

The index is what video players take for the pictures above their seek bar: each cue's text is the
URL of the sheet with `#xywh=`, the place of one picture in it (Media Fragments URI 1.0, 4.2.2).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

TILE = (160, 160)
"""What a tile fits into. Nearly all are 160 wide and less high, as screens are."""
POSTER = (640, 640)
"""What a poster fits into."""
MAX_TILES = 320
"""Ten minutes of segments of 2 s, and one more at either end."""
_COLUMNS = 20


@dataclass(frozen=True, slots=True)
class Grid:
    """Places for `tiles` pictures of `width` x `height` pixels, row by row from the upper left."""

    tiles: int
    width: int
    height: int

    @property
    def columns(self) -> int:
        return min(self.tiles, _COLUMNS)

    @property
    def sheet_width(self) -> int:
        return self.columns * self.width

    @property
    def sheet_height(self) -> int:
        return -(-self.tiles // self.columns) * self.height

    def place(self, tile: int) -> tuple[int, int]:
        """The upper left corner of a tile, in pixels."""
        row, column = divmod(tile, self.columns)
        return column * self.width, row * self.height


@dataclass(frozen=True, slots=True)
class Cue:
    """The tile that stands for the seconds [start, end)."""

    start_seconds: float
    end_seconds: float
    tile: int


def fitted(width: int, height: int, into: tuple[int, int] = TILE) -> tuple[int, int]:
    """The size of a picture of `width` x `height` made to fit, never larger than it was.

    Even, since colour is stored for squares of four pixels, and at least 2.
    """
    scale = min(1.0, into[0] / width, into[1] / height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def index(grid: Grid, cues: Iterable[Cue], sheet_url: str, note: str = "") -> str:
    """The text of the WebVTT index. `note`: a comment at its beginning, in one line."""
    parts = ["WEBVTT"]
    if note:
        parts.append(f"NOTE {note}")
    for cue in cues:
        x, y = grid.place(cue.tile)
        parts.append(
            f"{_shown(cue.start_seconds)} --> {_shown(cue.end_seconds)}\n"
            f"{sheet_url}#xywh={x},{y},{grid.width},{grid.height}"
        )
    return "\n\n".join(parts) + "\n"


def _shown(seconds: float) -> str:
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}"

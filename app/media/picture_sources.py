"""What pictures are made of, and where it lies. Those who ask for one need no decoder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from app.media.sprites import Grid


class NoPicture(Exception):
    """The bytes are not what a decoder makes a picture of."""


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """An IDR sample: when it is shown, and its bytes' place in the file."""

    seconds: float
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class KeyFrameIndex:
    """What a movie shows: its length, size and key frames in order of time.

    `keys` is empty if the movie begins behind its only key frame. `avcc`: for the decoder.
    """

    seconds: float
    width: int
    height: int
    avcc: bytes
    keys: tuple[KeyFrame, ...]


@dataclass(frozen=True, slots=True)
class Tile:
    """A key frame to draw: `size_bytes` at `offset` of the file `source`, an IDR under `avcc`.

    `kept`: a file that holds the tile once it was drawn, for the next sheet; it goes with `source`.
    """

    number: int
    source: str
    offset: int
    size_bytes: int
    avcc: str
    kept: str | None = None


def sheet_plan(grid: Grid, tiles: Iterable[Tile]) -> bytes:
    """What the program `app.media.sheets` reads."""
    return json.dumps({"grid": asdict(grid), "tiles": [asdict(tile) for tile in tiles]}).encode()

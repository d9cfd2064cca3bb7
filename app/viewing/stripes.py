"""What a buffer's sprite sheet shows: stretches of sessions, one tile for each segment. Pure.

A sheet is named by its contents, not by a window. A window moves on, and its oldest segments are
deleted. The pictures whose places an index has given must not move with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.media.sprites import MAX_TILES, Cue, Grid, fitted
from app.models import SegmentRow

_STRIPE = re.compile(r"([0-9a-f]{8}-[0-9a-f]{24})\.(\d{1,9})-(\d{1,9})", re.ASCII)
_JOINED = timedelta(seconds=0.2)
"""What lies closer together than this has no segment between it."""


@dataclass(frozen=True, slots=True)
class Stripe:
    """Segments `first` to `last` of a session, by sequence."""

    session_id: str
    first: int
    last: int

    def tiles(self, every: int) -> int:
        return self.last // every - self.first // every + 1

    def ends(self, every: int) -> list[tuple[str, str]]:
        """For each tile the ids of the first and the last segment that it stands for."""
        tiles = range(self.first // every, self.last // every + 1)
        return [
            (
                f"{self.session_id}:{max(self.first, tile * every)}",
                f"{self.session_id}:{min(self.last, tile * every + every - 1)}",
            )
            for tile in tiles
        ]


@dataclass(frozen=True, slots=True)
class Contents:
    """One tile for each segment of the stripes, or for each `every` of them; their size."""

    stripes: tuple[Stripe, ...]
    every: int
    width: int
    height: int

    @property
    def grid(self) -> Grid:
        tiles = sum(stripe.tiles(self.every) for stripe in self.stripes)
        return Grid(tiles, self.width, self.height)

    def tile_of(self, session_id: str, sequence: int) -> int:
        """The tile that stands for a segment. KeyError if the sheet holds none."""
        before = 0
        for stripe in self.stripes:
            if stripe.session_id == session_id and stripe.first <= sequence <= stripe.last:
                return before + sequence // self.every - stripe.first // self.every
            before += stripe.tiles(self.every)
        raise KeyError(f"{session_id}:{sequence}")

    @property
    def text(self) -> str:
        """The stripes as a URL names them; `read` takes them back."""
        return ",".join(f"{each.session_id}.{each.first}-{each.last}" for each in self.stripes)


def read(text: str, every: int, width: int, height: int) -> Contents:
    """The contents that a URL names. ValueError if it is none of ours."""
    stripes = []
    for part in text.split(","):
        found = _STRIPE.fullmatch(part)
        if found is None or int(found[2]) > int(found[3]):
            raise ValueError(f"tiles={part[:80]!r} is not what an index of ours names")
        stripes.append(Stripe(found[1], int(found[2]), int(found[3])))
    contents = Contents(tuple(stripes), every, width, height)
    if contents.grid.tiles > MAX_TILES:
        raise ValueError(f"{contents.grid.tiles} tiles are more than the {MAX_TILES} of a sheet")
    return contents


def contents_of(*stretches: Sequence[SegmentRow]) -> Contents:
    """What the sheet of some segments holds: the rows of each stretch in order, at least one.

    What lies between two stretches is not on it. Tiles have the newest segment's shape; others are
    fitted into it.
    """
    stripes: dict[tuple[int, str], Stripe] = {}
    for number, rows in enumerate(stretches):
        for row in rows:
            known = stripes.get((number, row["session_id"]))
            first = known.first if known else row["sequence"]
            stripe = Stripe(row["session_id"], first, row["sequence"])
            stripes[number, row["session_id"]] = stripe
    every = 1
    while sum(stripe.tiles(every) for stripe in stripes.values()) > MAX_TILES:
        every += 1
    newest = stretches[-1][-1]
    width, height = fitted(newest["width"], newest["height"])
    return Contents(tuple(stripes.values()), every, width, height)


def cues(rows: Sequence[SegmentRow], contents: Contents, start: datetime) -> list[Cue]:
    """When each tile is shown, in seconds of the wall clock after `start`.

    Neighbours that share a tile share a cue. Where there is no media there is no cue.
    """
    found: list[Cue] = []
    previous: SegmentRow | None = None
    for row in rows:
        tile = contents.tile_of(row["session_id"], row["sequence"])
        begin = max(0.0, (row["start"] - start).total_seconds())
        end = (row["end"] - start).total_seconds()
        if found and previous is not None and row["start"] - previous["end"] < _JOINED:
            last = found.pop()
            if last.tile == tile:
                begin = last.start_seconds
            else:
                found.append(Cue(last.start_seconds, begin, last.tile))
        if begin < end:
            found.append(Cue(begin, end, tile))
        previous = row
    return found

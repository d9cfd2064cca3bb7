"""How much of the work on captures a process does at the same time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from app.captures.ffmpeg_process import Effort
from app.settings import Settings
from app.work.places import WorkPlaces
from app.work.turns import Turn, Turns

SHORT_PIXELS = 500_000_000
"""Of all pictures of a short encoding, at most: two groups of 2 s in 1080p60."""
BRIEF_SECONDS = 20.0
"""Which such a one takes on two slow cores that have more to do."""

_Done = TypeVar("_Done")


@dataclass(frozen=True)
class Slots:
    """For copying, and for encoding. A process has one set of them, and callers take turns.

    `short_pixels`: of an encoding, up to which it is a short one.
    """

    copies: Turns
    encodings: WorkPlaces
    short_pixels: int = SHORT_PIXELS

    @classmethod
    def of(cls, settings: Settings) -> Slots:
        """All free. One for short encodings, which wait for no long one; one for long ones, of
        which each takes every core there is, for minutes."""
        return cls(Turns(settings.captures_at_once), WorkPlaces(1, BRIEF_SECONDS))


@dataclass(frozen=True)
class CallersSlots:
    """The slots, for one caller. `source`: whose media is worked on, by its share."""

    slots: Slots
    caller: str
    source: str

    def copying(self) -> Turn:
        """A slot to copy in."""
        return self.slots.copies.turn(self.caller)

    async def encode(self, pixels: int, work: Callable[[Effort], Awaitable[_Done]]) -> _Done:
        """What `work` gives, done in a slot to encode in; begun anew if it proves long.

        `pixels`: of all pictures that are encoded.
        """
        is_short = pixels <= self.slots.short_pixels
        piece = self.slots.encodings.piece(self.caller, self.source, is_long=not is_short)
        return await piece.run(lambda stint: work(Effort(stint, is_short)))

"""How much of the work on captures a process does at the same time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar
from weakref import WeakValueDictionary

from app.captures.ffmpeg_process import Effort
from app.settings import Settings
from app.work.places import WorkPlaces
from app.work.turns import Turn, Turns

SHORT_PIXELS = 500_000_000
"""Of all pictures of a short encoding, at most: two groups of 2 s in 1080p60."""
BRIEF_SECONDS = 20.0
"""Which such a one takes on two slow cores that have more to do."""
MIDDLE_PIXELS = 4_000_000_000
"""Of all pictures of a middle encoding, neither short nor long, at most: 30 s of 1080p60."""
MIDDLE_SECONDS = 60.0
"""Which such a one takes at most while others wait for its place."""
FETCHED_OF_ONE = 2
"""Clips of one user that are worked on, with what is fetched of each where they lie elsewhere."""

_Done = TypeVar("_Done")


@dataclass(frozen=True)
class Slots:
    """For copying, and for encoding. A process has one set of them, and callers take turns.

    `short`, `middle`: for encodings of which each has a place of its own, and another one for what
    proves long there; what is known to be long is in that of the middle ones. `short_pixels`,
    `middle_pixels`: of an encoding, up to which it is such a one.
    """

    copies: Turns
    short: WorkPlaces
    middle: WorkPlaces
    short_pixels: int = SHORT_PIXELS
    middle_pixels: int = MIDDLE_PIXELS
    _fetches: WeakValueDictionary[str, Turns] = field(default_factory=WeakValueDictionary)

    @classmethod
    def of(cls, settings: Settings) -> Slots:
        """All free. A short encoding waits for no other one, and a middle one for no long one, of
        which each takes every core there is, for minutes."""
        return cls(
            copies=Turns(settings.captures_at_once),
            short=WorkPlaces(1, BRIEF_SECONDS),
            middle=WorkPlaces(1, MIDDLE_SECONDS),
        )

    def fetches_of(self, caller: str) -> Turns:
        """The turns to have a clip fetched that a caller takes among their own."""
        return self._fetches.setdefault(caller, Turns(FETCHED_OF_ONE))


@dataclass(frozen=True)
class CallersSlots:
    """The slots, for one caller. `source`: whose media is worked on, by its share."""

    slots: Slots
    caller: str
    source: str

    def copying(self) -> Turn:
        """A slot to copy in."""
        return self.slots.copies.turn(self.caller)

    def fetching(self) -> Turn:
        """A slot to fetch a clip in and to work on it, taken before any other one.

        It is held while the others are waited for, and so nobody else waits for it.
        """
        return self.slots.fetches_of(self.caller).turn(self.caller)

    async def encode(self, pixels: int, work: Callable[[Effort], Awaitable[_Done]]) -> _Done:
        """What `work` gives, done in a slot to encode in; begun anew if it proves long.

        `pixels`: of all pictures that are encoded.
        """
        is_short = pixels <= self.slots.short_pixels
        places = self.slots.short if is_short else self.slots.middle
        is_long = pixels > self.slots.middle_pixels
        piece = places.piece(self.caller, self.source, is_long=is_long)
        return await piece.run(lambda stint: work(Effort(stint, is_short)))

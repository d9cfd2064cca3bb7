"""Places for work whose length strangers decide: what was long once has one place for all of it.

How long a piece of work takes, and whether it ends the process that does it, is known when it has
happened. So at first it has its turn among all others'; but while others wait that is a brief one,
and whatever takes longer, or ends a process, makes its source a *suspect*. All suspects share one
place of their own, where work may take what it takes. So everybody else waits one brief turn for
each source that becomes a suspect, and no longer, however many there are and however long they go
on. Work that is known to be long is done in that place at once, and makes nobody a suspect.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from app import metrics
from app.models.metric_words import ErrorKind
from app.work.turns import Turn, Turns

ORDINARY = 3
BRIEF_SECONDS = 1.0
SUSPECT_SECONDS = 600.0
"""From the last offence on. Not so much good work: that may be done in no time."""

_Done = TypeVar("_Done")
log = structlog.get_logger()


class PutOff(Exception):
    """This stint is over and the work is not done: another one follows, in the suspects' place."""


class Stint:
    """What work is done in; `is_suspect`: in the suspects' place, and there is no other one.

    Made by itself it is an ordinary one, for whose place nobody waits.
    """

    def __init__(
        self,
        brief_seconds: float = BRIEF_SECONDS,
        *,
        is_suspect: bool = False,
        is_wanted: Callable[[], bool] = lambda: False,
    ) -> None:
        self.is_suspect = is_suspect
        self.is_blamed = False
        """Its source is a suspect from now on."""
        self._brief_seconds = brief_seconds
        self._is_wanted = is_wanted
        self._is_stopped = False

    def may_go_on(self, seconds: float) -> bool:
        """Whether work that has taken so many seconds may take more. Ask now and then.

        If it may not, end it and raise PutOff. A thread may ask, too.
        """
        is_long = seconds >= self._brief_seconds
        if is_long:
            self.blame()
        if self._is_stopped:
            return False
        return self.is_suspect or not is_long or not self._is_wanted()

    def blame(self) -> None:
        """The work takes long, or has ended its process; but not if it was stopped."""
        self.is_blamed = self.is_blamed or not self._is_stopped

    def stop(self) -> None:
        """Nobody wants the work any more."""
        self._is_stopped = True


class WorkPlaces:
    """`ordinary` places for all, and one for all suspects. Whose turn it is goes by users."""

    def __init__(
        self,
        ordinary: int = ORDINARY,
        brief_seconds: float = BRIEF_SECONDS,
        suspect_seconds: float = SUSPECT_SECONDS,
    ) -> None:
        self._turns = {False: Turns(ordinary), True: Turns()}
        self._brief_seconds = brief_seconds
        self._suspect_seconds = suspect_seconds
        self._until: dict[str, float] = {}
        """By source: until when it is a suspect."""

    def piece(self, user: str, source: str, *, is_long: bool = False) -> PieceOfWork:
        """A piece of work for a user, whose length `source` decides: `run` it, once.

        `is_long`: it is known to be.
        """
        return PieceOfWork(self, user, source, is_long=is_long)

    def suspects(self, source: str) -> bool:
        """Whether a source is a suspect now."""
        return self._until.get(source, 0.0) > time.monotonic()

    def _blame(self, source: str) -> None:
        if not self.suspects(source):
            metrics.ERRORS.labels(ErrorKind.SOURCE_SUSPECTED).inc()
            log.warning("source_suspected", source=source, seconds=self._suspect_seconds)
        now = time.monotonic()
        self._until = {each: until for each, until in self._until.items() if until > now}
        self._until[source] = now + self._suspect_seconds


class PieceOfWork:
    """One piece of work, which several users may wait for: see `Turn`."""

    def __init__(self, places: WorkPlaces, user: str, source: str, *, is_long: bool) -> None:
        self._places = places
        self._is_long = is_long
        self._users = [user]
        self._source = source
        self._turn: Turn | None = None

    def also_for(self, user: str) -> None:
        """Lets another user wait for it, too."""
        if user not in self._users:
            self._users.append(user)
        if self._turn is not None:
            self._turn.also_for(user)

    async def run(self, work: Callable[[Stint], Awaitable[_Done]]) -> _Done:
        """What `work` gives: in its first stint, or in a second one if that raises PutOff."""
        places, source = self._places, self._source
        if not (self._is_long or places.suspects(source)):
            async with self._next_turn(is_suspect=False):
                if not places.suspects(source):  # after what became of its other work meanwhile
                    try:
                        return await self._work(work, is_suspect=False)
                    except PutOff:
                        pass
        async with self._next_turn(is_suspect=True):
            return await self._work(work, is_suspect=True)

    def _next_turn(self, *, is_suspect: bool) -> Turn:
        self._turn = self._places._turns[is_suspect].turn(self._users[0])
        for user in self._users[1:]:
            self._turn.also_for(user)
        return self._turn

    async def _work(self, work: Callable[[Stint], Awaitable[_Done]], *, is_suspect: bool) -> _Done:
        places = self._places
        turns = places._turns[is_suspect]
        stint = Stint(
            places._brief_seconds,
            is_suspect=is_suspect,
            is_wanted=lambda: turns.wanted_by_others(self._users),
        )
        try:
            return await work(stint)
        finally:
            if stint.is_blamed and not self._is_long:
                places._blame(self._source)

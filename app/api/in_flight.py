"""How many requests are worked on at once, so that nobody's keep others' waiting.

A bucket bounds how many come, not how many come together: twenty connections of one user could have
the stores do twenty of their costly reads while everybody else waits for all of these.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from weakref import WeakValueDictionary

from app.api.token_buckets import Cost
from app.errors import TooManyRequests
from app.work.turns import Turns

AT_ONCE = 4
"""Of one user, of pictures and of all else. A browser has six connections."""
NAMELESS_AT_ONCE = 4
"""Of all who show no name, such as those who follow a link; each address has its turns."""
WAITING = 32
"""Requests that wait for those of the same user, or address: each holds a connection."""
_RETRY_SECONDS = 1
_PICTURES = frozenset({Cost.POSTER, Cost.PICTURE})
"""Some wait long to be drawn, and nothing else of their user's is to wait for them."""


class InFlight:
    """The requests that a process works on. What is sent of an answer is none of it."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._places: WeakValueDictionary[tuple[bool, str], Turns] = WeakValueDictionary()
        self._nameless = Turns(NAMELESS_AT_ONCE)
        self._reading = Turns()

    def place(self, cost: Cost, user: str) -> AbstractAsyncContextManager[None]:
        """A place for a user's request: `async with` it. Their first come is the first in.

        Raises TooManyRequests if too many of theirs wait.
        """
        key = (cost in _PICTURES, user)
        turns = self._places.get(key)
        if turns is None:
            turns = self._places[key] = Turns(self._at_once)
        return _place(turns, cost, user)

    def nameless_place(self, cost: Cost, address: str) -> AbstractAsyncContextManager[None]:
        """A place for a request that shows no name, in the turn of those of its address.

        Raises TooManyRequests if too many of these wait.
        """
        return _place(self._nameless, cost, address)

    def reading(self, key: str) -> AbstractAsyncContextManager[None]:
        """The turn in which a webhook is read that this key has signed: one after another.

        However many come at the same moment, one round of the event loop has no more than one.
        """
        return self._reading.turn(key)


def _place(turns: Turns, cost: Cost, whose: str) -> AbstractAsyncContextManager[None]:
    if cost is Cost.FREE:
        return nullcontext()
    waiting = turns.waiting(whose)
    if waiting >= WAITING:
        raise TooManyRequests(
            f"{waiting} requests of yours wait already: wait for their answers",
            retry_after=_RETRY_SECONDS,
            limit=WAITING,
        )
    return turns.turn(whose)

"""How many of one user's requests are worked on at once: their others wait, and nobody else's do.

A bucket bounds how many come, not how many come together: twenty connections of one user could have
the stores do twenty of their costly reads while everybody else waits for all of these.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from weakref import WeakValueDictionary

from app.api.token_buckets import Cost

AT_ONCE = 4
"""Of one user and class of cost. A browser has six connections."""
_BOUNDED = frozenset({Cost.MEDIA, Cost.WINDOW, Cost.READ, Cost.WRITE})
"""Pictures are drawn in turns of their own: see `app.viewing.drawing`."""


class InFlight:
    """The requests that a process works on. What is sent of an answer is none of it."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._places: WeakValueDictionary[tuple[Cost, str], asyncio.Semaphore] = (
            WeakValueDictionary()
        )

    def place(self, cost: Cost, user: str) -> AbstractAsyncContextManager[None]:
        """A place for one request: `async with` it. Of one user the first come is the first in."""
        if cost not in _BOUNDED:
            return nullcontext()
        places = self._places.get((cost, user))
        if places is None:
            places = self._places[cost, user] = asyncio.Semaphore(self._at_once)
        return places

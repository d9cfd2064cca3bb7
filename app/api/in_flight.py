"""How many requests are worked on at once, so that nobody's keep others' waiting.

A bucket bounds how many come, not how many come together: twenty connections of one user could have
the stores do twenty of their costly reads while everybody else waits for all of these.

Pictures may take long to be drawn, and files to be found where clips are kept. So each of these has
places of its own, and what takes milliseconds waits for none of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from enum import Enum, auto
from weakref import WeakValueDictionary

from app.api.token_buckets import Cost
from app.errors import TooManyRequests
from app.work.turns import Turns

AT_ONCE = 2
"""Of one user, of each kind: the embedded database does one thing at a time, for everybody. A
browser has six connections."""
NAMELESS_AT_ONCE = 4
"""Of each kind, of all who show no name, such as those who follow a link; addresses in turn."""
LINK_AT_ONCE = 2
"""Of these, pictures or files that one link opens: other links' come beside them."""
WAITING = 32
"""Requests that wait for those of the same user, or address: each holds a connection."""
_RETRY_SECONDS = 1


class _Kind(Enum):
    PICTURE = auto()
    FILE = auto()
    OTHER = auto()


_KINDS = {Cost.POSTER: _Kind.PICTURE, Cost.PICTURE: _Kind.PICTURE, Cost.MEDIA: _Kind.FILE}


class InFlight:
    """The requests that a process works on. What is sent of an answer is none of it."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._users: WeakValueDictionary[tuple[_Kind, str], Turns] = WeakValueDictionary()
        self._links: WeakValueDictionary[tuple[_Kind, str], Turns] = WeakValueDictionary()
        self._nameless = {kind: Turns(NAMELESS_AT_ONCE) for kind in _Kind}
        self._reading = Turns()

    def place(
        self, cost: Cost, user: str, address: str | None = None
    ) -> AbstractAsyncContextManager[None]:
        """A place for a user's request: `async with` it. Their first come is the first in.

        `address`: of one that anybody may have sent, where it came from; addresses then have their
        turns. Raises TooManyRequests if too many of theirs wait.
        """
        turns = _turns(self._users, (_kind(cost), user), self._at_once)
        return _place([turns], cost, user if address is None else address)

    def nameless_place(
        self, cost: Cost, address: str, link: str | None = None
    ) -> AbstractAsyncContextManager[None]:
        """A place for a request that shows no name, in the turn of those of its address.

        `link`: the secret of the link that it follows, if it does. Raises TooManyRequests if too
        many of these wait.
        """
        kind = _kind(cost)
        lines = [self._nameless[kind]]
        if link is not None and kind is not _Kind.OTHER:
            lines.insert(0, _turns(self._links, (kind, link), LINK_AT_ONCE))
        return _place(lines, cost, address)

    def reading(self, key: str) -> AbstractAsyncContextManager[None]:
        """The turn in which a webhook is read that this key has signed: one after another.

        However many come at the same moment, one round of the event loop has no more than one.
        """
        return self._reading.turn(key)


def _kind(cost: Cost) -> _Kind:
    return _KINDS.get(cost, _Kind.OTHER)


def _turns(
    known: WeakValueDictionary[tuple[_Kind, str], Turns], key: tuple[_Kind, str], at_once: int
) -> Turns:
    turns = known.get(key)
    if turns is None:
        turns = known[key] = Turns(at_once)
    return turns


def _place(lines: Sequence[Turns], cost: Cost, whose: str) -> AbstractAsyncContextManager[None]:
    """A place in each of these lines, one after another."""
    if cost is Cost.FREE:
        return nullcontext()
    waiting = sum(turns.waiting(whose) for turns in lines)
    if waiting >= WAITING:
        raise TooManyRequests(
            f"{waiting} requests of yours wait already: wait for their answers",
            retry_after=_RETRY_SECONDS,
            limit=WAITING,
        )
    return _in_turn(lines, whose)


@asynccontextmanager
async def _in_turn(lines: Sequence[Turns], whose: str) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for turns in lines:
            await stack.enter_async_context(turns.turn(whose))
        yield

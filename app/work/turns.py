"""Turns: who does something costly now, among users who all want to, in this process.

After one user's turn comes another's, however many more the first one waits for.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Collection
from types import TracebackType

_Waiter = asyncio.Future[None]
Lines = OrderedDict[str, deque[_Waiter]]
"""By user, or whatever else has turns, those who wait; the next one's line first, none empty."""


def first_of(lines: Lines) -> tuple[str, _Waiter]:
    """Takes the first who waits of the user whose turn is next; their line is the last then."""
    user, line = lines.popitem(last=False)
    waiter = line.popleft()
    if line:
        lines[user] = line
    return user, waiter


class Turns:
    """`places` turns at the same time; users who wait for one have theirs one after another."""

    def __init__(self, places: int = 1) -> None:
        self._free = places
        self._lines: Lines = OrderedDict()
        """Those who wait while no place is free. Some are done with."""

    def turn(self, user: str) -> Turn:
        """A turn of a user: `async with` it, once."""
        return Turn(self, user)

    def waiting(self, user: str) -> int:
        """How many turns a user waits for."""
        return sum(not waiter.done() for waiter in self._lines.get(user, ()))

    def wanted_by_others(self, users: Collection[str]) -> bool:
        """Whether anybody else than these users waits, or did and gave up. A thread may ask."""
        return any(user not in users for user in list(self._lines))  # list() is a single step

    def _wait(self, users: list[str]) -> asyncio.Future[None]:
        """What is done when the first of these users has a turn."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._free:
            self._free -= 1
            waiter.set_result(None)
        else:
            for user in users:
                self._join(user, waiter)
        return waiter

    def _join(self, user: str, waiter: asyncio.Future[None]) -> None:
        self._lines.setdefault(user, deque()).append(waiter)

    def _end(self, had: list[str]) -> None:
        """Gives the place of those who had a turn to somebody else, or to them if nobody waits."""
        for user in had:
            if user in self._lines:
                self._lines.move_to_end(user)
        while self._lines:
            user, waiter = first_of(self._lines)
            if not waiter.done():
                waiter.set_result(None)
                return
            if user in self._lines:
                self._lines.move_to_end(user, last=False)
        self._free += 1


class Turn:
    """One turn, which several users may wait for: it comes when it is the turn of any of them."""

    def __init__(self, turns: Turns, user: str) -> None:
        self._turns = turns
        self._users = [user]
        self._waiter: asyncio.Future[None] | None = None

    def also_for(self, user: str) -> None:
        """Lets another user wait for it, too."""
        if user in self._users:
            return
        self._users.append(user)
        if self._waiter is not None and not self._waiter.done():
            self._turns._join(user, self._waiter)

    async def __aenter__(self) -> None:
        self._waiter = self._turns._wait(self._users)
        try:
            await self._waiter
        except asyncio.CancelledError:
            if not self._waiter.cancelled():  # it came at this very moment
                self._turns._end(self._users)
            raise

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._turns._end(self._users)

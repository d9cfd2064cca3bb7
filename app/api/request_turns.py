"""When requests begin: nobody's keep LiveKit's, or those of other addresses, waiting for long.

A thousand connections may ask at the same moment. If all of that began at once, every round of the
event loop would have a part of each, and the next one would wait for all of them. So only a
few begin in one round, one address after another; what LiveKit has signed begins at once.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from app.work.parties import party
from app.work.turns import Lines, first_of

AT_ONCE = 4
"""Requests that begin in one round. Each takes up to a millisecond, a webhook some ten rounds."""


class RequestTurns:
    """Lets a request begin when it has its turn. `goes_first`: which need none."""

    def __init__(
        self, app: ASGIApp, goes_first: Callable[[Scope], bool], at_once: int = AT_ONCE
    ) -> None:
        self.app = app
        self._goes_first = goes_first
        self._at_once = at_once
        self._begun = 0
        self._is_due = False
        self._lines: Lines = OrderedDict()
        """By address: the requests that wait."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._goes_first(scope):
            await self._turn(party(scope["client"][0]) if scope.get("client") else "")
        await self.app(scope, receive, send)

    async def _turn(self, address: str) -> None:
        self._want_round()
        if self._begun < self._at_once and not self._lines:
            self._begun += 1
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(address, deque()).append(waiter)
        await waiter

    def _want_round(self) -> None:
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._round)

    def _round(self) -> None:
        """What the event loop does once in each of its rounds while requests come."""
        self._is_due, self._begun = False, 0
        while self._lines and self._begun < self._at_once:
            _, waiter = first_of(self._lines)
            if not waiter.done():
                waiter.set_result(None)
                self._begun += 1
        if self._begun or self._lines:
            self._want_round()

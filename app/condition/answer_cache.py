"""An answer that is dear to find, and so is found once for all who ask within a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Cached = TypeVar("Cached")


class AnswerCache(Generic[Cached]):
    """The newest answer of `find`, which runs once at a time.

    `pause_seconds(answer, took_seconds)`: how long an answer serves from when it was found.
    """

    def __init__(
        self, find: Callable[[], Awaitable[Cached]], pause_seconds: Callable[[Cached, float], float]
    ) -> None:
        self._find, self._pause_seconds = find, pause_seconds
        self._finding = asyncio.Lock()
        self._fresh_until = 0.0
        self._answer: Cached | None = None

    async def read(self) -> Cached:
        """An answer that still serves, or one found now. Raises what `find` raises."""
        async with self._finding:
            if self._answer is None or time.monotonic() >= self._fresh_until:
                began = time.monotonic()
                self._answer = await self._find()
                ended = time.monotonic()
                self._fresh_until = ended + self._pause_seconds(self._answer, ended - began)
            return self._answer

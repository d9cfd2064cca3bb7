"""Whether clips that are being sent may be sent on: looked at once for all that one reader gets.

Each answer asks every second, and one reader, or link, may have hundreds under way.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import Generic

from app.access.tokens import Caller
from app.clips import file_openness
from app.clips.file_openness import ByLink, ByRight, SentFile
from app.context import Context
from app.lru_cache import LruCache

KNOWN_SECONDS = 3.0
"""How long a clip may be sent on that was deleted, or is shown no more."""
_UNDER_WAY_SECONDS = 10.0
"""For so long after it was asked for something is taken to be under way."""
_MOST = 10_000


class FileLook(Generic[SentFile]):
    """Which of what is under way may be sent on, looked for at once, once in `known_seconds`.

    What comes meanwhile is looked for by itself, once. `find` is given some, and gives those of
    them that may be sent on.
    """

    def __init__(
        self,
        find: Callable[[Collection[SentFile]], Awaitable[Collection[SentFile]]],
        known_seconds: float = KNOWN_SECONDS,
    ) -> None:
        self._find, self._known_seconds = find, known_seconds
        self._looking = asyncio.Lock()
        self._asked_at: dict[SentFile, float] = {}
        self._known: dict[SentFile, bool] = {}
        self._fresh_until = 0.0

    async def read(self, asked: SentFile) -> bool:
        """Whether this may be sent on. Raises what `find` raises."""
        async with self._looking:
            now = time.monotonic()
            self._asked_at[asked] = now
            if now >= self._fresh_until:
                oldest = now - _UNDER_WAY_SECONDS
                self._asked_at = {a: at for a, at in self._asked_at.items() if at >= oldest}
                found = await self._find([*self._asked_at])
                self._known = {each: each in found for each in self._asked_at}
                self._fresh_until = time.monotonic() + self._known_seconds
            elif asked not in self._known:
                self._known[asked] = asked in await self._find([asked])
            return self._known[asked]


class OpenFiles:
    """Asks the database, at most once in KNOWN_SECONDS for each caller, for all signatures, and for
    all links."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._by_link = FileLook[ByLink](partial(file_openness.by_link, ctx))
        self._by_right = LruCache[FileLook[ByRight]](_MOST)

    async def by_link(self, file_id: str, secret: str) -> bool:
        """Whether the link goes on to open the file."""
        return await self._by_link.read((file_id, secret))

    async def by_right(self, file_id: str, caller: Caller | None, grant: int | None) -> bool:
        """Whether the caller, or a signature for that grant, goes on to open the file."""
        look = self._by_right.get(repr(caller))
        if look is None:
            look = FileLook[ByRight](partial(file_openness.by_right, self._ctx, caller))
            self._by_right.put(repr(caller), look)
        return await look.read((file_id, grant))

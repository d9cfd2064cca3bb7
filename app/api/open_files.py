"""Whether clips that are being sent may be sent on: looked at once for all that one reader gets.

Each answer asks every second, and one reader, or link, may have hundreds under way.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine
from functools import partial
from typing import Any, Generic

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

    What comes meanwhile is looked for by itself, once, and waits for nobody else's look. `find` is
    given some, and gives those of them that may be sent on.
    """

    def __init__(
        self,
        find: Callable[[Collection[SentFile]], Awaitable[Collection[SentFile]]],
        known_seconds: float = KNOWN_SECONDS,
    ) -> None:
        self._find, self._known_seconds = find, known_seconds
        self._asked_at: dict[SentFile, float] = {}
        self._known: dict[SentFile, bool] = {}
        self._looks: dict[SentFile, asyncio.Task[Collection[SentFile]]] = {}
        self._fresh_until = 0.0

    async def read(self, asked: SentFile) -> bool:
        """Whether this may be sent on. Raises what `find` raises."""
        now = time.monotonic()
        self._asked_at[asked] = now
        if now >= self._fresh_until:
            oldest = now - _UNDER_WAY_SECONDS
            self._asked_at = {a: at for a, at in self._asked_at.items() if at >= oldest}
            self._known, self._fresh_until = {}, math.inf  # until this look has ended
            self._begin([*self._asked_at], self._look_again)
        elif asked in self._known:
            return self._known[asked]
        elif asked not in self._looks:
            self._begin([asked], self._look)
        return asked in await asyncio.shield(self._looks[asked])

    def _begin(
        self,
        some: Collection[SentFile],
        look: Callable[[Collection[SentFile]], Coroutine[Any, Any, Collection[SentFile]]],
    ) -> None:
        # Of no request, though one of them began it: whoever gives up leaves it to the others.
        task = asyncio.create_task(look(some), context=contextvars.Context())
        self._looks |= dict.fromkeys(some, task)

    async def _look_again(self, some: Collection[SentFile]) -> Collection[SentFile]:
        fresh_until = 0.0
        try:
            found = await self._look(some)
            fresh_until = time.monotonic() + self._known_seconds
        finally:
            self._fresh_until = fresh_until
        return found

    async def _look(self, some: Collection[SentFile]) -> Collection[SentFile]:
        me, own = asyncio.current_task(), list[SentFile]()
        try:
            found = await self._find(some)
        finally:
            # What a later look is about to tell is left to that.
            own += (each for each in some if self._looks.get(each) is me)
            for each in own:
                del self._looks[each]
        self._known |= {each: each in found for each in own}
        return found


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

"""Whether clips that are being sent may be sent on: looked at once for all answers that are alike.

Each answer asks every second, and one link may have hundreds under way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from app.access.tokens import Caller
from app.clips import library, sharing
from app.condition.answer_cache import AnswerCache
from app.context import Context
from app.lru_cache import LruCache

KNOWN_SECONDS = 3.0
"""How long a clip may be sent on that was deleted, or is shown no more."""
_MOST = 10_000


class OpenFiles:
    """Asks the database, at most once in KNOWN_SECONDS for each file and whoever may have it."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._known = LruCache[AnswerCache[bool]](_MOST)

    async def by_link(self, file_id: str, secret: str) -> bool:
        """Whether the link goes on to open the file."""
        look = partial(sharing.is_open, self._ctx, file_id, secret)
        return await self._look(f"{file_id}\0{secret}", look)

    async def by_right(self, file_id: str, caller: Caller | None, grant: int | None) -> bool:
        """Whether the caller, or a signature for that grant, goes on to open the file."""
        look = partial(library.is_open, self._ctx, caller, file_id, grant)
        return await self._look(f"{file_id}\0{caller!r}\0{grant}", look)

    async def _look(self, name: str, look: Callable[[], Awaitable[bool]]) -> bool:
        known = self._known.get(name)
        if known is None:
            known = AnswerCache(look, lambda _answer, _seconds: KNOWN_SECONDS)
            self._known.put(name, known)
        return await known.read()

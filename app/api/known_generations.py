"""The generations of people's rights as this process knows them: a few seconds old at most."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable

from app.access import generations
from app.access.generations import Generations
from app.context import Context
from app.lru_cache import LruCache

KNOWN_SECONDS = 3.0
"""How long what was ended may go on in a process that knew it."""
_MOST = 10_000


class KnownGenerations:
    """Asks the database, at most once in some seconds for each person."""

    def __init__(self, ctx: Context, seconds: float = KNOWN_SECONDS) -> None:
        self._ctx = ctx
        self._seconds = seconds
        self._known = LruCache[tuple[float, Generations]](_MOST)

    async def of(self, identity: str) -> Generations:
        """Those of somebody."""
        return (await self.of_all([identity]))[identity]

    async def of_all(self, identities: Collection[str]) -> dict[str, Generations]:
        """The generations of several people."""
        names = {identity: f"identity:{identity}" for identity in identities}
        known = {each: self._fresh(name) for each, name in names.items()}
        unknown = [each for each, found in known.items() if found is None]
        if unknown:
            ctx, began = self._ctx, time.monotonic()
            asked = generations.of_identities(ctx.store, ctx.settings, ctx.instance, unknown)
            for each, found in (await asked).items():
                self._known.put(names[each], (began, found))
                known[each] = found
        return {each: found for each, found in known.items() if found is not None}

    async def of_holder(self, holder: str) -> Generations:
        """The generations of the user whom a URL names."""
        name = f"holder:{holder}"
        found = self._fresh(name)
        if found is None:
            began = time.monotonic()
            found = await generations.of_holder(self._ctx.store, holder)
            self._known.put(name, (began, found))
        return found

    def forget(self, identities: Iterable[str]) -> None:
        """Asks anew for these people: something of theirs was ended here."""
        ctx = self._ctx
        for each in identities:
            self._known.drop(f"identity:{each}")
            for holder in generations.holders(ctx.settings, ctx.instance, each):
                self._known.drop(f"holder:{holder}")

    def _fresh(self, name: str) -> Generations | None:
        known = self._known.get(name)
        return known[1] if known and time.monotonic() - known[0] < self._seconds else None

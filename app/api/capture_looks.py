"""Looks at captures again and again, for everybody in this process who follows one.

One look serves all followers. Without a follower there are no looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from contextvars import Context

from app import context
from app.models import CaptureRow
from app.models.schema import Capture

EVERY_SECONDS = 0.2


class CaptureLooks:
    """The looking of one process. `seconds`: between two looks."""

    def __init__(self, ctx: context.Context, seconds: float = EVERY_SECONDS) -> None:
        self._ctx = ctx
        self._seconds = seconds
        self._wanted = set[str]()
        self._next: asyncio.Task[Mapping[str, CaptureRow]] | None = None

    async def next(self, capture_id: str) -> CaptureRow | None:
        """A capture at the next look; None if it is gone. Raises PyMongoError."""
        self._wanted.add(capture_id)
        if self._next is None or self._next.done():
            # Of no request, though one of them began it: its log lines are nobody's.
            self._next = asyncio.create_task(self._look(), context=Context())
        return (await asyncio.shield(self._next)).get(capture_id)

    async def close(self) -> None:
        """Ends the looking."""
        if self._next is not None:
            self._next.cancel()
            with suppress(asyncio.CancelledError):
                await self._next

    async def _look(self) -> Mapping[str, CaptureRow]:
        await asyncio.sleep(self._seconds)
        wanted, self._wanted, self._next = self._wanted, set(), None
        query = {"_id": {"$in": sorted(wanted)}}
        rows = await self._ctx.store.rows(Capture).find(query).to_list(None)
        return {row["_id"]: row for row in rows}

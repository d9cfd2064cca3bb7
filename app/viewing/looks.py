"""Looks at the buffers again and again, for everybody in this process who follows them.

One look serves all followers. Without a follower there are no looks.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import Context
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from pymongo.errors import PyMongoError

from app import context
from app.models import BufferRow, BufferState
from app.models.schema import Buffer
from app.viewing import stored_timelines
from app.viewing.timeline import Timeline
from app.work import rounds

EVERY_SECONDS = 1.0
COST_FACTOR = 4
"""A look that takes t seconds is followed by a pause of at least 4 t: a fifth of the time."""
AT_MOST = 200
"""Buffers of one follower."""
_SLIDE_SECONDS = 10
_FIELDS = dict.fromkeys(("room", "room_sid", "identity", "community", "since", "ended_at"), 1)

Sees = Callable[[BufferRow], bool]
"""Whether a buffer's row (its fields room, room_sid, identity, community) is followed."""

log = structlog.get_logger()


class BufferFollower:
    """A follower of the buffers that `sees` says. Another `sees` may be set later."""

    def __init__(self, looks: Looks, sees: Sees) -> None:
        self.sees = sees
        self._looks = looks
        self._number = looks.begun

    async def next(self, seconds: float) -> list[Timeline] | None:
        """The buffers of the newest look that was not given yet, newest share first.

        Those that have ended and hold nothing are left out. None if no look came within some
        seconds. Raises what ended the looking, unless it was an unreachable store.
        """
        look = await self._looks.after(self._number, seconds)
        if look is None:
            return None
        self._number = look.number
        return [line for line in look.lines if line.buffer_id in look.followed[self]]


@dataclass(frozen=True, slots=True)
class _Look:
    """The buffers, and of each follower the ids of those that are followed."""

    number: int
    lines: Sequence[Timeline]
    followed: Mapping[BufferFollower, frozenset[str]]


class Looks:
    """The looking of one process."""

    def __init__(self, ctx: context.Context) -> None:
        self.begun = 0
        """The number of the last look that was begun."""
        self._ctx = ctx
        self._followers: set[BufferFollower] = set()
        self._latest = _Look(0, (), {})
        self._came = asyncio.Event()
        self._asked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def followed(self, sees: Sees) -> Iterator[BufferFollower]:
        """A follower until the block ends; the first look for it begins soon."""
        follower = BufferFollower(self, sees)
        self._followers.add(follower)
        self._asked.set()
        if self._task is None or self._task.done():
            # Of no request, though one of them began it: its log lines are nobody's.
            self._task = asyncio.create_task(self._run(), context=Context())
        try:
            yield follower
        finally:
            self._followers.discard(follower)

    async def after(self, number: int, seconds: float) -> _Look | None:
        """The latest look, once its number is higher; None if it is not within some seconds."""
        deadline = time.monotonic() + seconds
        while self._latest.number <= number:
            came, left = self._came, deadline - time.monotonic()
            if self._task is not None and self._task.done():
                self._task.result()
            if left <= 0:
                return None
            with suppress(TimeoutError):
                await asyncio.wait_for(came.wait(), left)
        return self._latest

    async def close(self) -> None:
        """Ends the looking."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while self._followers:
            self._asked.clear()
            self.begun += 1
            began = time.monotonic()
            try:
                self._latest = await self._look(self.begun)
                self._came.set()
                self._came = asyncio.Event()
            except PyMongoError as error:
                # followers hear nothing meanwhile, and go on as soon as it is back
                log.warning("looking_without_store", error=str(error)[:300])
            took = time.monotonic() - began
            # Who comes new need not wait for its turn, only for the others' rest.
            await asyncio.sleep(COST_FACTOR * took)
            with suppress(TimeoutError):
                rest = max(0.0, EVERY_SECONDS - COST_FACTOR * took)
                await asyncio.wait_for(self._asked.wait(), rest)

    async def _look(self, number: int) -> _Look:
        followers = list(self._followers)
        rows = await self._ctx.store.rows(Buffer).find({}, _FIELDS).to_list(None)
        order = in_order([row for row in rows if _is_readable(row)])
        followed = {each: chosen(order, each.sees) for each in followers}
        ids = frozenset[str]().union(*followed.values())
        lines: list[Timeline] = []

        async def add(some: Sequence[str]) -> int:
            query: dict[str, object] = {"_id": {"$in": list(some)}}
            found = await stored_timelines.listing(
                self._ctx.store, query, datetime.now(UTC), self._ctx.settings, limit=len(some)
            )
            lines.extend(found)
            return len(found)

        with rounds.begun("look"):
            await rounds.together_or_alone("buffer", {each: [each] for each in ids}, add)
        lines.sort(key=lambda line: line.since, reverse=True)
        held = [line for line in lines if line.state != BufferState.ENDED or line.spans]
        return _Look(number, held, followed)


def _is_readable(row: BufferRow) -> bool:
    """Whether a row has what is chosen by: one that was altered is in nobody's way."""
    texts = [row.get(each) for each in ("room", "room_sid", "identity", "community")]
    has_texts = all(isinstance(text, str) for text in texts)
    return has_texts and isinstance(row.get("since"), datetime) and "ended_at" in row


def in_order(rows: Sequence[BufferRow]) -> list[BufferRow]:
    """Rows of buffers: those that go on first, then the newest."""
    newest = sorted(rows, key=lambda row: row["since"], reverse=True)
    return sorted(newest, key=lambda row: row["ended_at"] is not None)


def chosen(rows: Sequence[BufferRow], sees: Sees) -> frozenset[str]:
    """The ids of the first AT_MOST rows that somebody sees."""
    return frozenset([row["_id"] for row in rows if sees(row)][:AT_MOST])


def version(line: Timeline) -> tuple[object, ...]:
    """A value that differs as soon as there is something new to show of a buffer.

    A full buffer's beginning moves on with the clock: that alone counts every 10 s.
    """
    oldest = line.oldest
    return (
        *(line.state, line.why, line.why_detail, line.retry_at, line.ended_at),
        *(line.newest, line.audio, line.session_ids, line.clock, len(line.spans), len(line.gaps)),
        None if oldest is None else int(oldest.timestamp() // _SLIDE_SECONDS),
    )

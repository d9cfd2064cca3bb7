"""Looks at the buffers again and again, for everybody in this process who follows them.

One look serves all followers. Without a follower there are no looks.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import Context
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from itertools import islice

import structlog
from pymongo.errors import PyMongoError

from app import context
from app.models import BufferRow, Row, conditions
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
_SHELVES = ("identity", "room_sid", "room", "community")
_FIELDS = dict.fromkeys((*_SHELVES, "since", "ended_at"), 1)

Ways = Sequence[Row]
"""Which buffers are followed: `conditions.alternatives`, on the fields of `_SHELVES`."""

log = structlog.get_logger()


class BufferFollower:
    """A follower of the buffers that `ways` say. Others may be set later."""

    def __init__(self, looks: Looks, ways: Ways) -> None:
        self.ways = ways
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
        return look.followed[self]


@dataclass(frozen=True, slots=True)
class _Look:
    """The buffers of each follower, newest share first."""

    number: int
    followed: Mapping[BufferFollower, list[Timeline]]


class Looks:
    """The looking of one process."""

    def __init__(self, ctx: context.Context) -> None:
        self.begun = 0
        """The number of the last look that was begun."""
        self._ctx = ctx
        self._followers: set[BufferFollower] = set()
        self._latest = _Look(0, {})
        self._came = asyncio.Event()
        self._asked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def followed(self, ways: Ways) -> Iterator[BufferFollower]:
        """A follower until the block ends; the first look for it begins soon."""
        follower = BufferFollower(self, ways)
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
        asked = {follower: str(follower.ways) for follower in self._followers}
        ways = {asked[follower]: follower.ways for follower in asked}
        rows = await self._ctx.store.rows(Buffer).find({}, _FIELDS).to_list(None)
        shelves = Shelves(in_order([row for row in rows if _is_readable(row)]))
        chosen = {each: shelves.first(ways[each], AT_MOST) for each in ways}
        ids = {buffer_id for each in chosen.values() for buffer_id in each}
        lines: dict[str, Timeline] = {}

        async def add(some: Sequence[str]) -> int:
            query: dict[str, object] = {"_id": {"$in": list(some)}}
            found = await stored_timelines.listing(
                self._ctx.store, query, datetime.now(UTC), self._ctx.settings, limit=len(some)
            )
            lines.update((line.buffer_id, line) for line in found)
            return len(found)

        with rounds.begun("look"):
            await rounds.together_or_alone("buffer", {each: [each] for each in ids}, add)
        held = {each: _held(lines, chosen[each]) for each in chosen}
        return _Look(number, {follower: held[each] for follower, each in asked.items()})


def _held(lines: Mapping[str, Timeline], ids: Sequence[str]) -> list[Timeline]:
    """Of these buffers, newest share first, those that go on or hold something."""
    found = [lines[each] for each in ids if each in lines]
    held = [line for line in found if line.is_there]
    return sorted(held, key=lambda line: line.since, reverse=True)


def _is_readable(row: BufferRow) -> bool:
    """Whether a row has what is chosen by: one that was altered is in nobody's way."""
    texts = [row.get(each) for each in _SHELVES]
    has_texts = all(isinstance(text, str) for text in texts)
    return has_texts and isinstance(row.get("since"), datetime) and "ended_at" in row


def in_order(rows: Sequence[BufferRow]) -> list[BufferRow]:
    """Rows of buffers: those that go on first, then the newest."""
    newest = sorted(rows, key=lambda row: row["since"], reverse=True)
    return sorted(newest, key=lambda row: row["ended_at"] is not None)


class Shelves:
    """Rows of buffers, found by what is asked for: nobody looks through those of others."""

    def __init__(self, rows: Sequence[BufferRow]) -> None:
        self._rows = rows
        self._by: dict[tuple[str, str], list[int]] = {}
        for place, row in enumerate(rows):
            for field, value in row.items():
                if field in _SHELVES and isinstance(value, str):
                    self._by.setdefault((field, value), []).append(place)

    def first(self, ways: Ways, count: int) -> list[str]:
        """The ids of the first rows that match one of `ways`, at most `count`."""
        places: set[int] = set()
        for way in ways:
            fitting = (at for at in self.places(way) if conditions.matches(way, self._rows[at]))
            places.update(islice(fitting, count))
        return [self._rows[at]["_id"] for at in sorted(places)[:count]]

    def places(self, way: Row) -> Iterable[int]:
        """Where rows lie that may match, in order."""
        found = [
            [self._by.get((field, value), []) for value in values]
            for field, wanted in way.items()
            if (values := conditions.values(wanted)) is not None
        ]
        fewest = min(found, key=lambda shelves: sum(map(len, shelves)), default=None)
        return range(len(self._rows)) if fewest is None else merge(*fewest)


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

"""Clients of one store whose commands are let through one at a time, in any order that is wanted.

A client stands still before each command to the database. So whoever steps them decides which of
them is next, and where one is killed: it never goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any

from app.context import Context
from app.models.schema import AssignedRoom, Capture, File, ReplayClip, UserReplayQuota
from app.store import Store

LOOKED_AT = {+model for model in (AssignedRoom, Capture, File, ReplayClip, UserReplayQuota)}
"""The collections before whose commands a client stands still."""
_COMMANDS = frozenset(
    {"find_one", "update_one", "update_many", "insert_one", "delete_one", "delete_many", "distinct"}
)

Command = Callable[..., Awaitable[Any]]
Action = Callable[[Context], Coroutine[Any, Any, Any]]
MOST_STEPS = 20
"""Commands of an action that another is done within, and more."""


class Client:
    """One thing that somebody does with the store, step by step."""

    def __init__(self, ctx: Context, action: Action) -> None:
        self._waiting: list[asyncio.Future[None]] = []
        self._moved = asyncio.Event()
        self._is_dead = False
        store = _StandingStill(ctx.store, self._stand_still)
        self.task = asyncio.create_task(action(replace(ctx, store=store)))
        self.task.add_done_callback(lambda _: self._moved.set())

    async def step(self) -> bool:
        """Lets it come to its next command, or to its end. Whether it is at its end."""
        self._moved.clear()
        if self._waiting:
            self._waiting.pop(0).set_result(None)
        while not self.task.done() and not self._waiting:
            await self._moved.wait()
            self._moved.clear()
        return self.task.done()

    async def kill(self) -> None:
        """Ends it where it stands: no command of it comes through any more."""
        self._is_dead = True
        self.task.cancel()
        await asyncio.wait({self.task})

    async def _stand_still(self) -> None:
        if self._is_dead:
            raise asyncio.CancelledError
        opens = asyncio.get_running_loop().create_future()
        self._waiting.append(opens)
        self._moved.set()
        await opens


class _StandingStill(Store):
    """A store of a client's, on the connections of another."""

    def __init__(self, store: Store, stand_still: Callable[[], Awaitable[None]]) -> None:
        self.client = store.client
        self.database: Any = _Database(store.database, stand_still)

    def rows(self, model: Any) -> Any:
        return self.database[+model]


class _Database:
    def __init__(self, database: Any, stand_still: Callable[[], Awaitable[None]]) -> None:
        self._database, self._stand_still = database, stand_still
        self.name: str = database.name

    def __getitem__(self, name: str) -> Any:
        collection = self._database[name]
        return _Collection(collection, self._stand_still) if name in LOOKED_AT else collection


class _Collection:
    def __init__(self, collection: Any, stand_still: Callable[[], Awaitable[None]]) -> None:
        self._collection, self._stand_still = collection, stand_still

    def __getattr__(self, name: str) -> Any:
        own = getattr(self._collection, name)
        if name not in _COMMANDS:
            return own

        async def command(*args: Any, **given: Any) -> Any:
            await self._stand_still()
            return await own(*args, **given)

        return command

    def find(self, *args: Any, **given: Any) -> Any:
        return _Cursor(self._collection.find(*args, **given), self._stand_still)


class _Cursor:
    """Asks the database when it is read, as the driver's does."""

    def __init__(self, cursor: Any, stand_still: Callable[[], Awaitable[None]]) -> None:
        self._cursor, self._stand_still = cursor, stand_still

    def __getattr__(self, name: str) -> Any:
        def narrowed(*args: Any, **given: Any) -> _Cursor:
            getattr(self._cursor, name)(*args, **given)
            return self

        return narrowed

    async def to_list(self, length: int | None = None) -> list[Any]:
        await self._stand_still()
        found: list[Any] = await self._cursor.to_list(length)
        return found

    async def __aiter__(self) -> Any:
        for row in await self.to_list():
            yield row


async def beside(ctx: Context, outer: Action, inner: Action) -> AsyncIterator[None]:
    """Two things done at the same time: the inner one before each command of the outer one.

    Yields when both are done, once for each.
    """
    for steps in range(1, MOST_STEPS):
        first = Client(ctx, outer)
        is_over = [await first.step() for _ in range(steps)][-1]
        for each in (Client(ctx, inner), first):
            while not each.task.done():
                await each.step()
            await each.task
        yield
        if is_over:
            return
    raise AssertionError(f"it took {MOST_STEPS} commands or more")

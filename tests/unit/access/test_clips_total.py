"""What the clips of all take, added up while others ask for it."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest

from app.access import clips_total
from tests.waiting import wait_for

MOST = 100


class Rows:
    """A store whose users' clips take `held_bytes`, which it tells when it `answers`."""

    def __init__(self, name: str, held_bytes: int) -> None:
        self.database = SimpleNamespace(name=name)
        self.held_bytes = held_bytes
        self.answers = asyncio.Event()
        self.answers.set()
        self.reads = 0

    async def summed(self, *_: object) -> list[Any]:
        self.reads += 1
        found = [{"bytes": self.held_bytes}]
        await self.answers.wait()
        return found


@pytest.fixture
def rows(request: pytest.FixtureRequest) -> Any:
    return Rows(request.node.name, MOST)


async def test_nobody_is_refused_by_an_old_sum_while_it_is_read_again(rows: Any) -> None:
    again_seconds = 0.05

    async def asked() -> bool:
        return await clips_total.has_room(rows, 10, MOST, again_seconds=again_seconds)

    assert not await asked()
    is_old_at = time.monotonic() + again_seconds
    rows.held_bytes = 0
    rows.answers.clear()
    await wait_for(lambda: time.monotonic() > is_old_at)
    both = [asyncio.create_task(asked()) for _ in range(2)]
    await wait_for(lambda: rows.reads == 2)
    rows.answers.set()
    assert await asyncio.gather(*both) == [True, True]


async def test_what_changes_while_the_rows_are_added_up_is_not_lost(rows: Any) -> None:
    rows.held_bytes = 0
    rows.answers.clear()
    first = asyncio.create_task(clips_total.has_room(rows, 10, MOST))
    await wait_for(lambda: rows.reads == 1)
    clips_total.note(rows, 95)
    rows.answers.set()
    assert not await first
    assert not await clips_total.has_room(rows, 10, MOST)
    assert await clips_total.has_room(rows, 5, MOST)
    assert rows.reads == 1


async def test_many_who_ask_at_once_cost_one_read_whoever_gives_up(rows: Any) -> None:
    rows.held_bytes = 0
    rows.answers.clear()
    first, *others = [asyncio.create_task(clips_total.has_room(rows, 1, MOST)) for _ in range(9)]
    await wait_for(lambda: rows.reads == 1)
    first.cancel()
    rows.answers.set()
    assert await asyncio.gather(*others) == [True] * 8
    assert rows.reads == 1

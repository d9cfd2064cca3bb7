"""One user's many turns keep nobody else from theirs."""

from __future__ import annotations

import asyncio

import pytest

from app.work.turns import Turn, Turns


class Line:
    """Takes turns, and notes whose came in which order."""

    def __init__(self, places: int = 1) -> None:
        self.turns = Turns(places)
        self.order: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._go_on = asyncio.Semaphore(0)

    async def ask(self, *users: str) -> list[asyncio.Task[None]]:
        made = [asyncio.create_task(self._take(self.turns.turn(user), user)) for user in users]
        self.tasks += made
        await asyncio.sleep(0)
        return made

    async def _take(self, turn: Turn, user: str) -> None:
        async with turn:
            self.order.append(user)
            await self._go_on.acquire()

    async def end(self) -> str:
        for _ in self.tasks:
            self._go_on.release()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        return "".join(self.order)


async def test_who_asks_for_one_waits_for_the_one_that_runs() -> None:
    line = Line()
    await line.ask(*"aaaaa")
    await line.ask("b")
    assert await line.end() == "abaaaa"


async def test_users_have_their_turns_one_after_another() -> None:
    line = Line()
    await line.ask(*"aaabbbcc")
    assert await line.end() == "abcabcab"


async def test_a_place_that_gets_free_is_for_whoever_has_none() -> None:
    line = Line(places=2)
    await line.ask(*"aaaa")
    await line.ask("b")
    assert line.order == ["a", "a"]
    assert await line.end() == "aabaa"


async def test_one_who_gives_up_takes_nobodys_turn() -> None:
    line = Line()
    _, given_up, _ = await line.ask(*"abc")
    given_up.cancel()
    assert await line.end() == "ac"
    assert line.turns.waiting("b") == 0


async def test_one_who_gives_up_as_their_turn_comes_passes_it_on() -> None:
    turns = Turns()
    entered: list[str] = []

    async def take(user: str) -> None:
        async with turns.turn(user):
            entered.append(user)

    async with turns.turn("a"):
        given_up, next_one = (asyncio.create_task(take(user)) for user in "bc")
        await asyncio.sleep(0)
        assert turns.waiting("b") == 1
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    await asyncio.wait_for(next_one, 5)
    assert entered == ["c"]
    async with turns.turn("d"):
        assert turns.waiting("d") == 0


async def test_a_turn_comes_as_soon_as_that_of_anybody_who_waits_for_it() -> None:
    """What one asks for last another may need first."""
    line = Line()
    await line.ask(*"aaa")
    shared = line.turns.turn("a")
    line.tasks.append(asyncio.create_task(line._take(shared, "s")))
    await asyncio.sleep(0)
    shared.also_for("b")
    await line.ask("c")
    assert await line.end() == "ascaa"

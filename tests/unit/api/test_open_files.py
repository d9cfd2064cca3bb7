"""Clips that are being sent: one look tells of all that one reader gets."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import pytest

from app.api.open_files import FileLook


class Files:
    """Of which some are open; and what they were asked for."""

    def __init__(self, *open_ones: str) -> None:
        self.open_ones = set(open_ones)
        self.looks: list[list[str]] = []
        self.answers = asyncio.Event()
        self.answers.set()

    async def find(self, asked: Collection[str]) -> set[str]:
        self.looks.append(sorted(asked))
        if "a" in asked:
            await self.answers.wait()
        return self.open_ones & {*asked}


async def test_what_is_under_way_is_looked_for_together() -> None:
    files = Files("a", "b")
    look = FileLook(files.find, known_seconds=0)
    assert [await look.read(each) for each in "abc"] == [True, True, False]
    files.open_ones = {"b"}
    assert not await look.read("a")
    assert files.looks == [["a"], ["a", "b"], ["a", "b", "c"], ["a", "b", "c"]]


async def test_what_comes_while_the_others_are_known_is_looked_for_by_itself() -> None:
    files = Files("a", "b")
    look = FileLook(files.find, known_seconds=3600)
    for _ in range(3):
        assert [await look.read(each) for each in "abc"] == [True, True, False]
    assert files.looks == [["a"], ["b"], ["c"]]


async def test_whoever_comes_waits_for_no_look_that_is_not_theirs() -> None:
    """Those that are looked for together share one look, whoever of them gives up."""
    files = Files("a", "b", "c")
    look = FileLook(files.find, known_seconds=0)
    assert await look.read("b")
    files.answers.clear()
    first, *others = (asyncio.create_task(look.read(each)) for each in "abab")
    await asyncio.sleep(0)
    assert [await asyncio.wait_for(look.read(each), 10) for each in "cdc"] == [True, False, True]
    first.cancel()
    files.open_ones = {"a"}
    files.answers.set()
    assert await asyncio.gather(*others) == [False, True, False]
    assert files.looks == [["b"], ["a", "b"], ["c"], ["d"]]


async def test_a_look_that_fails_is_taken_again() -> None:
    class Away(Files):
        async def find(self, asked: Collection[str]) -> set[str]:
            if not self.looks:
                self.looks.append([])
                raise ConnectionError
            return await super().find(asked)

    files = Away("a")
    look = FileLook(files.find, known_seconds=3600)
    with pytest.raises(ConnectionError):
        await look.read("a")
    assert await look.read("a")
    assert files.looks == [[], ["a"]]

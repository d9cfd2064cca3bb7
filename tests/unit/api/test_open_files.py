"""Clips that are being sent: one look tells of all that one reader gets."""

from __future__ import annotations

from collections.abc import Collection

from app.api.open_files import FileLook


class Files:
    """Of which some are open; and what they were asked for."""

    def __init__(self, *open_ones: str) -> None:
        self.open_ones = set(open_ones)
        self.looks: list[list[str]] = []

    async def find(self, asked: Collection[str]) -> set[str]:
        self.looks.append(sorted(asked))
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

"""What one user ends is asked anew; of the others nothing is."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from app.access import generations
from app.access.generations import Generations
from app.api.known_generations import KnownGenerations
from app.context import Context
from app.settings import load


class Counting:
    """A store of rights in which somebody counts who is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.watching = 0

    def rows(self, _model: object) -> Any:
        return self

    def find(self, which: Any) -> Any:
        self.asked += which["_id"]["$in"]
        return self

    async def to_list(self, _count: None) -> list[Any]:
        return []

    async def find_one(self, which: Any) -> Any:
        self.asked.append(which["holders"])
        return {"watching": self.watching, "sharing": 0, "sessions": 0}


def known_with(store: Any) -> tuple[KnownGenerations, Context]:
    nothing: Any = None
    settings = load(
        _env_file=None,
        livekit_api_key="k",
        livekit_api_secret="s" * 32,
        livekit_keys="old:" + "o" * 32,
    )
    ctx = Context(settings, store, nothing, "0a1b2c3d", nothing, nothing, nothing)
    return KnownGenerations(ctx, 3600), ctx


async def ask(known: KnownGenerations, people: Collection[str], names: Collection[str]) -> None:
    await known.of_all(people)
    for name in names:
        await known.of_holder(name)


async def test_only_what_is_forgotten_is_asked_for_again() -> None:
    """By name and by how URLs of either key name them."""
    store = Counting()
    known, ctx = known_with(store)
    anns, bobs = (generations.holders(ctx.settings, ctx.instance, each) for each in ("ann", "bob"))
    await ask(known, ["ann", "bob"], [*anns, *bobs])
    assert store.asked == ["ann", "bob", *anns, *bobs]
    store.asked.clear()
    await ask(known, ["ann", "bob"], [*anns, *bobs])
    assert store.asked == []
    store.watching = 1
    known.forget(["ann", "nobody"])
    await ask(known, ["ann", "bob"], [*anns, *bobs])
    assert store.asked == ["ann", *anns]
    assert await known.of_holder(anns[1]) == Generations(watching=1)
    assert await known.of_holder(bobs[0]) == Generations()

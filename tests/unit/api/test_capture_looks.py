"""Captures are looked at for all who follow them at once."""

from __future__ import annotations

import asyncio
from typing import Any

from app.api.capture_looks import CaptureLooks
from app.context import Context
from app.settings import load


class Captures:
    """A store of captures, in which somebody notes what it is asked."""

    def __init__(self) -> None:
        self.asked = list[list[str]]()

    def rows(self, _model: object) -> Any:
        return self

    def find(self, query: Any) -> Any:
        self.asked.append(query["_id"]["$in"])
        return self

    async def to_list(self, _count: None) -> list[Any]:
        return [{"_id": each, "look": len(self.asked)} for each in self.asked[-1] if each != "gone"]


def looks_at(store: Any) -> CaptureLooks:
    nothing: Any = None
    settings = load(_env_file=None, livekit_api_key="k", livekit_api_secret="s" * 32)
    ctx = Context(settings, store, nothing, "0a1b2c3d", nothing, nothing, nothing)
    return CaptureLooks(ctx, 0.01)


async def test_one_look_serves_all_who_follow() -> None:
    """However many they are, of however many captures; nobody looks for those who have gone."""
    store = Captures()
    looks = looks_at(store)
    followers = [asyncio.create_task(looks.next(each)) for each in ["one", "two", "gone"] * 40]
    await asyncio.sleep(0)
    followers.pop().cancel()
    seen = await asyncio.gather(*followers)
    assert store.asked == [["gone", "one", "two"]]
    assert seen[:3] == [{"_id": "one", "look": 1}, {"_id": "two", "look": 1}, None]
    assert await looks.next("one") == {"_id": "one", "look": 2}
    assert store.asked[1:] == [["one"]]
    await looks.close()

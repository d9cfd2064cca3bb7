"""What was not used for longest is forgotten first."""

from __future__ import annotations

from app.lru_cache import LruCache


def test_as_many_stay_as_may_be_those_that_were_used_last() -> None:
    cache = LruCache[int](2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert [cache.get(name) for name in "abc"] == [1, None, 3]
    cache.put("a", 4)
    cache.put("d", 5)
    assert [cache.get(name) for name in "acd"] == [4, None, 5]

"""A round of many things: a bad one is counted and logged, and the others are served."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Sequence

import pytest
import structlog
from prometheus_client import REGISTRY
from pymongo.errors import AutoReconnect, OperationFailure
from redis.exceptions import ConnectionError as RedisConnectionError

from app.work import rounds


def failed(job: str) -> float:
    return REGISTRY.get_sample_value("replay_buffer_items_failed_total", {"job": job}) or 0.0


BAD = (KeyError("room"), RecursionError(), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "no"),
       OverflowError(), OperationFailure("one row's"), AssertionError())  # fmt: skip


@pytest.mark.parametrize("error", BAD, ids=lambda error: type(error).__name__)
def test_a_bad_item_does_not_stop_its_neighbours(error: Exception) -> None:
    served = []
    before = failed("survey")
    with structlog.testing.capture_logs() as logged, rounds.begun("survey") as made:
        for room in ("a", "bad", "z"):
            with rounds.item(room=room) as attempt:
                if room == "bad":
                    raise error
                served.append(room)
            assert attempt.error is (error if room == "bad" else None)
    assert served == ["a", "z"]
    assert (made.served, made.failed, made.is_whole) == (2, 1, True)
    assert failed("survey") == before + 1
    (line,) = logged
    assert (line["event"], line["job"], line["room"]) == ("item_failed", "survey", "bad")
    assert line["error"] == repr(error)
    assert line["where"].startswith("rounds.py:")
    assert " > test_rounds.py:" in line["where"]


@pytest.mark.parametrize(
    "away", [AutoReconnect("mongo"), RedisConnectionError("redis"), ConnectionResetError()]
)
def test_a_store_that_is_away_ends_the_round(away: Exception) -> None:
    """None of the rest could be served."""
    with pytest.raises(type(away)), rounds.begun("survey") as made, rounds.item(room="a"):
        raise away
    assert (made.served, made.failed) == (0, 0)


async def test_a_cancelled_round_ends() -> None:
    with pytest.raises(asyncio.CancelledError), rounds.item(room="a"):
        raise asyncio.CancelledError


def test_a_round_is_whole_unless_everything_failed() -> None:
    """Nothing to do is whole, too."""
    with rounds.begun("survey") as nothing:
        pass
    with rounds.begun("survey") as all_failed:
        for room in "ab":
            with rounds.item(room=room):
                raise KeyError(room)
    assert (nothing.is_whole, all_failed.is_whole) == (True, False)


def test_a_room_is_served_as_far_as_its_people_are() -> None:
    """It counts by itself only if there was nobody in it, or if it can't be looked at at all."""
    for people, served, failures in (([], 1, 0), (["bad"], 0, 1), (["a", "bad"], 1, 1)):
        with rounds.begun("survey") as made, rounds.item(room="room"):
            for who in people:
                with rounds.item(identity=who):
                    assert who != "bad"
        assert (made.served, made.failed) == (served, failures)


async def test_items_of_tasks_count_for_the_round_that_began_them() -> None:
    async def look(room: str) -> None:
        with rounds.item(room=room):
            await asyncio.sleep(0)
            raise KeyError(room)

    with rounds.begun("survey") as made:
        await asyncio.gather(*map(look, "abc"))
        with rounds.begun("other") as other:
            await look("d")
    assert (made.failed, other.failed) == (3, 1)


async def test_who_is_in_no_round_is_guarded_all_the_same() -> None:
    before = failed("none")
    with rounds.item(room="a", event="of ours", job="of theirs"):
        raise KeyError
    assert failed("none") == before + 1


@pytest.mark.parametrize(
    ("bad", "calls", "served"),
    [
        ("", ["abcd"], 4),
        ("b", ["abcd", "a", "b", "cd"], 3),
        ("abc", ["abcd", "a", "b", "cd"], 0),
    ],
)
async def test_what_fails_together_is_served_alone(bad: str, calls: list[str], served: int) -> None:
    """One call for all costs less; only where it fails has each its own."""
    made: list[str] = []

    async def serve(some: Sequence[str]) -> int:
        made.append("".join(some))
        if set(some) & set(bad):
            raise KeyError(some)
        return len(some)

    by_id = {"1": ["a"], "2": ["b"], "3": ["c", "d"]}
    with rounds.begun("cleanup") as counted:
        assert await rounds.together_or_alone("session", by_id, serve) == served
    assert made == calls
    assert counted.failed == len(bad)
    assert counted.is_whole == (served > 0)


async def test_a_store_that_is_away_is_no_reason_to_serve_each_alone() -> None:
    calls = 0

    async def serve(some: Sequence[str]) -> int:
        nonlocal calls
        calls += 1
        raise AutoReconnect

    with pytest.raises(AutoReconnect):
        await rounds.together_or_alone("session", {"1": ["a"], "2": ["b"]}, serve)
    assert calls == 1


async def test_one_that_hangs_holds_up_few_others() -> None:
    served: list[int] = []
    three = asyncio.Event()

    async def serve(thing: int) -> None:
        with rounds.item(thing=thing):
            if thing == 0:
                await asyncio.wait_for(three.wait(), 30)
            if thing == 1:
                raise KeyError("room")
            served.append(thing)
            if len(served) == 3:
                three.set()

    with rounds.begun("survey") as made:
        await rounds.side_by_side(range(5), serve, 2)
    assert served == [2, 3, 4, 0]
    assert (made.served, made.failed) == (4, 1)


async def test_a_store_that_is_away_ends_those_that_are_served_beside() -> None:
    cancelled = asyncio.Event()

    async def serve(thing: int) -> None:
        if thing == 0:
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()
        with rounds.item(thing=thing):
            raise AutoReconnect("away")

    with pytest.raises(AutoReconnect):
        await rounds.side_by_side(range(2), serve, 2)
    await asyncio.wait_for(cancelled.wait(), 30)


def test_a_round_has_an_end_however_many_things_there_are() -> None:
    """And gets further each time: the first one is always served."""
    assert [*rounds.within(itertools.count(), 0.0)] == [0]
    assert [*rounds.within(range(3), math.inf)] == [0, 1, 2]
    assert [*rounds.within([], 0.0)] == []


async def test_what_is_found_is_served_some_at_a_time_and_what_failed_is_passed_by() -> None:
    waiting, served = list("abcde"), list[str]()

    async def find(failed: Sequence[str]) -> dict[str, str]:
        return {each: each for each in [each for each in waiting if each not in failed][:2]}

    with rounds.begun("deliver_due") as made:
        async for thing, tried in rounds.some_at_a_time("sent", find, room="a"):
            with tried:
                if thing == "b":
                    raise KeyError(thing)
                waiting.remove(thing)
                served.append(thing)
    assert (served, waiting) == (["a", "c", "d", "e"], ["b"])
    assert (made.served, made.failed) == (4, 1)

"""Processes for the work of many: what becomes of a request, and who gets which process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.processes.bound_pool import (
    BoundPool,
    LimitReached,
    NotStarted,
    PoolClosed,
    ProgramAnswer,
    ProgramEnded,
)
from app.processes.bound_process import Limits
from app.processes.shared_pool import SharedPool
from app.work.places import PutOff, Stint, WorkPlaces
from tests.waiting import wait_for

PROGRAM = "tests.unit.processes.stubborn_program"


@pytest.fixture
def pool() -> Iterator[SharedPool]:
    made = SharedPool(PROGRAM, Limits(memory_bytes=2**30))
    yield made
    made.close()


async def asked(pool: SharedPool, stint: Stint, does: str) -> int:
    """Has a process do that. Which one it was."""

    def ask() -> int:
        with Path("/dev/null").open("rb") as given:
            return pool.ask(
                stint, does.encode(), given.fileno(), lambda answer: int(answer.message)
            )

    return await pool.in_thread(stint, ask)


@pytest.mark.parametrize(
    ("program", "why"), [("mute_program", "it did not begin within"), ("no_program", "it ")]
)
def test_one_that_does_not_begin_is_ended_and_nobody_waits_for_it_again(
    program: str, why: str
) -> None:
    name = f"tests.unit.processes.{program}"
    pool = BoundPool(name, Limits(memory_bytes=2**30), 1, start_seconds=0.2)
    with Path("/dev/null").open("rb") as given:
        for _ in range(2):  # the second has a new one
            with pytest.raises(NotStarted, match=why):
                pool.ask(b"", given.fileno(), lambda answer: answer, lambda _: True)
    assert not [each for each in psutil.Process().children() if name in each.cmdline()]
    pool.close()


def test_one_that_is_prepared_is_the_only_one() -> None:
    """Asked for again, while it waits or works, nothing more is started."""
    pool = BoundPool(PROGRAM, Limits(memory_bytes=2**30), 2)

    def take(_: ProgramAnswer) -> int:
        pool.prepare()
        return sum(PROGRAM in each.cmdline() for each in psutil.Process().children())

    pool.prepare()
    pool.prepare()
    with Path("/dev/null").open("rb") as given:
        assert pool.ask(b"works", given.fileno(), take, lambda _: True) == 1
    pool.close()


async def test_suspects_have_a_process_that_is_nobody_elses(pool: SharedPool) -> None:
    first, second = Stint(), Stint(is_suspect=True)
    there = [await asked(pool, each, "works") for each in (first, second, first, second)]
    assert there[:2] == there[2:]
    assert there[0] != there[1]
    assert (first.is_blamed, second.is_blamed) == (False, False)


@pytest.mark.parametrize("does", ["dies", "swells"])
async def test_a_request_that_ends_its_process_has_another_stint(
    pool: SharedPool, does: str
) -> None:
    """The fault may be the system's, or that of an earlier request. But no third one."""
    first, second = Stint(), Stint(is_suspect=True)
    with pytest.raises(PutOff, match="it "):
        await asked(pool, first, does)
    with pytest.raises(ProgramEnded, match="it "):
        await asked(pool, second, does)
    assert (first.is_blamed, second.is_blamed) == (True, True)
    assert await asked(pool, Stint(), "works")


@pytest.mark.parametrize("is_suspect", [False, True])
async def test_one_that_has_had_its_time_has_none_again(pool: SharedPool, is_suspect: bool) -> None:
    stint = Stint(is_suspect=is_suspect)
    with pytest.raises(LimitReached, match="it was ended by signal 24"):
        await asked(pool, stint, "spins")
    assert stint.is_blamed


async def test_one_that_takes_long_ends_when_others_wait(pool: SharedPool) -> None:
    is_wanted = False
    stint = Stint(0.2, is_wanted=lambda: is_wanted)
    task = asyncio.create_task(asked(pool, stint, "hangs"))
    await wait_for(lambda: stint.is_blamed)
    assert not task.done()
    is_wanted = True
    with pytest.raises(PutOff, match=r"it was ended after \d"):
        await task


async def test_one_that_is_cancelled_is_over_when_its_process_is(pool: SharedPool) -> None:
    there = await asked(pool, Stint(is_suspect=True), "works")
    stint = Stint(is_suspect=True)
    task = asyncio.create_task(asked(pool, stint, "hangs"))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not psutil.pid_exists(there)
    assert not stint.is_blamed


async def test_however_many_hang_there_is_a_process_for_who_does_not(pool: SharedPool) -> None:
    places = WorkPlaces()
    hanging = [
        asyncio.create_task(
            places.piece(str(number), str(number)).run(lambda a: asked(pool, a, "hangs"))
        )
        for number in range(8)
    ]
    for _ in range(3):
        await places.piece("good", "good").run(lambda a: asked(pool, a, "works"))
    assert not any(task.done() for task in hanging)
    assert not places.suspects("good")
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)


async def test_who_asks_a_closed_one_is_told(pool: SharedPool) -> None:
    pool.close()
    with pytest.raises(PoolClosed, match="it stops"):
        await asked(pool, Stint(), "works")

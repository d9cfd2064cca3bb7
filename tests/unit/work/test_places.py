"""Work that takes long has one place, and nobody else waits for it longer than briefly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.work.places import PutOff, Stint, WorkPlaces

BRIEF_SECONDS = 1.0


class Work:
    """Pieces of work that end when they are told to, and seem to take as long as they are told."""

    def __init__(self, ordinary: int = 2, suspect_seconds: float = 600.0) -> None:
        self.places = WorkPlaces(ordinary, BRIEF_SECONDS, suspect_seconds)
        self.running: dict[str, Stint] = {}
        self.most = {False: 0, True: 0}
        self._ends: dict[str, asyncio.Future[str]] = {}
        self._tasks: dict[str, asyncio.Task[str]] = {}

    async def begin(self, *names: str, is_long: bool = False) -> None:
        """Of sources of the same names, for as many users."""
        for name in names:
            piece = self.places.piece(name, name.rstrip("'"), is_long=is_long)
            self._tasks[name] = asyncio.create_task(piece.run(self._make(name)))
            await self.settle()

    def _make(self, name: str) -> Callable[[Stint], Awaitable[str]]:
        async def make(stint: Stint) -> str:
            self.running[name] = stint
            self._ends[name] = asyncio.get_running_loop().create_future()
            among = [each.is_suspect for each in self.running.values()]
            for lane in (False, True):
                self.most[lane] = max(self.most[lane], among.count(lane))
            try:
                return await self._ends[name]
            finally:
                del self.running[name]

        return make

    async def take(self, seconds: float) -> None:
        """All that run have taken so long: those that may not go on are put off."""
        for name, stint in list(self.running.items()):
            if not stint.may_go_on(seconds):
                self._ends[name].set_exception(PutOff())
        await self.settle()

    async def end(self, name: str) -> str:
        self._ends[name].set_result(name)
        return await self._tasks[name]

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    @property
    def suspects(self) -> list[str]:
        return [name for name, stint in self.running.items() if stint.is_suspect]

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


@pytest.fixture
def work() -> Work:
    return Work()


async def test_what_takes_long_goes_on_as_long_as_nobody_waits(work: Work) -> None:
    await work.begin("a", "b")
    await work.take(60)
    assert set(work.running) == {"a", "b"}
    assert await work.end("a") == "a"
    assert await work.end("b") == "b"
    assert work.places.suspects("a")


async def test_what_takes_long_is_put_off_for_those_who_wait(work: Work) -> None:
    """And goes on in the suspects' place."""
    await work.begin("a", "b", "c")
    await work.take(0.9)
    assert set(work.running) == {"a", "b"}
    await work.take(1.1)
    assert work.suspects == ["a"]
    assert "c" in work.running
    assert await work.end("c") == "c"
    assert await work.end("a") == "a"
    assert await work.end("b") == "b"


async def test_a_suspect_waits_for_suspects_and_nobody_for_it(work: Work) -> None:
    await work.begin("a", "b", "c")
    await work.take(2)
    await work.end("c")
    await work.begin("a'", "d", "e")
    assert set(work.running) == {"a", "d", "e"}
    await work.take(60)  # nobody of the others waits
    assert set(work.running) == {"a", "d", "e"}
    await work.close()


async def test_what_is_known_to_be_long_waits_for_suspects_and_blames_nobody(work: Work) -> None:
    await work.begin("a", "b")
    await work.begin("c", "d", is_long=True)
    await work.take(0.9)
    assert work.suspects == ["c"]
    assert set(work.running) == {"a", "b", "c"}
    await work.end("a")
    await work.end("b")
    await work.take(600)
    await work.end("c")
    assert work.suspects == ["d"]
    assert not any(work.places.suspects(each) for each in "abcd")
    await work.close()


async def test_one_whose_earlier_work_turns_out_long_is_a_suspect_when_its_turn_comes(
    work: Work,
) -> None:
    await work.begin("a", "b", "a'", "c")
    await work.take(2)
    assert sorted(work.running) == ["a", "c"]
    assert work.suspects == ["a"]
    await work.close()


async def test_what_ends_a_process_is_a_suspects_and_good_work_is_not(work: Work) -> None:
    await work.begin("a", "b")
    work.running["a"].blame()
    await work.end("a")
    await work.end("b")
    assert (work.places.suspects("a"), work.places.suspects("b")) == (True, False)


async def test_what_is_stopped_is_nobodys_fault_and_may_not_go_on(work: Work) -> None:
    await work.begin("a")
    stint = work.running["a"]
    stint.stop()
    assert not stint.may_go_on(0.0)
    stint.blame()
    await work.end("a")
    assert not work.places.suspects("a")


async def test_a_suspect_is_one_for_so_long() -> None:
    work = Work(suspect_seconds=0.05)
    await work.begin("a")
    work.running["a"].blame()
    await work.end("a")
    assert work.places.suspects("a")
    await asyncio.sleep(0.06)
    assert not work.places.suspects("a")


async def test_an_error_is_told_and_frees_the_place(work: Work) -> None:
    async def fail(_: Stint) -> None:
        raise ValueError("no")

    for _ in range(5):
        with pytest.raises(ValueError, match="no"):
            await work.places.piece("a", "a").run(fail)


@given(
    hostile=st.integers(0, 12),
    ordinary=st.integers(1, 4),
    comes_after=st.integers(0, 12),
)
def test_nobody_waits_longer_than_briefly_for_each_round_of_those_who_are_bad_first(
    hostile: int, ordinary: int, comes_after: int
) -> None:
    """However many never end: each has had one brief turn among the others', and no other one."""

    async def try_it() -> None:
        work = Work(ordinary)
        names = [f"h{number}" for number in range(hostile)]
        await work.begin(*names[:comes_after], "good", *names[comes_after:])
        rounds = 0
        while "good" not in work.running:
            rounds += 1
            await work.take(BRIEF_SECONDS)
        assert rounds <= -(-min(hostile, comes_after) // ordinary)
        assert await work.end("good") == "good"
        for _ in names:
            await work.take(BRIEF_SECONDS)
        await work.begin(*(f"{name}'" for name in names), "as good")  # all others are known by now
        if "as good" not in work.running:
            await work.take(BRIEF_SECONDS)
        assert "as good" in work.running
        assert work.most[False] <= ordinary
        assert work.most[True] <= 1
        await work.close()

    asyncio.run(try_it())

"""Sheets drawn in the background, in real processes."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from app.errors import TooManyRequests, Unavailable
from app.media import sheets
from app.media.picture_sources import NoPicture, Tile, sheet_plan
from app.media.sprites import Grid
from app.viewing import drawing as drawings
from app.viewing.drawing import AT_ONCE, LIMITS, Drawing, DrawingFailed, Kind
from app.viewing.stills import Stills
from app.work.places import Stint
from tests.waiting import PATIENCE_SECONDS, wait_for


@asynccontextmanager
async def closed(drawing: Drawing) -> AsyncIterator[Drawing]:
    """Whatever fails, none of its programs stays for the next test, which looks for its own."""
    try:
        yield drawing
    finally:
        await drawing.close()


@pytest_asyncio.fixture
async def drawing() -> AsyncIterator[Drawing]:
    async with closed(Drawing(patience_seconds=0.1)) as made:
        yield made


@pytest.fixture
def slow_plan(tmp_path: Path) -> bytes:
    """A plan that is not done before somebody writes into the pipe that it reads."""
    os.mkfifo(tmp_path / "slow")
    return sheet_plan(Grid(1, 160, 90), [Tile(0, str(tmp_path / "slow"), 0, 1, "")])


@pytest_asyncio.fixture
async def slow_sheet(slow_plan: bytes) -> AsyncIterator[asyncio.Task[bytes]]:
    """One that is drawn until the test ends, or something ends its program."""
    task = asyncio.create_task(drawings.sheet(Stint(), slow_plan))
    yield task
    task.cancel()
    await asyncio.wait({task})


def program() -> psutil.Process | None:
    """The drawing program that runs as our child, if one does."""
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            if child.cmdline()[1:] == ["-m", "app.media.sheets"]:
                return child
    return None


async def test_who_asks_at_the_same_time_shares_one_drawing(drawing: Drawing) -> None:
    begun = 0

    async def make(_: Stint) -> str:
        nonlocal begun
        begun += 1
        await asyncio.sleep(0)
        return "drawn"

    together = (drawing.once(Kind.SHEET, "one", make, user=user, source="s") for user in "abcde")
    assert await asyncio.gather(*together) == ["drawn"] * 5
    assert begun == 1
    assert await drawing.once(Kind.SHEET, "one", make, user="a", source="s") == "drawn"
    assert begun == 2


async def test_a_drawing_goes_on_when_nobody_waits_any_more(drawing: Drawing) -> None:
    """Whoever waits is asked to come again, and finds it then."""
    ready = asyncio.Event()
    done = asyncio.Event()

    async def make(_: Stint) -> None:
        await ready.wait()
        done.set()

    with pytest.raises(Unavailable) as refused:
        await drawing.once(Kind.SHEET, "slow", make, user="ann", source="s")
    assert refused.value.extra["retry_after"] > 0  # type: ignore[operator]
    waiter = asyncio.create_task(drawing.once(Kind.SHEET, "slow", make, user="ann", source="s"))
    await asyncio.sleep(0)
    waiter.cancel()
    ready.set()
    await asyncio.wait_for(done.wait(), PATIENCE_SECONDS)


async def test_who_is_to_be_answered_soon_waits_so_long_for_a_drawing_and_no_second_time() -> None:
    """From when it was begun, whoever has asked for it; and it goes on."""
    ready = asyncio.Event()

    async with closed(Drawing(patience_seconds=PATIENCE_SECONDS, prompt_seconds=0.1)) as drawing:

        def ask(user: str, *, is_prompt: bool) -> Awaitable[bool]:
            return drawing.once(
                Kind.POSTER, "p", lambda _: ready.wait(), user=user, source="s", is_prompt=is_prompt
            )

        patient = asyncio.ensure_future(ask("ann", is_prompt=False))
        for user in ("eve", "bob"):
            with pytest.raises(Unavailable, match="ask again"):
                await ask(user, is_prompt=True)
        later = asyncio.ensure_future(ask("eve", is_prompt=True))
        done, _ = await asyncio.wait({later, patient}, timeout=0.09)
        assert done == {later}
        with pytest.raises(Unavailable):
            await later
        ready.set()
        assert await patient


async def test_a_program_that_can_not_begin_is_no_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"no movie")
    async with closed(Drawing(Stills("tests.unit.no_program"))) as drawing:
        with pytest.raises(Unavailable, match="no process could be started") as refused:
            await drawing.stills.poster_of_movie(Stint(), tmp_path / "clip.mp4")
    assert refused.value.extra["retry_after"]


async def test_more_drawings_than_can_wait_are_refused(drawing: Drawing) -> None:
    """Of one user, and of all of them."""
    ready = asyncio.Event()

    def ask(name: str, user: str) -> Awaitable[bool]:
        return drawing.once(Kind.SHEET, name, lambda _: ready.wait(), user=user, source="s")

    asked = [ask(f"a{number}", "ann") for number in range(8)]
    rest = [str(number) for number in range(AT_ONCE - 8)]
    asked += [ask(name, name) for name in rest]
    waiting = [asyncio.ensure_future(each) for each in asked]
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequests) as refused:
        await ask("a8", "ann")
    assert (refused.value.extra["limit"], refused.value.extra["retry_after"]) == (8, 5)
    with pytest.raises(Unavailable):
        await ask("one more", "zoe")
    ready.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(each) for each in found} <= {bool, Unavailable}  # or the patience is over


async def test_what_another_asks_for_is_drawn_after_the_one_that_is_drawn_now(
    drawing: Drawing,
) -> None:
    """Also if it waits already, among many things that somebody else has asked for."""
    order: list[str] = []
    go_on = asyncio.Event()

    def make(name: str) -> Callable[[Stint], Awaitable[None]]:
        async def draw(_: Stint) -> None:
            order.append(name)
            await go_on.wait()

        return draw

    async def ask(user: str, name: str) -> None:
        with suppress(Unavailable):
            await drawing.once(Kind.SHEET, name, make(name), user=user, source=user)

    asked = [("ann", f"a{number}") for number in range(8)]
    asked += [("bob", "a6"), ("cyd", "c"), ("ann", "a1")]
    tasks = []
    for user, name in asked:
        tasks.append(asyncio.create_task(ask(user, name)))
        await asyncio.sleep(0)
    never = asyncio.Event()
    poster = drawing.once(Kind.POSTER, "p", lambda _: never.wait(), user="ann", source="ann")
    tasks.append(asyncio.create_task(_ignoring_unavailable(poster)))
    go_on.set()
    await asyncio.gather(*tasks)
    assert order[:3] == ["a0", "a6", "c"]
    assert sorted(order) == [*(f"a{number}" for number in range(8)), "c"]


async def _ignoring_unavailable(asked: Awaitable[object]) -> None:
    with suppress(Unavailable):
        await asked


async def test_posters_that_hang_their_process_keep_nobody_elses_waiting(tmp_path: Path) -> None:
    for name in ("hangs", "good"):
        (tmp_path / f"{name}.mp4").write_bytes(b"no movie")
    async with closed(Drawing(Stills("tests.unit.media.stubborn_stills"))) as drawing:

        def ask(user: str, number: int, name: str) -> asyncio.Task[bytes]:
            return asyncio.create_task(
                drawing.once(
                    Kind.POSTER,
                    f"{user}{number}",
                    lambda stint: drawing.stills.poster_of_movie(stint, tmp_path / f"{name}.mp4"),
                    user=user,
                    source=user,
                )
            )

        hostile = [ask("eve", number, "hangs") for number in range(8)]
        for number in range(3):
            with pytest.raises(NoPicture, match="is no movie"):
                await ask("ann", number, "good")
        assert not any(task.done() for task in hostile)
    await asyncio.gather(*hostile, return_exceptions=True)


async def test_a_sheet_that_takes_long_keeps_nobody_elses_waiting(slow_plan: bytes) -> None:
    slow = partial(drawings.sheet, planned=slow_plan)

    async def quick(_: Stint) -> str:
        return "drawn"  # by no program: starting one may take longer than what is brief here

    async with closed(Drawing(brief_seconds=0.5)) as drawing:
        hostile = [
            asyncio.create_task(drawing.once(Kind.SHEET, f"e{n}", slow, user="eve", source="eve"))
            for n in range(3)
        ]
        await wait_for(program)
        for n in range(3):
            drawn = await drawing.once(Kind.SHEET, f"a{n}", quick, user="ann", source="ann")
            assert drawn == "drawn"
        assert not any(task.done() for task in hostile)
    await asyncio.gather(*hostile, return_exceptions=True)


async def test_an_error_reaches_everybody_who_waits(drawing: Drawing) -> None:
    async def make(_: Stint) -> None:
        raise DrawingFailed("no")

    found = await asyncio.gather(
        *(drawing.once(Kind.SHEET, "one", make, user=user, source="s") for user in "abc"),
        return_exceptions=True,
    )
    assert [type(error) for error in found] == [DrawingFailed] * 3


def is_nice(process: psutil.Process) -> bool:
    return process.nice() == sheets.NICENESS


def has_ended(process: psutil.Process) -> bool:
    return not process.is_running()


def ends(pipe: Path) -> bool:
    """Ends what a program reads from a pipe, once it has opened it."""
    try:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return False
    return True


async def test_the_program_runs_at_low_priority_one_at_a_time(
    slow_plan: bytes, tmp_path: Path
) -> None:
    """The second begins when the first has ended."""
    draw = partial(drawings.sheet, planned=slow_plan)
    async with closed(Drawing()) as patient:
        both = [
            asyncio.create_task(patient.once(Kind.SHEET, name, draw, user="ann", source="s"))
            for name in ("one", "two")
        ]
        for _ in both:
            found = await wait_for(program)
            assert found is not None
            await wait_for(partial(is_nice, found))
            await wait_for(partial(ends, tmp_path / "slow"))
            await wait_for(partial(has_ended, found))
        assert await asyncio.gather(*both) == [b"", b""]


async def test_a_program_that_fails_tells_its_words_to_the_log_alone(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(DrawingFailed) as failed:
        await drawings.sheet(Stint(), b"no plan")
    assert "JSON" not in failed.value.detail
    assert "JSONDecodeError" in capfd.readouterr().out


async def test_a_program_that_is_killed_is_a_failure(slow_sheet: asyncio.Task[bytes]) -> None:
    found = await wait_for(program)
    assert found is not None
    found.send_signal(signal.SIGKILL)
    with pytest.raises(DrawingFailed):
        await slow_sheet


async def test_what_takes_too_much_memory_is_a_failure(tmp_path: Path) -> None:
    """And the next sheet is drawn, or found to have nothing to draw."""
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1_500_000_000)
    huge = sheet_plan(Grid(1, 160, 90), [Tile(0, str(tmp_path / "huge"), 0, 1_500_000_000, "")])
    with pytest.raises(DrawingFailed):
        await drawings.sheet(Stint(), huge)
    assert await drawings.sheet(Stint(), sheet_plan(Grid(1, 160, 90), [])) == b""


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_API_SECRET", "not for strangers")


@pytest.mark.usefixtures("secret", "slow_sheet")
async def test_it_has_limits_and_no_secret_of_ours() -> None:
    found = await wait_for(program)
    assert found is not None
    environment = found.environ()
    limits = {
        name: found.rlimit(getattr(psutil, f"RLIMIT_{name}"))[1]
        for name in ("DATA", "CPU", "FSIZE", "NOFILE", "CORE")
    }
    assert "PATH" in environment
    assert not [name for name in environment if "SECRET" in name]
    assert limits == LIMITS.by_name()


async def test_closing_ends_the_program(slow_plan: bytes) -> None:
    draw = partial(drawings.sheet, planned=slow_plan)
    async with closed(Drawing()) as drawing:
        task = asyncio.create_task(drawing.once(Kind.SHEET, "slow", draw, user="ann", source="s"))
        found = await wait_for(program)
        assert found is not None
    assert not found.is_running()
    with pytest.raises(asyncio.CancelledError):
        await task

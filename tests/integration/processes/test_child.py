"""A child process is kept running, ends when asked, and dies with its parent."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest_asyncio
from structlog.testing import capture_logs

from app.processes.child import BackOff, Child
from app.work.troubles import Troubles
from tests.waiting import PATIENCE_SECONDS, wait_for

MakeChild = Callable[..., Child]


@pytest_asyncio.fixture
async def make_child(tmp_path: Path) -> AsyncIterator[MakeChild]:
    """Starts a Child that runs Python code, its output in tmp_path/log; ended after the test."""
    children: list[Child] = []

    def make(code: str, env: dict[str, str] | None = None) -> Child:
        argv = [sys.executable, "-c", textwrap.dedent(code)]
        child = Child("test", argv, env=env, cwd=tmp_path, log_path=tmp_path / "log")
        children.append(child)
        child.start()
        return child

    yield make
    for child in children:
        await child.stop(0)


async def test_a_child_that_ends_is_started_again(make_child: MakeChild, tmp_path: Path) -> None:
    make_child("print('run', flush=True); raise SystemExit(3)")
    await wait_for(lambda: (tmp_path / "log").exists() and _log(tmp_path).count("run") >= 3)


async def test_each_restart_waits_twice_as_long(make_child: MakeChild) -> None:
    began = time.monotonic()
    with capture_logs() as told:
        child = make_child("raise SystemExit(3)")
        await wait_for(lambda: child.exits == 4)
    assert time.monotonic() - began >= 0.2 + 0.4 + 0.8
    assert [line["restart_in_seconds"] for line in told] == [0.2, 0.4, 0.8, 1.6]


async def test_a_child_that_ends_again_and_again_is_told() -> None:
    """For the health of the container: it is up, and does not get on."""
    troubles = Troubles()
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    child = Child("test", [sys.executable, "-c", code], troubles=troubles)
    child.start()
    try:
        (told,) = await wait_for(troubles.current)
        assert child.exits >= 3
        assert told.startswith("test ends again and again: 3 times in ")
        assert told.endswith("the last time killed: if nobody did it, memory did not suffice")
    finally:
        await child.stop(0)


def test_two_ends_are_no_loop() -> None:
    troubles = Troubles()
    back_off = BackOff("test", troubles)
    for _ in range(2):
        back_off.ended("with code 1")
        assert troubles.current() == []
    back_off.ended("with code 1")
    assert troubles.current() != []


async def test_a_killed_child_is_started_again(make_child: MakeChild) -> None:
    child = make_child("import time; time.sleep(600)")
    first = await wait_for(lambda: child.pid)
    os.kill(first, signal.SIGKILL)
    await wait_for(lambda: child.pid not in (None, first))


async def test_a_child_that_we_kill_is_not_started_again(make_child: MakeChild) -> None:
    child = make_child("import time; time.sleep(600)")
    pid = await wait_for(lambda: child.pid)
    await asyncio.wait_for(child.kill(), PATIENCE_SECONDS)
    assert not psutil.pid_exists(pid)
    assert (child.pid, child.exits) == (None, 0)


async def test_a_wrong_configuration_is_not_tried_again(make_child: MakeChild) -> None:
    child = make_child("raise SystemExit(78)")
    await asyncio.wait_for(child.refused.wait(), PATIENCE_SECONDS)
    await asyncio.sleep(0.5)  # more than the first back-off: a restart would show
    assert child.exits == 1
    assert child.pid is None


async def test_stop_lets_the_child_end_in_order(make_child: MakeChild, tmp_path: Path) -> None:
    child = make_child(
        """
        import signal, sys, time
        def end(*_):
            print("ended in order", flush=True)
            sys.exit(0)
        signal.signal(signal.SIGTERM, end)
        print("ready", flush=True)
        time.sleep(600)
        """
    )
    await wait_for(lambda: "ready" in _log(tmp_path))
    await child.stop(10)
    assert "ended in order" in _log(tmp_path)
    assert child.pid is None
    assert child.exits == 0


async def test_a_child_that_ignores_sigterm_is_killed_with_its_own_children(
    make_child: MakeChild, tmp_path: Path
) -> None:
    child = make_child(
        """
        import signal, subprocess, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("grandchild", subprocess.Popen(["sleep", "600"]).pid, flush=True)
        time.sleep(600)
        """
    )
    await wait_for(lambda: "grandchild" in _log(tmp_path))
    grandchild = int(_log(tmp_path).split()[-1])
    await child.stop(0.2)
    assert child.pid is None
    await wait_for(lambda: not _is_running(grandchild))


async def test_stop_during_the_backoff_starts_nothing_more(make_child: MakeChild) -> None:
    child = make_child("raise SystemExit(3)")
    await wait_for(lambda: child.exits == 3)
    started = time.monotonic()
    await child.stop(10)
    assert time.monotonic() - started < 5
    assert child.pid is None


async def test_a_program_that_does_not_exist_is_said_in_the_log(tmp_path: Path) -> None:
    child = Child("test", ["/no/such/program"], log_path=tmp_path / "log")
    child.start()
    try:
        await wait_for(lambda: child.exits)
        assert "/no/such/program: No such file or directory" in _log(tmp_path)
    finally:
        await child.stop(10)


async def test_a_child_gets_our_environment_and_its_own(
    make_child: MakeChild, tmp_path: Path
) -> None:
    make_child(
        "import os, time; print(os.environ['PATH'], os.environ['MORE'], flush=True);"
        "time.sleep(600)",
        env={"MORE": "of it"},
    )
    await wait_for(lambda: f"{os.environ['PATH']} of it" in _log(tmp_path))


async def test_the_child_of_a_killed_parent_dies(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        textwrap.dedent(
            """
            import asyncio, sys
            from app.processes.child import Child

            async def main():
                child = Child("test", ["sleep", "600"])
                child.start()
                while child.pid is None:
                    await asyncio.sleep(0.01)
                print(child.pid, flush=True)
                await asyncio.sleep(600)

            asyncio.run(main())
            """
        ),
        stdout=asyncio.subprocess.PIPE,
    )
    assert parent.stdout
    child = int(await parent.stdout.readline())
    await wait_for(lambda: psutil.Process(child).name() == "sleep")
    parent.kill()
    await parent.wait()
    await wait_for(lambda: not _is_running(child))


def _log(folder: Path) -> str:
    path = folder / "log"
    return path.read_text() if path.exists() else ""


def _is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

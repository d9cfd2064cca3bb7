"""What processes of the service tell of themselves on their machine: `python -m app health`."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.models import ProcessRole
from app.processes import life_signs, liveness
from app.processes.free_ports import unused_port
from app.settings import Settings, load
from tests.integration.processes.test_supervisor import ROOT
from tests.serving import serving

SECRET = "the-secret-of-the-tests-of-32-bytes"


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Of a service that needs no store; the sockets of its processes are removed."""
    made = of(tmp_path)
    yield made
    for role in ProcessRole:
        for path in life_signs.sockets(made, role):
            life_signs.remove(path)


def of(folder: Path, **given: object) -> Settings:
    defaults: dict[str, object] = {
        "livekit_api_key": "devkey",
        "livekit_api_secret": SECRET,
        "data_dir": folder,
    }
    return load(_env_file=None, **(defaults | given))


async def wrong(settings: Settings, role: ProcessRole | None = None) -> list[str]:
    return await asyncio.to_thread(life_signs.wrong, settings, role)


async def test_a_process_that_lives_is_well_until_it_ends(settings: Settings) -> None:
    none = "worker: none runs here under this user and these settings"
    assert await wrong(settings, ProcessRole.WORKER) == [none]
    async with liveness.told(settings, ProcessRole.WORKER):
        assert await wrong(settings, ProcessRole.WORKER) == []
        assert await wrong(settings) == []
    assert await wrong(settings, ProcessRole.WORKER) == [none]
    assert await wrong(settings) == [
        "nothing of the service runs here under this user and these settings"
    ]


async def test_a_process_says_what_is_wrong_with_it(settings: Settings) -> None:
    async with (
        liveness.told(settings, ProcessRole.WORKER) as troubles,
        liveness.told(settings, ProcessRole.INDEXER),
    ):
        troubles.tell("MONGO_URL", "its start waits for MONGO_URL: \x1b[31mrefused")
        told = ["worker: its start waits for MONGO_URL: ?[31mrefused"]
        assert await wrong(settings, ProcessRole.WORKER) == told
        assert await wrong(settings) == told
        assert await wrong(settings, ProcessRole.INDEXER) == []
        troubles.over("MONGO_URL")
        assert await wrong(settings) == []
        troubles.tell("loop", "for a moment", seconds=0)
        assert await wrong(settings) == []


async def test_a_whole_service_lacks_what_its_supervisor_has_not_started(
    settings: Settings,
) -> None:
    async with (
        liveness.told(settings, ProcessRole.SUPERVISOR),
        liveness.told(settings, ProcessRole.WORKER),
    ):
        lacking = [each.partition(":")[0] for each in await wrong(settings)]
    assert lacking == ["api", "indexer"]


async def test_a_process_whose_event_loop_hangs_says_nothing(settings: Settings) -> None:
    async with liveness.told(settings, ProcessRole.WORKER):
        # in this thread, which the event loop needs
        found = life_signs.wrong(settings, ProcessRole.WORKER, patience_seconds=0.2)
    assert found == ["worker: it hangs: no answer within 0.2 s"]


async def test_a_killed_process_is_told_and_the_next_one_takes_its_place(
    settings: Settings,
) -> None:
    path = leave_behind(settings, ProcessRole.WORKER)
    assert await wrong(settings) == ["worker: it was killed"]
    async with liveness.told(settings, ProcessRole.WORKER):
        assert await wrong(settings, ProcessRole.WORKER) == []
        assert not path.parent.exists()
    assert life_signs.sockets(settings, ProcessRole.WORKER) == []


async def test_what_killed_processes_left_goes_in_a_while(settings: Settings) -> None:
    """Not at once: a process that does not answer may just begin."""
    left, young = (leave_behind(settings, role) for role in (ProcessRole.API, ProcessRole.INDEXER))
    os.utime(left, (1, 1))
    async with liveness.told(settings, ProcessRole.WORKER):
        assert not left.parent.exists()
        assert young.exists()


def leave_behind(settings: Settings, role: ProcessRole) -> Path:
    path = life_signs.new_path(settings, role)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
        left.listen()
    return path


async def test_nobody_else_takes_the_place_of_a_process_or_speaks_for_it(
    settings: Settings,
) -> None:
    """Whatever others make where all may write, and whatever its name is."""
    async with liveness.told(settings, ProcessRole.WORKER):
        (path,) = life_signs.sockets(settings, ProcessRole.WORKER)
        assert path.parent.stat().st_mode & 0o777 == 0o700
    others: list[Path] = []
    try:
        for mode in (0o777, 0o770, 0o755):  # none that we have made
            squatted = life_signs.new_path(settings, ProcessRole.WORKER).parent
            squatted.chmod(mode)
            others.append(squatted)
            with socket.socket(socket.AF_UNIX) as squatter:
                squatter.bind(str(squatted / path.name))
        others.append(path.parent)
        path.parent.symlink_to(others[0])
        assert life_signs.sockets(settings, ProcessRole.WORKER) == []
        async with liveness.told(settings, ProcessRole.WORKER):
            assert await wrong(settings, ProcessRole.WORKER) == []
        assert all((each / path.name).exists() for each in others)
    finally:
        for each in others:
            each.unlink() if each.is_symlink() else shutil.rmtree(each)


async def test_folders_of_others_that_come_and_go_make_no_difference(settings: Settings) -> None:
    root, over = Path(tempfile.gettempdir()), threading.Event()
    folders = [root / f"replay-life-{os.getuid()}-x{number}" for number in range(40)]

    def churn() -> None:
        while not over.is_set():
            for make in (Path.mkdir, Path.rmdir):
                for each in folders:
                    make(each)

    async with liveness.told(settings, ProcessRole.WORKER):
        churning = asyncio.create_task(asyncio.to_thread(churn))
        try:
            for _ in range(30):
                async with liveness.told(settings, ProcessRole.API):
                    assert life_signs.sockets(settings, ProcessRole.API) != []
                assert await wrong(settings, ProcessRole.WORKER) == []
        finally:
            over.set()
            await churning


async def test_a_process_that_found_no_place_to_tell_goes_on_trying(tmp_path: Path) -> None:
    """Here the folder for temporary files is away when it starts."""
    program = """
import asyncio, sys, tempfile
from pathlib import Path
from app.models import ProcessRole
from app.processes import liveness
from tests.integration.processes.test_liveness import of

async def main():
    there = Path(tempfile.gettempdir())
    there.rmdir()
    async with liveness.told(of(Path(sys.argv[1])), ProcessRole.WORKER, again_seconds=0.1):
        there.mkdir()
        while not list(there.glob("*/*")):
            await asyncio.sleep(0.05)
    assert not list(there.iterdir())

asyncio.run(asyncio.wait_for(main(), 60))
"""
    with tempfile.TemporaryDirectory() as there:  # a socket's path is short
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", program, str(tmp_path)],
            cwd=ROOT,
            env=os.environ | {"TMPDIR": there},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("health_not_told") >= 1, done.stdout


async def test_one_that_ends_leaves_the_socket_of_its_successor(settings: Settings) -> None:
    async with liveness.told(settings, ProcessRole.WORKER) as first:
        first.tell("x", "the first")
        after = liveness.told(settings, ProcessRole.WORKER)
        await after.__aenter__()
        assert await wrong(settings, ProcessRole.WORKER) == []
    assert await wrong(settings, ProcessRole.WORKER) == []
    await after.__aexit__(None, None, None)
    assert await wrong(settings, ProcessRole.WORKER) != []


async def test_services_do_not_speak_for_each_other(settings: Settings, tmp_path: Path) -> None:
    async with liveness.told(settings, ProcessRole.WORKER):
        for other in (of(tmp_path / "b"), of(tmp_path, metrics_port=9102)):
            assert await wrong(other, ProcessRole.WORKER) != []


async def test_the_api_is_asked_over_http_too(tmp_path: Path) -> None:
    async def app(scope: object, receive: object, send: object) -> None:
        raise RuntimeError("nothing is served here")

    settings = of(tmp_path, port=unused_port())
    async with liveness.told(settings, ProcessRole.API):
        (found,) = await wrong(settings, ProcessRole.API)
        assert found.startswith(f"api: GET /healthz at HOST=127.0.0.1 PORT={settings.port}: ")
        async with serving(app) as url:
            settings_there = of(tmp_path, port=int(url.rpartition(":")[2]))
            async with liveness.told(settings_there, ProcessRole.API):
                assert await wrong(settings_there) == ["api: GET /healthz answers 500"]


async def test_the_command_says_it_in_a_line(settings: Settings, tmp_path: Path) -> None:
    async def run(*arguments: str, **environment: str) -> tuple[int, str]:
        return await asyncio.to_thread(health, tmp_path, *arguments, **environment)

    async with liveness.told(settings, ProcessRole.WORKER) as troubles:
        assert await run("worker") == (0, "ok\n")
        assert await run() == (0, "ok\n")
        troubles.tell("x", "memory is short")
        assert await run() == (1, "worker: memory is short\n")
    assert (await run("indexer"))[0] == 1
    code, said = await run("worker", SEGMENT_SECONDS="soon", PORT="0")
    assert code == 1
    assert "SEGMENT_SECONDS='soon'" in said
    assert said.count("\n") == 1
    code, said = await run("worker", TMPDIR=str(tmp_path / "none"))
    assert (code, said.count("\n")) == (1, 1)


def health(folder: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code and standard output; nothing is said elsewhere."""
    given = {
        "PYTHONPATH": str(ROOT),
        "LIVEKIT_API_KEY": "devkey",
        "LIVEKIT_API_SECRET": SECRET,
        "DATA_DIR": str(folder),
    }
    done = subprocess.run(
        [sys.executable, "-m", "app", "health", *arguments],
        cwd=folder,
        env=os.environ | given | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_the_command_loads_little(tmp_path: Path) -> None:
    """It is run again and again, beside the service: 0.2 s of a core, mostly for the settings."""
    dear = {"structlog", "rich", "redis", "pymongo", "livekit", "aiohttp", "httpx", "starlette"}
    program = (
        "import sys, app.__main__ as main; code = main.main(['health', 'worker']); "
        f"sys.exit(repr({dear!r} & sys.modules.keys()) if code != 1 or {dear!r} & "
        "sys.modules.keys() else 0)"
    )
    environment = {"LIVEKIT_API_KEY": "devkey", "LIVEKIT_API_SECRET": SECRET}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | environment | {"DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")

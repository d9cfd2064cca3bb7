"""`python -m app`: its processes come back, end together, and never outlive it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest
import pytest_asyncio

from app.models import ProcessRole
from app.processes.free_ports import choose_ports
from app.processes.process_name import PREFIX
from tests.plain_http import plain_client
from tests.waiting import PATIENCE_SECONDS, wait_for

ROOT = Path(__file__).resolve().parents[3]
ROLES = {*ProcessRole.of_service()}


@dataclass
class Service:
    """A running `python -m app`, in a folder of its own."""

    process: asyncio.subprocess.Process
    url: str
    log_path: Path
    environment: dict[str, str]

    def processes(self) -> dict[str, psutil.Process]:
        """Its processes by role, the stores' by program."""
        found = {}
        supervisor = psutil.Process(self.process.pid)
        ours = supervisor.cmdline()
        for child in supervisor.children(recursive=True):
            try:
                command, role = child.cmdline(), child.name().removeprefix(PREFIX)
            except psutil.Error:  # it has just ended
                continue
            if role in ROLES:
                found[role] = child
            elif "app" in command or command == ours:
                continue  # not yet the program, or under the name, that it gets
            elif command and "bound_exec.py" not in " ".join(command):
                found["mongo" if "--storage-path" in command else "redis"] = child
        return found

    async def answers(self) -> bool:
        async with plain_client(base_url=self.url) as client:
            try:
                return (await client.get("/healthz")).status_code == 200
            except httpx.HTTPError:
                return False

    async def health(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output of `python -m app health` with the same settings."""
        asked = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app", "health", *arguments),
            cwd=self.log_path.parent,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await asyncio.wait_for(asked.communicate(), PATIENCE_SECONDS)
        assert asked.returncode is not None
        return asked.returncode, said.decode()

    async def is_well(self, *arguments: str) -> bool:
        return await self.health(*arguments) == (0, "ok\n")

    def log(self) -> str:
        return self.log_path.read_text()


async def start(folder: Path, *arguments: str, **environment: str) -> Service:
    """Starts `python -m app` in `folder`, with DATA_DIR relative to it."""
    port = choose_ports(["api"], folder / "port.json")["api"]
    log_path = folder / "log"
    settings = {
        "LIVEKIT_URL": "ws://127.0.0.1:9",  # discard: nothing listens there
        "LIVEKIT_API_KEY": "devkey",
        "LIVEKIT_API_SECRET": "the-secret-of-the-tests-of-32-bytes",
        "DATA_DIR": "data",
        "PORT": str(port),
        "FREE_SPACE_MIN_BYTES": "0",
    } | environment
    own = os.environ | {"PYTHONPATH": str(ROOT)} | settings
    with log_path.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app", *arguments),
            cwd=folder,
            env=own,
            stdout=log,
            stderr=log,
        )
    return Service(process, f"http://127.0.0.1:{settings['PORT']}", log_path, own)


async def run_to_end(folder: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code and output of a `python -m app` that ends by itself."""
    service = await start(folder, *arguments, **environment)
    try:
        return await asyncio.wait_for(service.process.wait(), PATIENCE_SECONDS), service.log()
    finally:
        if service.process.returncode is None:
            service.process.kill()
            await service.process.wait()


@pytest_asyncio.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """A service whose API answers, for the tests that leave it as they found it."""
    service = await start(tmp_path_factory.mktemp("service"))
    try:
        await wait_for(service.answers)
        yield service
    finally:
        if service.process.returncode is None:
            service.process.terminate()
        await asyncio.wait_for(service.process.wait(), PATIENCE_SECONDS)


async def test_the_service_is_its_three_processes_and_two_stores(running: Service) -> None:
    await wait_for(lambda: running.processes().keys() == ROLES | {"mongo", "redis"})


@pytest.mark.parametrize("name", ["indexer", "worker", "api", "redis", "mongo"])
async def test_a_killed_process_comes_back(running: Service, name: str) -> None:
    before = (await wait_for(lambda: running.processes().get(name))).pid
    os.kill(before, signal.SIGKILL)

    def again() -> bool:
        process = running.processes().get(name)
        return process is not None and process.pid != before

    await wait_for(again)
    await wait_for(running.answers)


async def test_the_whole_tells_that_it_is_well_and_so_does_each_process(running: Service) -> None:
    for arguments in ((), *((role,) for role in ROLES)):
        await wait_for(partial(running.is_well, *arguments))


async def test_a_process_that_hangs_is_told(running: Service) -> None:
    worker = await wait_for(lambda: running.processes().get("worker"))
    worker.suspend()
    try:
        code, said = await running.health()
        assert code == 1
        assert "worker: it hangs: no answer within 3 s" in said
        assert (await running.health("worker"))[0] == 1
        await wait_for(partial(running.is_well, "indexer"))
    finally:
        worker.resume()


async def test_a_request_that_comes_while_the_api_is_away_is_answered(running: Service) -> None:
    api = await wait_for(lambda: running.processes().get("api"))
    api.kill()
    await asyncio.to_thread(api.wait, PATIENCE_SECONDS)
    assert await running.answers(), "waited in the supervisor's socket, not refused"


async def test_a_second_service_on_the_same_data_is_refused(running: Service) -> None:
    code, output = await run_to_end(running.log_path.parent, PORT=other_port())
    assert code == 78
    assert f"DATA_DIR='data' is in use by the service with process id {running.process.pid}" in (
        output
    )
    assert "Traceback" not in output


async def test_sigterm_ends_the_whole_tree_in_order(tmp_path: Path) -> None:
    service = await start(tmp_path)
    await wait_for(service.answers)
    tree = list(service.processes().values())
    service.process.terminate()
    assert await asyncio.wait_for(service.process.wait(), PATIENCE_SECONDS) == 0
    assert not [process for process in tree if process.is_running()]
    assert "child_killed" not in service.log()
    assert "child_ended" not in service.log()
    assert "Traceback" not in service.log()


async def test_ctrl_c_while_the_stores_start_ends_it_too(tmp_path: Path) -> None:
    service = await start(tmp_path)
    await wait_for(lambda: service.processes().keys() & {"mongo", "redis"})
    service.process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(service.process.wait(), PATIENCE_SECONDS) == 0
    assert "Traceback" not in service.log()


async def test_no_process_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    service = await start(tmp_path)
    await wait_for(service.answers)
    await wait_for(lambda: service.processes().keys() == ROLES | {"mongo", "redis"})
    tree = list(service.processes().values())
    service.process.kill()
    await service.process.wait()
    await wait_for(lambda: not [process for process in tree if process.is_running()])


async def test_what_a_killed_supervisor_has_left_goes_at_the_next_start(tmp_path: Path) -> None:
    """Its folder of counters, among the temporary ones. The one of a service that runs stays."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    (tmp_path / "other").mkdir()
    killed = await start(tmp_path, TMPDIR=str(temporary))
    await wait_for(killed.answers)
    killed.process.kill()
    await killed.process.wait()
    [left] = temporary.glob("replay-metrics-*")
    services = [
        await start(folder, TMPDIR=str(temporary)) for folder in (tmp_path, tmp_path / "other")
    ]
    try:
        for service in services:
            await wait_for(service.answers)
        assert not left.exists()
        assert len([*temporary.glob("replay-metrics-*")]) == 2
    finally:
        for service in services:
            service.process.terminate()
            await asyncio.wait_for(service.process.wait(), PATIENCE_SECONDS)
    assert [*temporary.iterdir()] == []


async def test_a_wrong_setting_ends_the_start_with_its_name(tmp_path: Path) -> None:
    code, output = await run_to_end(tmp_path, SEGMENT_SECONDS="soon")
    assert code == 78
    assert "SEGMENT_SECONDS='soon'" in output
    assert not (tmp_path / "data").exists(), "nothing was started"


async def test_what_only_a_process_finds_wrong_ends_the_service(tmp_path: Path) -> None:
    (tmp_path / "data/media").mkdir(parents=True)
    (tmp_path / "data/media/.instance").write_text("not an id\n")
    code, output = await run_to_end(tmp_path)
    assert code == 78
    assert "configuration error: " in output
    assert ".instance holds 'not an id'" in output


async def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, output = await run_to_end(tmp_path, PORT=str(taken.getsockname()[1]))
    assert code == 78
    assert "PORT=" in output
    assert "Address already in use" in output


async def test_one_process_alone_needs_the_stores_of_a_service(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "worker"),
        cwd=tmp_path,
        env=os.environ
        | {
            "PYTHONPATH": str(ROOT),
            "LIVEKIT_API_KEY": "devkey",
            "LIVEKIT_API_SECRET": "the-secret-of-the-tests-of-32-bytes",
        },
        stderr=asyncio.subprocess.PIPE,
    )
    _, error = await process.communicate()
    assert process.returncode == 78
    assert b"MONGO_URL and REDIS_URL missing" in error


def other_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])

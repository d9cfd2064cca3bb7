"""The two commands that a newcomer types: deploy/up and deploy/down."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest_asyncio

from app.processes.free_ports import choose_ports
from deploy.local.run_record import Process, Record
from deploy.local.stack import LiveKitStack
from tests.waiting import PATIENCE_SECONDS, wait_for

ROOT = Path(__file__).resolve().parents[2]
UP_SECONDS = 240
"""Setting up included, which in a fresh checkout takes most of it."""


async def _run(*command: str, **environment: str) -> tuple[int, str]:
    """Exit code and output of a command of deploy/ that ends by itself."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env=os.environ | environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), UP_SECONDS)
    return process.returncode or 0, output.decode()


async def _started(*command: str) -> asyncio.subprocess.Process:
    """A command of deploy/ that goes on, in a process group of its own."""
    return await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )


def _takes(listener: socket.socket, port: int) -> bool:
    """Whether the port could be taken: another test may be about to give it back."""
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen()
    except OSError:
        return False
    return True


def _still_running(folder: Path) -> list[str]:
    """The command lines of processes that work in or on `folder`."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            command = " ".join(process.cmdline())
            if str(folder) in command or process.cwd().startswith(str(folder)):
                found.append(command)
    return found


@pytest_asyncio.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Path]:
    """A folder for deploy/up; what it started there is ended after the test."""
    yield tmp_path / "run"
    await _run("deploy/down", "--folder", str(tmp_path / "run"))
    assert _still_running(tmp_path) == []


async def _probe(path: Path) -> dict[str, object]:
    code, output = await _run(
        *("ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", str(path))
    )
    assert code == 0, output
    found: dict[str, object] = json.loads(output)
    return found


async def test_up_ends_with_a_clip_of_a_share_and_down_ends_everything(folder: Path) -> None:
    code, output = await _run("deploy/up", "-d", "--folder", str(folder))
    assert code == 0, output

    clip = folder / "demo.mp4"
    assert f"clip       {clip}" in output
    found = await _probe(clip)
    assert 9.5 < float(found["format"]["duration"]) < 10.5  # type: ignore[index]
    kinds = {stream["codec_type"]: stream for stream in found["streams"]}  # type: ignore[attr-defined]
    assert kinds.keys() == {"video", "audio"}
    assert (kinds["video"]["width"], kinds["video"]["height"]) == (1280, 720)
    assert "1280x720@15:1500" in output, "the encoding is told"

    url = re.search(r"API +(http://127\.0\.0\.1:\d+)", output)
    token = re.search(r"token +(ey\S+)", output)
    assert url
    assert token
    assert f"console    {url[1]}/#token={token[1]}" in output
    admin = re.search(r"as an admin: (\S+)/#token=(ey\S+)", output)
    assert admin
    async with httpx.AsyncClient(base_url=url[1], timeout=PATIENCE_SECONDS) as client:
        mine = await client.get("/session", headers={"Authorization": f"Bearer {admin[2]}"})
        assert mine.json()["instance_admin"]
        answer = await client.get("/clips", headers={"Authorization": f"Bearer {token[1]}"})
        assert len(answer.json()["items"]) == 1

    record = Record.read(folder)
    code, again = await _run("deploy/up", "-d", "--folder", str(folder))
    assert code == 0
    assert "already running" in again
    assert url[1] in again
    assert Record.read(folder) == record, "nothing was started a second time"

    code, output = await _run("deploy/down", "--folder", str(folder))
    assert code == 0
    for name in ("up", "valkey", "livekit", "egress", "service", "share"):
        assert name in output
    assert _still_running(folder) == []
    code, output = await _run("deploy/down", "--folder", str(folder))
    assert (code, output) == (0, "deploy/down: nothing was running\n")


async def test_nothing_outlives_a_killed_up(folder: Path) -> None:
    up = await _started("deploy/up", "--no-demo", "--folder", str(folder))

    def tree() -> list[psutil.Process]:
        return psutil.Process(up.pid).children(recursive=True)

    # Valkey, livekit-server, the stand-in, the service, its two stores: not ready yet, but there
    await wait_for(lambda: len(tree()) >= 6, UP_SECONDS)
    started = tree()
    up.kill()
    await up.wait()
    await wait_for(lambda: not [process for process in started if process.is_running()])
    assert _still_running(folder) == []


async def test_up_after_a_killed_up_on_other_ports_if_its_own_are_taken_until_ctrl_c(
    folder: Path,
) -> None:
    killed = Record({"up": Process(os.getpid(), 0, "another boot")}, summary="ready")
    folder.mkdir()
    killed.write(folder)
    with socket.socket() as taken:
        # as a server would: connections that ended shortly ago are in nobody's way
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(AssertionError):  # somebody else has it, for good: it is taken all the same
            await wait_for(lambda: _takes(taken, 8000), 60)
        up = await _started("deploy/up", "--no-demo", "--folder", str(folder))
        assert up.stdout
        output = ""
        async with asyncio.timeout(UP_SECONDS):
            while "ready; Ctrl-C" not in output:
                line = await up.stdout.readline()
                assert line, output
                output += line.decode()
        assert "port 8000 is taken" in output
        os.killpg(up.pid, signal.SIGINT)
        assert await asyncio.wait_for(up.wait(), 60) == 0
    assert _still_running(folder) == []


async def test_service_only_runs_just_the_service_on_the_livekit_of_the_environment(
    folder: Path, tmp_path: Path
) -> None:
    port = choose_ports(["api"], tmp_path / "port.json")["api"]
    async with LiveKitStack(tmp_path / "livekit") as livekit:
        code, output = await _run(
            *("deploy/up", "-d", "--service-only", "--folder", str(folder)),
            LIVEKIT_URL=livekit.url,
            LIVEKIT_API_KEY=livekit.api_key,
            LIVEKIT_API_SECRET=livekit.api_secret,
            PORT=str(port),
            DATA_DIR=str(tmp_path / "data"),
        )
        assert code == 0, output
        record = Record.read(folder)
        assert record
        assert record.processes.keys() == {"up", "service"}
        assert f"console    http://127.0.0.1:{port}/#token=$(" in output
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
            answer = await client.get(f"http://127.0.0.1:{port}/readyz")
        assert answer.status_code == 200, answer.text
        code, output = await _run("deploy/down", "--folder", str(folder))
        assert "ended up, service" in output


async def test_service_only_names_what_is_missing(folder: Path) -> None:
    code, output = await _run(
        *("deploy/up", "-d", "--service-only", "--folder", str(folder)),
        LIVEKIT_API_KEY="",
    )
    assert code == 1
    assert "LIVEKIT_API_KEY is missing" in output

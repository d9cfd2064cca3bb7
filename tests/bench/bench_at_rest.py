"""`python -m app` on embedded stores: how soon it is ready, what CPU that took, what it holds then.

Ready: every check of /readyz is ok but LiveKit's, which is none here. `first` is a start that makes
its stores, `again` one on what is there. CPU: of all its processes, those that have ended among
them. At rest: so many seconds later, with nothing recorded.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil

from app.processes.free_ports import choose_ports
from tests.bench import measure
from tests.bench.ground import Ground
from tests.bench.report import Result, result
from tests.bench.running import API_KEY, API_SECRET, READY_SECONDS, ROOT, STOP_SECONDS
from tests.service import PROGRAMS, programs

WAYS: dict[str, tuple[str, ...]] = {"several": (), "single": ("single",)}
_LOOK_SECONDS = 0.01


async def run(ground: Ground) -> list[Result]:
    results: list[Result] = []
    for way, arguments in WAYS.items():
        ground.say(f"starting, {way}")
        ready: dict[str, list[float]] = {"first": [], "again": []}
        cpu: dict[str, list[float]] = {start: [] for start in ready}
        memory: defaultdict[str, list[float]] = defaultdict(list)
        for _ in range(ground.pick(quick=1, full=5)):
            folder = ground.scratch / "at-rest"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for start, seconds in ready.items():
                async with _started(folder, arguments) as (process, took):
                    seconds.append(took)
                    cpu[start].append(_cpu_seconds(process))
                    await asyncio.sleep(ground.pick(quick=2, full=10))
                    for name, held in _resident_mb(process).items():
                        memory[name].append(held)
        results += [
            result("ready", way, {"start": start}, "s", seconds) for start, seconds in ready.items()
        ]
        results += [
            result("start_cpu", way, {"start": start}, "s", seconds)
            for start, seconds in cpu.items()
        ]
        results += [
            result("at_rest", way, {"process": name}, "MB", held) for name, held in memory.items()
        ]
    return results


@asynccontextmanager
async def _started(
    folder: Path, arguments: tuple[str, ...]
) -> AsyncIterator[tuple[psutil.Process, float]]:
    """A service that is ready, and the seconds that it took; ended with the block."""
    port = choose_ports(["http"], folder / "ports.json")["http"]
    environment = os.environ | {
        "LIVEKIT_URL": "ws://127.0.0.1:9",  # discard: nothing listens there
        "LIVEKIT_API_KEY": API_KEY,
        "LIVEKIT_API_SECRET": API_SECRET,
        "PORT": str(port),
        "DATA_DIR": str(folder / "data"),
        "FILE_UPLOAD_DEST": str(folder / "media"),
        "FREE_SPACE_MIN_BYTES": "0",
        "LOG_LEVEL": "warning",
    }
    command = (sys.executable, "-m", "app", *arguments)
    began = time.perf_counter()
    with (folder / "service.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        await _until_ready(f"http://127.0.0.1:{port}/readyz", process, folder)
        yield psutil.Process(process.pid), time.perf_counter() - began
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGTERM)
            await asyncio.wait_for(process.wait(), STOP_SECONDS)


async def _until_ready(url: str, process: asyncio.subprocess.Process, folder: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    async with httpx.AsyncClient(trust_env=False) as client:
        while not await _is_ready(client, url):
            if process.returncode is not None or time.monotonic() > deadline:
                log = (folder / "service.log").read_text(errors="replace")
                raise RuntimeError(f"the service does not get ready:\n{log[-3000:]}")
            await asyncio.sleep(_LOOK_SECONDS)


async def _is_ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        checks = (await client.get(url)).json()["checks"]
    except (httpx.TransportError, ValueError):
        return False
    return {found for name, found in checks.items() if name != "livekit"} == {"ok"}


def _cpu_seconds(service: psutil.Process) -> float:
    """Of its processes that run, and of those that have run for them and ended."""
    times = [each.cpu_times() for each in (service, *service.children(recursive=True))]
    return sum(one.user + one.system + one.children_user + one.children_system for one in times)


def _resident_mb(service: psutil.Process) -> dict[str, float]:
    """Resident memory of the process that was started, of its roles and of its stores."""
    found = {"service": service.pid} | programs(service.children(recursive=True), PROGRAMS)
    return {name: measure.resident_bytes(pid) / 1e6 for name, pid in found.items()}

"""The programs that the client's README shows do with a running service what they are for."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

from tests.e2e.conftest import World

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = re.findall(
    r"^```python\n(.*?)^```", (ROOT / "app/client/README.md").read_text(), re.DOTALL | re.MULTILINE
)


async def run(world: World, room: str, folder: Path, program: str) -> list[str]:
    """The lines that a program prints; it does not fail."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-c", program),
        cwd=folder,
        env=os.environ
        | {
            "PYTHONPATH": str(ROOT),
            "REPLAY_URL": world.service.url,
            "REPLAY_TOKEN": world.service.token("alice", room),
            "ROOM": room,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, error = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, error.decode()
    return output.decode().splitlines()


async def test_the_programs_of_its_readme_run(world: World, room: str, tmp_path: Path) -> None:
    blocking, awaiting = PROGRAMS
    async with world.share(room):
        await world.wait_for_buffer(room, seconds=4)
        told = await run(world, room, tmp_path, blocking)
        marked = await run(world, room, tmp_path, awaiting)
    assert "ready" in told
    assert (tmp_path / "clip.mp4").read_bytes()[4:8] == b"ftyp"
    assert len(told[-1].split()) == 2
    assert marked[0].endswith(" that goal")
    assert marked[-1].startswith("404 not-found ")

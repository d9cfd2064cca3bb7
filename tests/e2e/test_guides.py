"""The commands of deploy/guides/README.md do what is told, one after another in one shell."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

from tests.e2e.conftest import World

ROOM = "studio"
ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(
    r"^ *```sh\n(.*?)^ *```",
    (ROOT / "deploy/guides/README.md").read_text(),
    re.DOTALL | re.MULTILINE,
)


async def test_the_guides_are_walked_through(world: World) -> None:
    """From the first capture to its deletion; what is printed last is what the audit has of it."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PUBLIC_URL": world.service.url,
        "URL": f"{world.service.url}/v1",
        "LIVEKIT_API_KEY": world.stack.api_key,
        "LIVEKIT_API_SECRET": world.stack.api_secret,
    }
    async with world.share(ROOM):
        await world.wait_for_buffer(ROOM, seconds=2)
        process = await asyncio.create_subprocess_exec(
            *("bash", "-euo", "pipefail", "-c", "\n".join(BLOCKS)),
            cwd=ROOT,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, error = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, error.decode()
    told = output.decode()
    assert re.search(rf"^{re.escape(world.service.url)}/c/\S+$", told, re.MULTILINE)
    assert '"status":"ready"' in told.replace(": ", ":")
    assert "moderator" in told
    # The first of them stands right behind an answer, which ends without a line's end.
    actions = re.findall(r"(captured|clip_changed|clip_deleted)$", told, re.MULTILINE)
    assert set(actions) == {"captured", "clip_changed", "clip_deleted"}

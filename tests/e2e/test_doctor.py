"""The doctor beside a whole installation that records, in a terminal and over HTTP."""

from __future__ import annotations

import asyncio
import os
import sys

from app.condition import peers
from app.settings import load
from deploy.local.stack import ROOT
from tests.e2e.conftest import World


async def test_nothing_is_wrong_while_a_share_is_recorded(world: World, room: str) -> None:
    service = world.service
    environment = {
        "LIVEKIT_URL": world.stack.url,
        "LIVEKIT_API_KEY": world.stack.api_key,
        "LIVEKIT_API_SECRET": world.stack.api_secret,
        "PORT": str(service.port),
        "DATA_DIR": str(service.folder / "data"),
        "FILE_UPLOAD_DEST": str(service.media_root),
        "ENCODING": "640x360@15:600",
        "FREE_SPACE_MIN_BYTES": "0",
    }
    async with world.share(room):
        await world.wait_for_buffer(room, seconds=4)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app", "doctor"),
            cwd=ROOT,
            env=os.environ | environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await asyncio.wait_for(process.communicate(), 60)
        checks = (await world.admin.get("/operations/checks")).json()
        history = (await world.admin.get("/operations/history")).json()
    lines = output.decode().splitlines()
    assert process.returncode == 0, "\n".join([*lines, errors.decode()])
    levels = {line.split(":")[0].split(maxsplit=1)[1]: line.split()[0] for line in lines}
    for name in ("webhook", "livekit", "clock", "worker", "indexer", "shared folder", "invariants"):
        assert levels[name] == "ok", lines
    assert checks["ok"], checks
    assert {item["name"] for item in checks["items"]} == levels.keys()
    assert history["items"]


async def test_a_livekit_that_refuses_the_key_pair_is_told(world: World) -> None:
    """Another secret, or a key that it does not know."""
    key, secret = world.stack.api_key, world.stack.api_secret
    found = {}
    for case in ((key, secret), (key, "another secret of at least 32 bytes"), ("other", secret)):
        settings = load(
            _env_file=None,
            livekit_url=world.stack.url,
            livekit_api_key=case[0],
            livekit_api_secret=case[1],
        )
        found[case] = await peers.livekit(settings)
    refused = [(each.level, "refuses this key pair" in each.detail) for each in found.values()]
    assert refused == [("ok", False), ("fail", True), ("fail", True)]

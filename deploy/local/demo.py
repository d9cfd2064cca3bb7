"""The demo of `deploy/up`: a share that is buffered by itself, and a clip of its last seconds."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from app.access.token_issue import issue_token
from app.models import BufferState
from app.processes.child import Child
from app.settings import Settings
from app.terminal import capture_command
from app.terminal.connection import connected

ROOM, IDENTITY = "demo", "alice"
SIZE, FPS = "1280x720", 15
CLIP = timedelta(seconds=10)
PATIENCE_SECONDS = 90.0


class DemoFailed(Exception):
    """The demo did not get as far as a clip; the text says how far."""


def share(settings: Settings, livekit_url: str, log_path: Path) -> Child:
    """The program that shares a moving picture with a clock, and sound."""
    token = issue_token(settings, IDENTITY, room=ROOM, ttl=timedelta(days=7))
    argv = [sys.executable, "-m", "deploy.local.publisher", "--url", livekit_url]
    argv += ["--room", ROOM, "--identity", IDENTITY, "--size", SIZE, "--fps", str(FPS)]
    return Child("share", argv, env={"SHARE_TOKEN": token}, log_path=log_path)


async def until_buffered(settings: Settings) -> dict[str, Any]:
    """The share's buffer, as GET /buffers tells it, once it holds CLIP.

    Raises DemoFailed, with its state, after PATIENCE_SECONDS.
    """
    token = issue_token(settings, IDENTITY, room=ROOM, ttl=timedelta(hours=1))
    seen = "there is no buffer for the share"
    deadline = time.monotonic() + PATIENCE_SECONDS
    async with httpx.AsyncClient(
        base_url=settings.base_url,
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
        timeout=PATIENCE_SECONDS,
    ) as client:
        while time.monotonic() < deadline:
            answer = await client.get("/v1/buffers", params={"room": ROOM, "sharer": IDENTITY})
            answer.raise_for_status()
            for buffer in answer.json()["items"]:
                kept = buffer["media_seconds"]
                seen = f"its buffer is {buffer['state']} ({buffer['why']}): {kept} s"
                recorded = buffer["state"] == BufferState.RECORDING
                if recorded and kept >= CLIP.total_seconds():
                    found: dict[str, Any] = buffer
                    return found
            await asyncio.sleep(0.25)
    raise DemoFailed(f"no segments of the share within {PATIENCE_SECONDS:g} s: {seen}")


async def first_clip(settings: Settings, output: Path) -> str:
    """Captures the last seconds of the share into `output`; a line about it.

    Raises DemoFailed if that goes wrong (why is on stderr), or if the file is no such clip.
    """
    code = await asyncio.to_thread(
        connected,
        lambda replay: capture_command.capture(
            replay, room=ROOM, identity=IDENTITY, last=CLIP, output=output
        ),
        room=ROOM,
        identity=IDENTITY,
        settings=settings,
    )
    if code:
        raise DemoFailed("the capture failed")
    probe = await asyncio.create_subprocess_exec(
        *("ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", str(output)),
        stdout=asyncio.subprocess.PIPE,
    )
    found = json.loads((await probe.communicate())[0])
    kinds = {stream["codec_type"]: stream for stream in found.get("streams", ())}
    if not {"video", "audio"} <= kinds.keys():
        raise DemoFailed(f"{output} holds {sorted(kinds) or 'nothing'}, not picture and sound")
    video, seconds = kinds["video"], float(found["format"]["duration"])
    return (
        f"{output}: {seconds:.1f} s, {video['width']}x{video['height']} {video['codec_name']} + "
        f"{kinds['audio']['codec_name']}, {int(found['format']['size']) / 1e6:.1f} MB"
    )

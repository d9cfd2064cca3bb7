"""A demo share (`deploy.share`) as a child process that is told what to do."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import Any, Self

from app.bound_exec import bound_argv

ROOT = Path(__file__).resolve().parent.parent
EVENT_SECONDS = 20.0


class ShareChild:
    """One publishing participant.

    `events` holds what it told so far, oldest first (see `deploy.share`). Use it as a context:
    at its end the participant leaves.

        async with await ShareChild.start(stack.url, stack.token("alice", "r"), "r", "alice") as s:
            await s.do("mute")
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.events: list[dict[str, Any]] = []
        self._told = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(
        cls,
        url: str,
        token: str,
        room: str,
        identity: str,
        *,
        size: str = "640x360",
        fps: int = 15,
        audio: bool = True,
    ) -> Self:
        """Start the child and wait until its tracks are published."""
        command = [sys.executable, "-m", "deploy.share", "--url", url, "--token", token]
        command += ["--room", room, "--identity", identity, "--size", size, "--fps", str(fps)]
        command += [] if audio else ["--no-audio"]
        process = await asyncio.create_subprocess_exec(
            *bound_argv(command),
            cwd=ROOT,
            stdin=PIPE,
            stdout=PIPE,
            stderr=None if os.environ.get("SHARE_LOG") else DEVNULL,
            start_new_session=True,
        )
        child = cls(process)
        try:
            await child.event("audio_published" if audio else "video_published")
        except BaseException:
            await child.kill()
            raise
        return child

    @property
    def video_sid(self) -> str:
        """The newest video track's id."""
        return self._newest("video_published")

    @property
    def audio_sid(self) -> str:
        """The newest audio track's id; empty if there was none."""
        return self._newest("audio_published")

    async def do(self, command: str, **more: Any) -> dict[str, Any]:
        """Send one command, and return the event that tells it is done."""
        done = {
            "publish_video": "video_published",
            "publish_audio": "audio_published",
            "unpublish_video": "video_unpublished",
            "unpublish_audio": "audio_unpublished",
            "mute": "muted",
            "unmute": "unmuted",
            "resize": "resized",
            "leave": "left",
        }[command]
        seen = len(self.events)
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": command, **more}).encode() + b"\n")
        await self.process.stdin.drain()
        return await self.event(done, seen)

    async def event(self, name: str, after: int = 0) -> dict[str, Any]:
        """The first event of this name, from the `after`th on; waits for it.

        :raises RuntimeError: the child ended first. :raises TimeoutError: after EVENT_SECONDS.
        """

        def found() -> dict[str, Any] | None:
            return next((e for e in self.events[after:] if e["event"] == name), None)

        async with asyncio.timeout(EVENT_SECONDS), self._told:
            await self._told.wait_for(lambda: found() or self._reader.done())
        event = found()
        if event is None:
            raise RuntimeError(f"the share ended without {name!r}: {self.events}")
        return event

    async def kill(self) -> None:
        """SIGKILL: the server is not told."""
        if self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()
        await self._reader

    async def aclose(self) -> None:
        """Leave the room, if it is still there."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            await asyncio.wait_for(self.process.wait(), EVENT_SECONDS)
        except TimeoutError:
            await self.kill()
        await self._reader

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _newest(self, name: str) -> str:
        sids = [event["sid"] for event in self.events if event["event"] == name]
        return sids[-1] if sids else ""

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            async with self._told:
                self.events.append(json.loads(line))
                self._told.notify_all()
        async with self._told:
            self._told.notify_all()

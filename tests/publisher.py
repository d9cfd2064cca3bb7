"""Somebody who shares a screen: `python -m deploy.local.publisher` in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import IO, Any, Self

from deploy.local.stack import ROOT, LiveKitStack
from tests.waiting import PATIENCE_SECONDS


class Publisher:
    """One participant with a real screen share. `log` takes what its program says on stderr.

    async with Publisher(stack, "room", "alice") as alice:
        await alice.do("unpublish_video")
        await alice.told("video_unpublished")
    """

    def __init__(
        self,
        stack: LiveKitStack,
        room: str,
        identity: str,
        *arguments: str,
        log: IO[bytes] | None = None,
    ) -> None:
        self._command = [
            sys.executable, "-m", "deploy.local.publisher", "--url", stack.url,
            "--room", room, "--identity", identity, "--size", "640x360", "--fps", "15", *arguments,
        ]  # fmt: skip
        self._environment = os.environ | {"SHARE_TOKEN": stack.token(identity, room)}
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self.events: list[dict[str, Any]] = []
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            cwd=ROOT,
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,
        )
        self._reader = asyncio.create_task(self._read())
        try:
            await self.told("video_published")
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        assert self._reader is not None
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), PATIENCE_SECONDS)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        await self._reader

    async def ended(self) -> None:
        """Returns when it shares no more: told to leave, or because LiveKit is gone."""
        assert self._process is not None
        await self._process.wait()

    async def kill(self) -> None:
        """SIGKILL: LiveKit is not told."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def do(self, command: str, **arguments: int) -> None:
        """Sends a command of `deploy/local/publisher.py`, such as `unpublish_video` or `leave`."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write((json.dumps({"do": command} | arguments) + "\n").encode())
        await self._process.stdin.drain()

    async def told(self, event: str, *, count: int = 1) -> dict[str, Any]:
        """The count-th event of this name, once it is told."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while True:
            known = [told for told in self.events if told["event"] == event]
            if len(known) >= count:
                return known[count - 1]
            assert self._reader is not None
            assert not self._reader.done(), f"the publisher ended without {event}: {self.events}"
            assert asyncio.get_running_loop().time() < deadline, f"no {event}: {self.events}"
            await asyncio.sleep(0.02)

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.events.append(json.loads(line))

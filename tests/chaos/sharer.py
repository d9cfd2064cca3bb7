"""Somebody who shares a screen, and begins again whenever LiveKit has lost them."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from deploy.local.stack import LiveKitStack
from tests.publisher import Publisher

AGAIN_SECONDS = 1.0


class Sharer:
    """A share of 320x180 at 10 fps with a clock in its picture."""

    def __init__(self, stack: LiveKitStack, room: str, identity: str) -> None:
        self.room, self.identity = room, identity
        self._stack = stack
        self._publisher: Publisher | None = None

    async def run(self) -> None:
        """Shares until it is cancelled."""
        while True:
            with suppress(AssertionError):  # LiveKit was away, and the program has ended
                await self._share()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _share(self) -> None:
        """Shares until LiveKit ends it."""
        size = ("--size", "320x180", "--fps", "10")
        with (self._stack.folder / f"{self.identity}.log").open("ab") as log:
            publisher = Publisher(self._stack, self.room, self.identity, *size, log=log)
            try:
                async with publisher as self._publisher:
                    await self._publisher.ended()
            finally:
                self._publisher = None

    async def toggle(self) -> None:
        """Ends the share and begins another one at once, where there is one."""
        if self._publisher is not None:
            with suppress(ConnectionError):  # it has just ended
                await self._publisher.do("unpublish_video")
                await self._publisher.do("publish_video")

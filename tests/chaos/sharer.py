"""Somebody who shares a screen, and begins again whenever LiveKit has lost them."""

from __future__ import annotations

import asyncio

from deploy.local.stack import LiveKitStack
from tests.publisher import Publisher

AGAIN_SECONDS = 1.0


class Sharer:
    """A share of 320x180 at 10 fps with a clock in its picture."""

    def __init__(self, stack: LiveKitStack, room: str, identity: str) -> None:
        self.room, self.identity = room, identity
        self._stack = stack

    async def run(self) -> None:
        """Shares until it is cancelled."""
        while True:
            try:
                async with Publisher(
                    self._stack, self.room, self.identity, "--size", "320x180", "--fps", "10"
                ) as publisher:
                    await publisher.ended()
            except AssertionError:
                pass  # LiveKit was away, and the program has ended without a share
            await asyncio.sleep(AGAIN_SECONDS)

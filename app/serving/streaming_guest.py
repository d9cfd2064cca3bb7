"""A server within a process, which has streams of events."""

from __future__ import annotations

import asyncio
import signal

from sse_starlette.sse import AppStatus

from app.serving.server import Guest


class StreamingGuest(Guest):
    """A guest that ends its streams of events with it. A process has one."""

    async def end(self, serving: asyncio.Task[None]) -> None:
        # As uvicorn's own handler of the signal does: the streams' library hears of it by that,
        # and remembers it for the whole process.
        self.handle_exit(signal.SIGTERM, None)
        try:
            await serving
        finally:
            AppStatus.should_exit = False

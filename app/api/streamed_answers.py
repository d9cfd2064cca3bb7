"""Streamed answers about which something is done while they are sent, or when that is over."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class PassedOn(StreamingResponse):
    """A streamed answer as it is; a class below says what is done about it."""

    def __init__(self, streamed: StreamingResponse) -> None:
        self.body_iterator = streamed.body_iterator
        self.status_code = streamed.status_code
        self.background = None
        self.raw_headers = streamed.raw_headers
        self._streamed = streamed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._streamed(scope, receive, send)


class Within(PassedOn):
    """A streamed answer that is sent within a block, which ends however that does."""

    def __init__(
        self, streamed: StreamingResponse, block: AbstractAsyncContextManager[None]
    ) -> None:
        super().__init__(streamed)
        self._block = block

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._block:
            await super().__call__(scope, receive, send)

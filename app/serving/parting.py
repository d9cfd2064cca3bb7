"""The end of a connection that has its answer, and of which no more is read as HTTP."""

from __future__ import annotations

import asyncio

from app.serving.deadline import Deadline

LINGER_SECONDS = 2.0
LINGER_BYTES = 2**20
"""How long, and how much, is still taken and thrown away."""


class Parting:
    """Closes a connection once its peer had time to read the answer.

    Closed while more comes, the kernel would reset the connection, and the answer be lost.
    """

    def __init__(self, transport: asyncio.Transport, deadline: Deadline) -> None:
        self._transport = transport
        self._deadline = deadline
        self._discarded_bytes = 0

    def begin(self) -> None:
        """Nothing more is sent."""
        self._transport.write_eof()
        self._deadline.set(LINGER_SECONDS, self._transport.abort)

    def discard(self, size: int) -> None:
        """So many bytes have come that nobody reads."""
        self._discarded_bytes += size
        if self._discarded_bytes > LINGER_BYTES:
            self._transport.abort()

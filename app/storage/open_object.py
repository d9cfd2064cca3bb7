"""The bytes of an object in a bucket: no more of them are taken than were asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from app.errors import StoreAway

if TYPE_CHECKING:
    from obstore import GetResult


@dataclass(frozen=True)
class OpenObject:
    """An object as it was when it was opened: bytes of another one are never among its own."""

    size_bytes: int
    modified_at: datetime
    _read: Callable[[int, int], AsyncIterator[bytes]]

    def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes [start, end). Raises EOFError if it is gone meanwhile, StoreAway."""
        return self._read(start, end)

    def until_answered(self) -> AbstractContextManager[None]:
        return nullcontext()  # nothing is held

    async def close(self) -> None:
        """Nothing is held."""


async def received(name: str, found: GetResult, most_bytes: int) -> bytes:
    """The bytes of an answer. Raises StoreAway if they are more, and what obstore raises.

    `name`: what was asked for, for messages.
    """
    blocks, received_bytes = list[bytes](), 0
    async for block in found.stream(min_chunk_size=most_bytes + 1):
        blocks.append(bytes(block))
        received_bytes += len(block)
        if received_bytes > most_bytes:
            raise StoreAway(f"{name}: more than the {most_bytes} bytes came that were asked for")
    return b"".join(blocks)

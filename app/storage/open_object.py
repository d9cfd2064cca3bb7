"""The bytes of an object in a bucket: no more of them are taken than were asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, PreconditionError

from app.errors import StoreAway
from app.settings.store_place import StorePlace
from app.storage.store_answers import explained

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult

    from app.storage.bucket_clients import BucketClient

READ_BYTES = 2**20
"""What is read of an object by one request, and waits in memory for whoever reads slowly."""


@dataclass(frozen=True)
class OpenObject:
    """An object as it was when it was opened: bytes of another one are never among its own."""

    size_bytes: int
    tag: str
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


async def blocks_of(
    store: BucketClient, place: StorePlace, key: str, tag: str | None, start: int, end: int
) -> AsyncIterator[bytes]:
    """Bytes [start, end) of an object, as long as it has this tag. Raises EOFError, StoreAway."""
    while start < end:
        stop = min(end, start + READ_BYTES)
        options: GetOptions = {"range": (start, stop)}
        if tag is not None:
            options["if_match"] = tag
        try:
            found = await obstore.get_async(store, key, options=options)
            block = await received(f"{place}: {key}", found, stop - start)
        except (FileNotFoundError, PreconditionError) as error:
            raise EOFError(f"{key} is gone, or is another one since") from error
        except BaseError as error:
            raise explained(place, "read", str(error)) from None
        if not block:
            raise EOFError(f"{key} ends at byte {start}, {end} was its size")
        start += len(block)
        yield block

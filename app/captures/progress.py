"""Work whose progress is written into a capture's row, and that ends when its lease is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from app.captures.capture_leases import Lease, Lost

WRITE_SECONDS = 0.5

Made = TypeVar("Made")


class Share:
    """How much of the work is done, told from any thread. Here it is `begin` to `end` of all."""

    def __init__(self, begin: float = 0.0, end: float = 1.0) -> None:
        self.done = begin
        self._begin, self._length = begin, end - begin

    def tell(self, done: float) -> None:
        """`done`: 0 to 1 of this part."""
        self.done = self._begin + self._length * done


async def watched(work: Coroutine[Any, Any, Made], lease: Lease, share: Share) -> Made:
    """The result of `work`. It is cancelled, and has ended, when the lease is lost (Lost is
    raised), or when this is cancelled."""
    task = asyncio.create_task(work)
    try:
        while True:
            done, _ = await asyncio.wait({task}, timeout=WRITE_SECONDS)
            if done:
                return task.result()
            if lease.lost.is_set():
                raise Lost(lease.row["_id"])
            await lease.change({"progress": round(share.done, 3)})
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

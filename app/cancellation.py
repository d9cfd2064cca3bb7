"""asyncio.wait_for that loses no cancellation: replaced for the whole process under Python 3.11.

That of 3.11 swallows a cancellation that comes together with the answer, so that a process which is
told to end goes on for ever (python/cpython#86296). Cancelled while it gives up, it leaves behind
the task that it waits for: of PyMongo's waits for a database that is away such a task takes the
pool's lock and keeps it, and no question is answered any more.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from typing import TypeVar

from pymongo import lock

_Answer = TypeVar("_Answer")


async def _wait_for(  # the name of its second argument is the library's
    awaited: Awaitable[_Answer],
    timeout: float | None,  # noqa: ASYNC109
) -> _Answer:
    """asyncio.wait_for as it is since Python 3.12: without a task of its own."""
    async with asyncio.timeout(timeout):
        return await awaited


def replace_wait_for() -> None:
    """Does nothing from Python 3.12 on."""
    if sys.version_info < (3, 12):
        asyncio.wait_for = lock.wait_for = _wait_for  # type: ignore[assignment, attr-defined]

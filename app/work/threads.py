"""Calls that block, in threads, for tasks that may be cancelled meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

_Outcome = TypeVar("_Outcome")


async def to_its_end(
    threads: Executor | None,
    call: Callable[[], _Outcome],
    hurry: Callable[[], object] = lambda: None,
) -> _Outcome:
    """What a call gives, in a thread of these; None: of the event loop's own.

    Cancelled, it ends when the call has, which `hurry` tells: then whatever the call held is free,
    and no thread works on it any more.
    """
    task = asyncio.get_running_loop().run_in_executor(threads, call)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        hurry()
        await asyncio.gather(task, return_exceptions=True)
        raise

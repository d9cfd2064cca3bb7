"""Waiting for a condition with a deadline: what tests do in place of a bare sleep."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

Found = TypeVar("Found")
PATIENCE_SECONDS = 60.0
"""What has to come does so within a second or a few, on a machine that does nothing else. Others
have a tenth of its speed, and only a test that fails waits for so long."""
FIRST_SECONDS = 0.02
MOST_SECONDS = 0.25
HANGING_SECONDS = 10.0
"""A condition that does not return so long after the deadline hangs."""
# Conditions ask services, whose work it is to answer: the longer it takes, the seldomer they ask.
SHARE_OF_WAIT = 0.1


@overload
async def wait_for(
    condition: Callable[[], Awaitable[Found | None]],
    deadline: float = ...,
    *,
    what: str = ...,
    every: float | None = ...,
) -> Found: ...


@overload
async def wait_for(
    condition: Callable[[], Found | None],
    deadline: float = ...,
    *,
    what: str = ...,
    every: float | None = ...,
) -> Found: ...


async def wait_for(
    condition: Callable[[], Any],
    deadline: float = PATIENCE_SECONDS,
    *,
    what: str = "",
    every: float | None = None,
) -> Any:
    """The first true value of `condition`, a function or coroutine function.

    `deadline` in seconds. What is true for moments only is looked at `every` so many seconds.
    Fails the test with `what` (default: the condition's name) and the last value when it is over.
    """
    began = time.monotonic()
    while True:
        value = condition()
        if inspect.isawaitable(value):
            async with asyncio.timeout(deadline + HANGING_SECONDS):  # a condition may hang
                found = await value
        else:
            found = value
        if found:
            return found
        waited = time.monotonic() - began
        if waited > deadline:
            name = what or getattr(condition, "__qualname__", repr(condition))
            raise AssertionError(f"not within {deadline:g} s: {name}; last value: {found!r}")
        pause = min(max(FIRST_SECONDS, waited * SHARE_OF_WAIT), MOST_SECONDS)
        await asyncio.sleep(pause if every is None else every)

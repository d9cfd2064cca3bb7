"""Waiting for what a process can't begin without, with one line a try."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from pymongo.errors import ConnectionFailure
from redis.exceptions import RedisError

from app.work.troubles import Troubles

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
_AWAY = (ConnectionFailure, RedisError, OSError)
_MOST_CHARACTERS = 200
"""Of an error: PyMongo's describe the whole topology."""

There = TypeVar("There")
log = structlog.get_logger()


async def until_there(what: str, ask: Callable[[], Awaitable[There]], troubles: Troubles) -> There:
    """What `ask` gives, once it raises no error of a store or a disk that is away.

    `what`: the setting that names it. `troubles` tell of it meanwhile. Anything else that `ask`
    raises, such as ConfigurationError or a refusal of the database, is raised.
    """
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            there = await ask()
        except _AWAY as error:
            why = f"{type(error).__name__}: {error}"[:_MOST_CHARACTERS]
            troubles.tell(what, f"its start waits for {what}: {why}")
            log.warning("start_waits", needs=what, error=why, again_in_seconds=pause)
        else:
            troubles.over(what)
            return there
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

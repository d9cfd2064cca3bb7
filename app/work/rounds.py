"""A round of a job over many things: each in its own try, so that a bad one never stops the rest.

    for room in rooms:
        with rounds.item(room=room.sid):
            await look_at(room)

What fails is counted and logged with which it was, and the next one has its turn. Only a store that
is away, or refuses us, ends the round: then none of the rest could be served either.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import PurePath
from traceback import walk_tb
from typing import TypeVar

import structlog
from pymongo.errors import ConnectionFailure
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app import metrics
from app.errors import StoreAway
from app.tracing import trace
from app.work import store_troubles

STORES_AWAY = (
    ConnectionFailure,
    RedisConnectionError,
    RedisTimeoutError,
    ConnectionError,
    StoreAway,
)
"""What goes through `item`: it is nothing that one item could do."""

Thing = TypeVar("Thing")
NO_JOB = "none"
"""The name of a round that is no job's."""
_FRAMES = 5

log = structlog.get_logger()


@dataclass
class Round:
    """How many items of a job's round were served so far, and how many failed."""

    job: str
    served: int = 0
    failed: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether the round did what it is for: not every item failed."""
        return self.served > 0 or self.failed == 0


@dataclass
class Attempt:
    """What became of an item: `error` is None if it was served.

    `is_divided`: other items were tried within it.
    """

    error: Exception | None = None
    is_divided: bool = False


_round: ContextVar[Round | None] = ContextVar("round", default=None)
_attempt: ContextVar[Attempt | None] = ContextVar("attempt", default=None)


@contextmanager
def begun(job: str) -> Iterator[Round]:
    """A round of a job: the items that are tried within, in tasks of it too, count for it."""
    made = Round(job)
    token = _round.set(made)
    try:
        yield made
    finally:
        _round.reset(token)


@contextmanager
def item(**which: object) -> Iterator[Attempt]:
    """A try of its own for one of many. `which` says which it is, for the log.

    Whatever the block raises ends with it, but for STORES_AWAY, and what a store refuses. The
    Attempt tells what it was. An item with others within it, as a room with its people, is served
    as far as these are.
    """
    within = _current()
    _divide()
    attempt = Attempt()
    token = _attempt.set(attempt)
    try:
        yield attempt
    except Exception as error:  # whatever it is, the others are not to suffer
        if _is_everybodys(error):
            raise
        attempt.error = error
        trace.raised(error)
        within.failed += 1
        metrics.ITEMS_FAILED.labels(within.job).inc()
        log.bind(**which).warning(
            "item_failed", job=within.job, error=repr(error), where=_where(error)
        )
    else:
        within.served += not attempt.is_divided
    finally:
        _attempt.reset(token)


def within(things: Iterable[Thing], seconds: float) -> Iterator[Thing]:
    """Those whose turn comes within so many seconds, at least one: the rest is for another round.

    Those who make the things do not decide what a round costs.
    """
    until = time.monotonic() + seconds
    for thing in things:
        yield thing
        if time.monotonic() > until:
            return


async def some_at_a_time(
    kind: str, find: Callable[[Sequence[str]], Awaitable[Mapping[str, Thing]]], **which: object
) -> AsyncIterator[tuple[Thing, AbstractContextManager[Attempt]]]:
    """All that is found, by its id, and the `item` to serve it in; until nothing is found any more.

    `find` is given the ids of those that failed, which it passes by, and answers with some of the
    rest. `kind` of the ids and `which` they are of, for the log.
    """
    failed: list[str] = []

    @contextmanager
    def tried(its_id: str) -> Iterator[Attempt]:
        with item(**which, **{kind: its_id}) as attempt:
            yield attempt
        if attempt.error is not None:
            failed.append(its_id)

    while things := await find(failed):
        for its_id, thing in things.items():
            yield thing, tried(its_id)


async def side_by_side(
    things: Iterable[Thing], serve: Callable[[Thing], Awaitable[None]], at_once: int
) -> None:
    """Serves the things, `at_once` at a time: one whose answer does not come holds up few others.

    `serve` gives each its `item`.
    """
    waiting = iter(things)

    async def go_on() -> None:
        for thing in waiting:
            await serve(thing)

    tasks = [asyncio.create_task(go_on()) for _ in range(at_once)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:  # a store is away, or the job is over
            task.cancel()


async def together_or_alone(
    kind: str,
    by_id: Mapping[str, Sequence[Thing]],
    serve: Callable[[Sequence[Thing]], Awaitable[int]],
) -> int:
    """Serves all at once, which costs less; where that fails, those of each id by themselves.

    `kind` of the ids, for the log. `serve` may be repeated; it returns how many it has served.
    """
    if len(by_id) > 1:
        try:
            served = await serve([each for elements in by_id.values() for each in elements])
        except Exception as error:  # whose fault it was shows when they are alone
            if _is_everybodys(error):
                raise
            log.info("items_served_alone", kind=kind, items=len(by_id), error=repr(error))
        else:
            _current().served += len(by_id)
            _divide()
            return served
    served = 0
    for each, elements in by_id.items():
        with item(**{kind: each}):
            served += await serve(elements)
    return served


def _is_everybodys(error: Exception) -> bool:
    """Whether none of the rest could be served either."""
    return isinstance(error, STORES_AWAY) or store_troubles.is_everybodys(error)


def _divide() -> None:
    """The item within which this is tried, if there is one, is served as far as this is."""
    if (outer := _attempt.get()) is not None:
        outer.is_divided = True


def _current() -> Round:
    return _round.get() or Round(NO_JOB)


def _where(error: Exception) -> str:
    """The way to where an error was raised: of each of many a whole traceback is too long."""
    frames = [*walk_tb(error.__traceback__)][-_FRAMES:]
    return " > ".join(f"{PurePath(f.f_code.co_filename).name}:{line}" for f, line in frames)

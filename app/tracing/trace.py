"""A trace, step by step: what OpenTelemetry calls a span is a step here.

    with trace.step("capture.make", {"replay.capture.id": row["_id"]}):

Without a collector (`app/tracing/collector.py`) a step is nothing. What anybody can read in a
collector is no secret, and no name: steps tell of rooms, people and clips by ids of our own alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from typing import Protocol

StepFacts = Mapping[str, str | int | float | bool]
"""What a step tells of itself, by the names of OpenTelemetry's conventions; ours begin with
`replay.`"""


class StepKind(StrEnum):
    """What a step is to those beside it. With the first two a trace may begin."""

    SERVER = "SERVER"
    CONSUMER = "CONSUMER"
    CLIENT = "CLIENT"
    INTERNAL = "INTERNAL"


class Tracer(Protocol):
    """Who takes the steps down. `traceparent`s are those of W3C's Trace Context."""

    def step(
        self, name: str, told: StepFacts, kind: StepKind, traceparent: str | None
    ) -> AbstractContextManager[object]: ...
    def rename(self, name: str) -> None: ...
    def tell(self, told: StepFacts) -> None: ...
    def fail(self, error: Exception) -> None: ...
    def traceparent(self) -> str | None: ...


_tracers: list[Tracer] = []
"""The one that is used, if there is one, comes last."""


@contextmanager
def used(tracer: Tracer) -> Iterator[None]:
    """Steps are taken down by this tracer until the block ends."""
    _tracers.append(tracer)
    try:
        yield
    finally:
        _tracers.remove(tracer)


@contextmanager
def step(
    name: str,
    told: StepFacts | None = None,
    *,
    kind: StepKind = StepKind.INTERNAL,
    traceparent: str | None = None,
    passing: type[Exception] | tuple[type[Exception], ...] = (),
) -> Iterator[None]:
    """A step of the present trace, or of the one that `traceparent` names.

    What the block raises is its error, unless it is one of `passing`.
    """
    if not _tracers:
        yield
        return
    with _tracers[-1].step(name, told or {}, kind, traceparent):
        try:
            yield
        except passing:
            raise
        except Exception as error:
            raised(error)
            raise


def rename(name: str) -> None:
    """Names the present step, once it is known what it is."""
    if _tracers:
        _tracers[-1].rename(name)


def tell(told: StepFacts) -> None:
    """Has the present step tell this, too."""
    if _tracers:
        _tracers[-1].tell(told)


def raised(error: Exception) -> None:
    """The present step has failed by an error, of which its class and its way are told.

    Its words are not: names and titles of others stand in them.
    """
    if _tracers:
        _tracers[-1].fail(error)


def traceparent() -> str | None:
    """What carries the present trace on to another process; None if there is none."""
    return _tracers[-1].traceparent() if _tracers else None

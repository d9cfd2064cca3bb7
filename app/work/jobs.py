"""What the worker does, declared where it lives, and what it may be asked for.

    @job("relieve", every=seconds(10), timeout=seconds(90))   # by itself, again and again
    @job(errands.RECONCILE, timeout=seconds(90))              # when somebody asks for it

A job is the function and how it runs. An errand is its name and what has to be said to ask for
it: who asks often stands below the room that does it, and knows the errand alone.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from functools import partial, update_wrapper
from typing import Any, ClassVar, Generic, ParamSpec, TypeVar, TypeVarTuple

from app.settings import Settings

Arguments = TypeVarTuple("Arguments")
Parameters = ParamSpec("Parameters")
Outcome = TypeVar("Outcome")
Period = timedelta | Callable[[Settings], timedelta]


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


@dataclass(frozen=True)
class Errand(Generic[*Arguments]):
    """A job as those know it who ask for it. Its name stands in Redis: older ones must still run.

    `once_in`: asked for again with the same arguments in the same slot of time, it runs once.
    `until_begun`: asked for again before it has begun (`Queue.alone`) it runs once, at the earliest
    instant of those that it was asked for.
    """

    name: str
    once_in: timedelta | None = None
    until_begun: bool = False

    def of(
        self, *args: *Arguments, after: timedelta = timedelta(0), if_begun: bool = False
    ) -> Asked:
        """The errand with what it is about, for somebody else to ask for."""
        return Asked(self, args, after, if_begun)


@dataclass(frozen=True)
class Asked:
    """An errand and what it is about.

    `after`: in how long it is wanted; at once, if it is asked for already and has not begun.
    `if_begun`: only if it has begun before, within a day.
    """

    errand: Errand[*tuple[Any, ...]]
    args: tuple[Any, ...]
    after: timedelta = timedelta(0)
    if_begun: bool = False


class Again(Exception):
    """Raised by a job that can't be done now, and wants another turn soon."""

    in_seconds: ClassVar[float] = 1.0


class Busy(Again):
    """Another worker does the same at the moment."""

    in_seconds = 0.3


class Job(Generic[Parameters, Outcome]):
    """A function that the worker runs. Called, it is that function."""

    def __init__(
        self,
        function: Callable[Parameters, Coroutine[Any, Any, Outcome]],
        errand: Errand[*tuple[Any, ...]],
        every: Period | None,
        timeout: timedelta,
    ) -> None:
        update_wrapper(self, function)
        self._function = function
        self.errand = errand
        self.timeout = timeout
        self._every = every

    def __call__(
        self, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Coroutine[Any, Any, Outcome]:
        return self._function(*args, **kwargs)

    @property
    def recurs(self) -> bool:
        """Whether it has another turn by itself."""
        return self._every is not None

    def period(self, settings: Settings) -> timedelta:
        """How often it has a turn. Only of a job that recurs."""
        if self._every is None:
            raise ValueError(f"the job {self.errand.name!r} runs only when it is asked for")
        return self._every(settings) if callable(self._every) else self._every


def job(
    errand: Errand[*tuple[Any, ...]] | str, *, timeout: timedelta, every: Period | None = None
) -> Callable[[Callable[Parameters, Coroutine[Any, Any, Outcome]]], Job[Parameters, Outcome]]:
    """Declares a function to be the job of an errand; a name alone is one that nobody asks for.

    Its first parameters are what the worker gives it (a context, LiveKit), those of the errand
    come last. It may run twice, and be interrupted anywhere.
    """
    known = Errand(errand) if isinstance(errand, str) else errand

    def declare(
        function: Callable[Parameters, Coroutine[Any, Any, Outcome]],
    ) -> Job[Parameters, Outcome]:
        return Job(function, known, every, timeout)

    return declare


Given = partial[Coroutine[Any, Any, Any]]


class Jobs:
    """The jobs of a worker, each with what it is given: `partial(reconcile, ctx, livekit)`."""

    def __init__(self, *given: Given) -> None:
        self.given = [(_job_of(each), each) for each in given]
        names = [job.errand.name for job, _ in self.given]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"one name, two jobs: {', '.join(sorted(twice))}")

    def recurring(self) -> list[Job[..., Any]]:
        """Those that nobody has to ask for."""
        return [job for job, _ in self.given if job.recurs]


def _job_of(given: Given) -> Job[..., Any]:
    if not isinstance(given.func, Job):
        raise TypeError(f"{given.func!r} is no job: declare it with @job")
    return given.func

"""What must be reached, held against results. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench.report import Param, Result

Number = Callable[[Result], float | None]


@dataclass(frozen=True)
class Target:
    """`what` may be at most (or, with `at_least`, at least) `limit`, in `unit`.

    It is read off the result of this name, way (empty: any) and params with `number`; off the worst
    if several match.
    """

    what: str
    limit: float
    unit: str
    name: str
    way: str
    params: tuple[tuple[str, Param], ...] = ()
    number: Number = lambda one: one.median
    at_least: bool = False

    def matches(self, one: Result) -> bool:
        return (
            one.name == self.name
            and self.way in ("", one.way)
            and all(one.params.get(key) == value for key, value in self.params)
        )


@dataclass(frozen=True)
class Verdict:
    """`met` None: it was not measured."""

    what: str
    limit: float
    unit: str
    at_least: bool
    measured: float | None
    met: bool | None


def ratio(one: Result) -> float | None:
    return one.ratio


def median(one: Result) -> float | None:
    return one.median


def slowest(one: Result) -> float | None:
    return one.max


def p99(one: Result) -> float | None:
    """The maximum stands in where there are too few samples."""
    return one.max if one.p99 is None else one.p99


_TEN_MINUTES = (("seconds", 600),)
_PLAIN = (*_TEN_MINUTES, ("fsync", False))
_SYNCED = (*_TEN_MINUTES, ("fsync", True))

_HOUR = (("seconds", 3600),)
_OURS, _ASKED, _SERVICE = "ours", "ours_request", "whole_service"
_MANY = (("buffers", 500),)

TARGETS = (
    Target("capture, 10 min", 1.15, "x cat", "capture", _OURS, _PLAIN, ratio),
    Target("capture, 10 min, with fsync", 2.2, "x cat", "capture", _OURS, _SYNCED, ratio),
    Target("its CPU", 1.2, "x cat", "capture_cpu", _OURS, _PLAIN, ratio),
    Target("memory of a capture above idle", 10, "MB", "capture_memory", _OURS, _PLAIN, slowest),
    Target("request to ready, 10 min, fsync", 3, "x cat", "request", _ASKED, _SYNCED, ratio),
    Target(
        "memory of a request above idle", 10, "MB", "request_memory", _ASKED, _SYNCED, slowest
    ),
    Target("ten captures at once", 11, "x cat", "ten_captures", _OURS, (("fsync", False),), ratio),
    Target(
        "ten captures at once, requested", 11, "x cat with fsync", "ten_captures", _ASKED,
        number=ratio,
    ),
    Target("one of ten is accepted, p99", 150, "ms", "ten_accepted", _ASKED, number=p99),
    Target("memory of a clip of 60 min", 40, "MB", "growth_memory", _OURS, number=slowest),
    Target(
        "first byte of a window, p99", 50, "ms", "first_byte", "first", _TEN_MINUTES, number=p99
    ),
    Target("the same, of 60 min", 150, "ms", "first_byte", "first", _HOUR, number=p99),
    Target("a live 1080p60 share, all", 0.7, "% of a core", "whole_cost", _OURS),
    Target("indexed, 1 share, p99", 100, "ms", "index", _OURS, (("buffers", 1),), p99),
    Target("indexed, 100 shares, p99", 200, "ms", "index", _OURS, (("buffers", 100),), p99),
    Target("behind, 500 shares", 2, "s", "index_behind", _OURS, _MANY),
    Target("cores for 500 shares", 1.5, "cores", "index_cores", _OURS, _MANY),
    Target("the indexer's memory, late by early", 1.1, "x", "index_memory", _OURS, _MANY, ratio),
    Target("webhook at 50/s, p50", 4, "ms", "webhook", _SERVICE, number=median),
    Target("webhook at 50/s, p99", 25, "ms", "webhook", _SERVICE, number=p99),
    Target("oldest webhook of 1,000 at once", 3, "s", "webhook_burst_age", _SERVICE, (), slowest),
    Target("track_published to StartEgress, p99", 60, "ms", "start", "with_audio", number=p99),
    Target("the same, less the audio wait", 100, "ms", "start", "video_only", number=p99),
    Target("admission of a start", 2, "ms", "admission", "held"),
    Target("the same, by roles", 2, "ms", "admission", "rbac"),
    Target("a user beside strangers, p99", 200, "ms", "beside_strangers", "", number=p99),
    Target("a webhook beside them, p99", 200, "ms", "webhook_beside_strangers", "", number=p99),
    Target("pages of clips, large by small, p99", 3, "x", "clips_p99_growth", "", number=slowest),
    *(
        Target(f"{query}, large by small, p99", 3, "x", "query_p99_growth", query)
        for query in ("buffers", "timeline", "playlist", "clips")
    ),
    Target("start to ready", 2.5, "s", "ready", ""),
    Target("CPU of a start", 2.5, "s", "start_cpu", ""),
    *(
        Target(f"the {role} at rest", 80, "MB", "at_rest", "several", (("process", role),))
        for role in ("service", "api", "worker", "indexer")
    ),
    Target("`single` at rest", 130, "MB", "at_rest", "single", (("process", "service"),)),
)  # fmt: skip


def verdicts(results: Sequence[Result]) -> list[Verdict]:
    """Every target, in order, with what was measured."""
    return [_verdict(target, results) for target in TARGETS] + [_faster_than_concat(results)]


def _verdict(target: Target, results: Sequence[Result]) -> Verdict:
    found = [target.number(one) for one in results if target.matches(one)]
    numbers = [number for number in found if number is not None]
    return _held(target, max(numbers, default=None))


def _held(target: Target, measured: float | None) -> Verdict:
    met = None
    if measured is not None:
        met = measured >= target.limit if target.at_least else measured <= target.limit
    return Verdict(target.what, target.limit, target.unit, target.at_least, measured, met)


def _faster_than_concat(results: Sequence[Result]) -> Verdict:
    """How many times as long as ours ffmpeg's concat demuxer takes, both by the same `cat`."""
    target = Target(
        "ffmpeg's concat demuxer, 10 min", 15, "x ours", "capture", "ffmpeg_concat", _PLAIN, ratio,
        at_least=True,
    )  # fmt: skip
    theirs = _verdict(target, results).measured
    ours = _verdict(TARGETS[0], results).measured
    return _held(target, theirs / ours if theirs and ours else None)

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

TARGETS = (
    Target("capture, 10 min", 1.5, "x cat", "capture", "ours", _PLAIN, ratio),
    Target("capture, 10 min, with fsync", 3, "x cat", "capture", "ours", _SYNCED, ratio),
    Target("its CPU", 1.3, "x cat", "capture_cpu", "ours", _PLAIN, ratio),
    Target("memory of a capture above idle", 80, "MB", "capture_memory", "ours", _PLAIN, slowest),
    Target(
        "request to ready, 10 min, fsync", 3, "x cat", "request", "ours_request", _SYNCED, ratio
    ),
    Target(
        "memory of a request above idle", 80, "MB", "request_memory", "ours_request", _SYNCED,
        slowest,
    ),
    Target(
        "ten captures at once", 12, "x cat", "ten_captures", "ours", (("fsync", False),), ratio
    ),
    Target(
        "ten captures at once, requested",
        12,
        "x cat with fsync",
        "ten_captures",
        "ours_request",
        number=ratio,
    ),
    Target("memory of a clip of 60 min", 80, "MB", "growth_memory", "ours", number=slowest),
    Target("first byte of a window, p99", 100, "ms", "first_byte", "first", number=p99),
    Target("a live 1080p60 share, all", 1.5, "% of a core", "whole_cost", "ours"),
    Target("indexed, 1 share, p99", 150, "ms", "index", "ours", (("buffers", 1),), p99),
    Target("indexed, 100 shares, p99", 500, "ms", "index", "ours", (("buffers", 100),), p99),
    Target("behind, 500 shares", 2, "s", "index_behind", "ours", (("buffers", 500),)),
    Target("webhook at 50/s, p50", 10, "ms", "webhook", "whole_service", number=median),
    Target("webhook at 50/s, p99", 50, "ms", "webhook", "whole_service", number=p99),
    Target(
        "oldest webhook of 1,000 at once", 5, "s", "webhook_burst_age", "whole_service",
        number=slowest,
    ),
    Target("track_published to StartEgress, p99", 100, "ms", "start", "with_audio", number=p99),
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
        "ffmpeg's concat demuxer, 10 min", 7, "x ours", "capture", "ffmpeg_concat", _PLAIN, ratio,
        at_least=True,
    )  # fmt: skip
    theirs = _verdict(target, results).measured
    ours = _verdict(TARGETS[0], results).measured
    return _held(target, theirs / ours if theirs and ours else None)

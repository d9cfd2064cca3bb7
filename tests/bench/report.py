"""Results: samples made into numbers, and the numbers into JSON and tables. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Param = str | int | float | bool
P99_FROM = 100
"""With fewer samples than this the 99th percentile is just the maximum, and not told."""


@dataclass(frozen=True)
class Result:
    """What one way of doing one thing took.

    `ratio`: the median over the loops of its sample by the yardstick's of the same loop; None
    without a yardstick. `p99`: None with fewer than P99_FROM samples.
    """

    name: str
    way: str
    params: dict[str, Param]
    unit: str
    min: float
    median: float
    max: float
    ratio: float | None
    p99: float | None
    count: int


def result(
    name: str,
    way: str,
    params: Mapping[str, Param],
    unit: str,
    values: Sequence[float],
    yardstick: Sequence[float] | None = None,
) -> Result:
    """The result of samples; `yardstick[i]` comes from the same loop as `values[i]`.

    The yardstick may have gone on for more loops. Raises ValueError if there is no sample, or not
    one of the yardstick for each.
    """
    if not values:
        raise ValueError(f"{name}, {way}: no samples")
    ratio = None
    if yardstick is not None:
        if len(yardstick) < len(values):
            raise ValueError(
                f"{name}, {way}: {len(values)} samples beside {len(yardstick)} of the yardstick"
            )
        ratio = _short(
            statistics.median(
                value / other for value, other in zip(values, yardstick, strict=False)
            )
        )
    p99 = _short(percentile(values, 0.99)) if len(values) >= P99_FROM else None
    middle = statistics.median(values)
    return Result(
        name,
        way,
        dict(params),
        unit,
        _short(min(values)),
        _short(middle),
        _short(max(values)),
        ratio,
        p99,
        len(values),
    )


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least `share` of all values don't exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _short(value: float) -> float:
    """Five significant digits: more would only seem to be known."""
    return float(f"{value:.5g}")


def document(
    machine: Mapping[str, Any],
    load: Mapping[str, Any],
    results: Iterable[Result],
    targets: Iterable[Any] = (),
    failures: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What `--json` writes."""
    return {
        "machine": dict(machine),
        "load": dict(load),
        "results": [asdict(one) for one in results],
        "targets": [asdict(one) for one in targets],
        "failures": dict(failures or {}),
    }


def results(document: Mapping[str, Any]) -> list[Result]:
    """The results in what `--json` wrote."""
    return [Result(**one) for one in document["results"]]


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lines of columns; all but the first two are right-aligned."""
    lines = [list(headings), *(list(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(headings))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The same as a Markdown table."""
    lines = [list(headings), ["---"] * len(headings), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def tables(results: Iterable[Result]) -> str:
    """Every result, a table for each name."""
    by_name: dict[str, list[Result]] = {}
    for one in results:
        by_name.setdefault(one.name, []).append(one)
    return "\n\n".join(f"{name} ({rows[0].unit})\n{_of(rows)}" for name, rows in by_name.items())


def _of(rows: Sequence[Result]) -> str:
    headings = ["way", "of", "min", "median", "max", "p99", "x yardstick", "samples"]
    return table(
        headings,
        [
            [
                one.way,
                ", ".join(f"{key}={value}" for key, value in one.params.items()),
                *(number(value) for value in (one.min, one.median, one.max, one.p99, one.ratio)),
                str(one.count),
            ]
            for one in rows
        ],
    )


def number(value: float | None) -> str:
    """Three significant digits, no exponent; a dash for None."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{decimals}f}"


def between_markers(text: str, name: str, content: str) -> str:
    """`text` with what stands between `<!-- name:begin -->` and `<!-- name:end -->` replaced.

    Raises ValueError if the markers are not there, once each, in this order.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"the text must hold {begin} and then {end}, once each")
    head, tail = text[: text.index(begin)], text[text.index(end) :]
    return f"{head}{begin}\n{content}\n{tail}"

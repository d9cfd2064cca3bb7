"""The part about speed of deploy/README.md: tables in Markdown. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.plot import LABELS
from tests.bench.report import Result, markdown, number
from tests.bench.targets import Verdict

README = Path(__file__).resolve().parents[2] / "deploy/README.md"
MARKER = "bench"
LINK = "images/bench.svg"
PICTURE = README.parent / LINK
HISTORY_PICTURE = README.parent / "images/history.svg"


def section(
    machine: Mapping[str, Any],
    load: Mapping[str, Any],
    results: Sequence[Result],
    verdicts: Sequence[Verdict],
) -> str:
    """What stands between the markers."""
    told = (
        f"Measured {str(machine['at'])[:10]} on {machine['cores']} cores ({machine['cpu']}),"
        f" {machine['file_system']}, Linux {machine['kernel']}, {machine['ffmpeg']}; load average"
        f" {load['before'][0]} before and {load['after'][0]} after. `deploy/bench --readme`"
        " measures again."
    )
    parts = [told, _captures(results), f"![A clip's time by its length]({LINK})"]
    return "\n\n".join([*(part for part in parts if part), held(verdicts)])


def _captures(results: Sequence[Result]) -> str:
    """Each way's time by that of `cat`, and in seconds for the longest."""
    plain = [one for one in results if one.name == "capture" and not one.params["fsync"]]
    lengths = sorted({float(one.params["seconds"]) for one in plain})
    if not lengths:
        return ""
    rows = []
    for way in reversed(LABELS):
        by_length = {float(one.params["seconds"]): one for one in plain if one.way == way}
        if lengths[-1] not in by_length:
            continue
        ratios = [number(by_length[each].ratio) if each in by_length else "" for each in lengths]
        rows.append([LABELS[way], *ratios, number(by_length[lengths[-1]].median)])
    headings = [f"{each / 60:g} min" for each in lengths]
    title = "A clip of 1080p60, times the time of `cat` over the same bytes:"
    return f"{title}\n\n" + markdown(["way", *headings, "s for the longest"], rows)


def held(verdicts: Sequence[Verdict]) -> str:
    """Every target with what was measured."""
    rows = [
        [
            one.what,
            f"{'at least' if one.at_least else 'at most'} {one.limit:g} {one.unit}",
            number(one.measured),
            {True: "yes", False: "**no**", None: "not measured"}[one.met],
        ]
        for one in verdicts
    ]
    return markdown(["what", "target", "measured", "reached"], rows)

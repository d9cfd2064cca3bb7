"""The captures' times as a picture, beside `cat`; and all targets over time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
# The same results give the same bytes.
mpl.rcParams["svg.hashsalt"] = "bench"

from matplotlib import pyplot as plt  # noqa: E402 - the backend is chosen first

from tests.bench.history import Measured  # noqa: E402
from tests.bench.report import Result  # noqa: E402

LABELS = {
    "ffmpeg_concat": "ffmpeg, concat demuxer",
    "ffmpeg_m3u8": "ffmpeg, m3u8",
    "pyav_concat": "PyAV",
    "ours": "ours",
    "cat": "cat",
}


STYLES = ("-", "--", ":")


def draw(results: Sequence[Result], path: Path, caption: str) -> None:
    """Writes an SVG of the `capture` results without fsync. ValueError if there are none."""
    lines = {
        way: sorted(
            (one for one in results if one.name == "capture" and one.way == way
             and not one.params["fsync"]),
            key=lambda one: one.params["seconds"],
        )
        for way in LABELS
    }  # fmt: skip
    if not lines["ours"]:
        raise ValueError("there is no capture to draw: run the bench `capture`")
    figure, axes = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
    for way, found in lines.items():
        minutes = [float(one.params["seconds"]) / 60 for one in found]
        middles = [one.median for one in found]
        spread = [
            [middle - one.min for middle, one in zip(middles, found, strict=True)],
            [one.max - middle for middle, one in zip(middles, found, strict=True)],
        ]
        style: dict[str, Any] = {
            "linewidth": 2.5 if way == "ours" else 1.2,
            "capsize": 3,
            "marker": "o",
        }
        dashed = "--" if way == "cat" else "-"
        axes.errorbar(minutes, middles, yerr=spread, label=LABELS[way], linestyle=dashed, **style)
    axes.set(xlabel="length of the clip, minutes", ylabel="seconds", xscale="log", yscale="log")
    ticks = [float(one.params["seconds"]) / 60 for one in lines["ours"]]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    axes.set_title(f"A clip of 1080p60 at 6 Mbit/s\n{caption}", fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def draw_history(measured: Sequence[Measured], path: Path) -> None:
    """Writes an SVG with a line for each target over time: 1 is its limit, less is good."""
    by_target: dict[str, list[tuple[int, float]]] = {}
    for place, each in enumerate(measured):
        for one in each.verdicts:
            if one.measured:
                share = one.limit / one.measured if one.at_least else one.measured / one.limit
                by_target.setdefault(one.what, []).append((place, share))
    figure, axes = plt.subplots(figsize=(9, 0.22 * len(by_target) + 2), layout="constrained")
    worst_first = sorted(by_target.items(), key=lambda line: -line[1][-1][1])
    for number, (what, points) in enumerate(worst_first):
        style = STYLES[number // 10 % len(STYLES)]  # there are ten colours
        axes.plot(*zip(*points, strict=True), style, marker="o", label=what, linewidth=1)
    axes.axhline(1, color="black", linestyle="--", linewidth=1)
    axes.set(ylabel="measured, times its limit", yscale="log")
    axes.set_xticks(range(len(measured)), [f"{m.at[:10]}\n{m.commit}" for m in measured])
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)

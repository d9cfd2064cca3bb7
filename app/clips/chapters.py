"""Chapters of a clip: the moments of it that somebody had marked when it was made. Pure.

They stay when the markers go, which is soon.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.clips import play_time
from app.models import ClipChapter, ClipFields, MarkerRow

_LEAST_SECONDS = 0.5
"""From one chapter to the next: of moments that are closer the first is one."""


def marked(told: ClipFields, marks: Iterable[MarkerRow]) -> list[ClipChapter]:
    """The chapters of a clip that shows what `told` says. `marks`: of the share that it is of."""
    placed = ((play_time.seconds_at(told, mark["at"]), mark["label"]) for mark in marks)
    return _apart((seconds, label) for seconds, label in placed if seconds is not None)


def within(chapters: Sequence[ClipChapter], start_seconds: float, end: float) -> list[ClipChapter]:
    """Those of a part of a clip, [start_seconds, end) of its play time."""
    return _apart(
        (each["seconds"] - start_seconds, each["label"])
        for each in chapters
        if start_seconds <= each["seconds"] < end
    )


def _apart(placed: Iterable[tuple[float, str]]) -> list[ClipChapter]:
    found: list[ClipChapter] = []
    for seconds, label in sorted(placed):
        if not found or seconds - found[-1]["seconds"] >= _LEAST_SECONDS:
            found.append({"seconds": round(seconds, 3), "label": label})
    return found

"""Stretches of a movie in which nothing new came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

import numpy as np

from app.media.prepared_fragment import HOLE_TICKS
from app.media.samples import VIDEO_TICKS
from app.media.selection import Selection, media_end, media_start
from app.models import Gaps


class PauseKind(StrEnum):
    """Why there is no picture."""

    HOLE = "hole"
    """None came; the one before is held, sound goes on."""
    LOST = "lost"
    """Neither picture nor sound between two fragments of one session; held and silent."""
    START = "start"
    """The window began where no picture begins, and the time up to the next is left out."""
    SESSION = "session"
    """Between two sessions."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch where nothing was recorded, or the picture stood still.

    `start`, `end`: wall clock. `movie_seconds`: where in the movie. `kept`: whether the movie
    takes its time over it.
    """

    kind: PauseKind
    start: datetime
    end: datetime
    movie_seconds: float
    kept: bool

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


def pauses_within(selections: Sequence[Selection], starts: Sequence[int]) -> tuple[Pause, ...]:
    """What is missing inside each session; `starts` are the movie's ticks of each selection."""
    found: list[Pause] = []
    for selection, start in zip(selections, starts, strict=True):
        run = selection.run
        begin, end = run.start_ticks, selection.start_ticks
        if selection is selections[0] and end - begin > HOLE_TICKS:
            found.append(
                Pause(PauseKind.START, run.wall_clock(begin), run.wall_clock(end), 0.0, False)
            )
        shown = np.sort(selection.pts[selection.pts >= selection.start_ticks], kind="stable")
        ends = np.append(shown[1:], selection.end_ticks)
        for index in np.flatnonzero(ends - shown > HOLE_TICKS):
            begin, end = int(shown[index]), int(ends[index])
            found.append(
                Pause(
                    PauseKind.LOST if _is_lost(selection, begin, end) else PauseKind.HOLE,
                    run.wall_clock(begin),
                    run.wall_clock(end),
                    movie_seconds=(start + begin - selection.start_ticks) / VIDEO_TICKS,
                    kept=True,
                )
            )
    return tuple(found)


def pauses_between(
    selections: Sequence[Selection], starts: Sequence[int], gaps: Gaps
) -> tuple[Pause, ...]:
    """The time between consecutive sessions."""
    found: list[Pause] = []
    for index in range(1, len(selections)):
        earlier, later = selections[index - 1], selections[index]
        begin = earlier.run.wall_clock(earlier.end_ticks)
        end = max(begin, later.run.wall_clock(later.start_ticks))
        at = starts[index - 1] + earlier.end_ticks - earlier.start_ticks
        found.append(Pause(PauseKind.SESSION, begin, end, at / VIDEO_TICKS, kept=gaps == Gaps.KEEP))
    return tuple(found)


def _is_lost(selection: Selection, begin: int, end: int) -> bool:
    """Whether two sources with nothing between them meet in a stretch without pictures."""
    sources = [part.source for part in selection.parts]
    return any(
        earlier.samples.end_pts > begin
        and later.samples.first_pts <= end
        and media_start(later) - media_end(earlier) > HOLE_TICKS
        for earlier, later in pairwise(sources)
    )

"""The pictures that stand in a movie before its start, for others to be decoded from.

An edit list hides them. They take next to no time, so that who honours none is past them at once,
and shows all that follows at its time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.media.prepared_fragment import HOLE_TICKS

HURRY_TICKS = 20
"""From one hidden picture to the next. ffmpeg warns of steps a thousand times as long as those
before, so it is a little more than that share of the step to what is shown."""


def hurried(pts: NDArray[np.int64], start_ticks: int) -> NDArray[np.int64]:
    """The times with those before the start moved up to it, in the same order.

    The last one ends before it, so that no player rounds it into what is shown.
    """
    hidden = np.flatnonzero(pts < start_ticks)
    moved = pts.copy()
    places = np.arange(len(hidden) + 1, 1, -1)
    moved[hidden[np.argsort(pts[hidden])]] = start_ticks - places * HURRY_TICKS
    return moved


def unhurried(pts: NDArray[np.int64], duration: int) -> NDArray[np.int64]:
    """The times with those before 0, if they were `hurried`, as far apart as most others.

    Files may have them at their own times, which stay. Where few pictures are shown, the median may
    be a hole's length, or the whole file's: pictures that stand beside each other are nearer.
    """
    hidden, shown = pts < 0, np.sort(pts[pts >= 0])
    places = -(pts // HURRY_TICKS) - 1
    if not len(shown) or places.max(initial=0) != np.count_nonzero(hidden):
        return pts
    usual = min(int(np.median(np.diff(shown, append=duration))), HOLE_TICKS)
    return np.where(hidden, -places * usual, pts)


def decode_times(shown: NDArray[np.int64]) -> NDArray[np.int64]:
    """When pictures are decoded, in ticks, of when each is shown; those before 0 are hidden.

    None of them lasts longer than HURRY_TICKS by its decode times, as some players count.
    """
    decode = np.sort(shown, kind="stable")  # nearly sorted already: ten times as fast as any other
    hidden = np.flatnonzero(shown < 0)
    if len(hidden):
        head = min(int(hidden[-1]) + 2, len(decode))
        decode[:head] = np.arange(-head, 0) * HURRY_TICKS
    return decode

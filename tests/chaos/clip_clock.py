"""Whether a clip shows what it says, by the clocks that are burnt into its pictures."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

import av
import numpy as np

from deploy.local import picture_clock

EARLY_SECONDS = 0.35
"""A picture's clock may be so much later than its place says: egress knows only when it came."""
LATE_SECONDS = 1.5
"""And so much earlier, on a machine that has more to do than it can."""
STEP_SECONDS = 1.5
"""Between two pictures without a gap that is told; the stand-in leaps when it is too late."""
ASKED_SECONDS = 0.5
"""What a clip may begin later, or end earlier, than asked without a word."""


class Shown(NamedTuple):
    """One picture: when it is shown, in seconds of the clip, and its clock; nan if it has none."""

    at: float
    clock: float


def pictures(clip: bytes) -> list[Shown]:
    """The pictures of an MP4, in the order that they are shown in."""
    found = []
    with av.open(io.BytesIO(clip), "r") as container:
        for frame in container.decode(video=0):
            try:
                clock = picture_clock.read_clock(
                    np.ascontiguousarray(frame.to_ndarray(format="gray"))
                )
            except ValueError:
                clock = math.nan
            found.append(Shown(float(frame.time or 0.0), clock))
    return found


def faults(
    clip: dict[str, Any], shown: Sequence[Shown], held_seconds: float = 0.0, slowdown: float = 1.0
) -> list[str]:
    """What is wrong with the pictures of a clip, as GET /clips/{id} tells of it.

    `held_seconds`: how long they may have been held back on their way to where they were recorded.
    `slowdown`: how many times slower the machine was than one that does nothing else.
    """
    late_seconds = held_seconds + LATE_SECONDS * slowdown
    if not shown:
        return ["holds no picture"]
    places = [_Place(one.at, clip) for one in shown]
    found = []
    clocks = [
        (place.wall, picture_clock.nearest(one.clock, place.wall))
        for one, place in zip(shown, places, strict=True)
        if not math.isnan(one.clock)
    ]
    for wall, clock in clocks:
        if not -EARLY_SECONDS <= wall - clock <= late_seconds:
            found.append(f"shows {clock - wall:+.2f} s beside the time that it says, at {wall:.2f}")
            break
    if any(later < earlier for (_, earlier), (_, later) in pairwise(clocks)):
        found.append("shows an earlier picture after a later one")
    for earlier, later in pairwise(places):
        if later.at - earlier.at > STEP_SECONDS * slowdown and not _told(
            clip, earlier.wall, later.wall
        ):
            found.append(f"stands still for {later.at - earlier.at:.2f} s at {earlier.wall:.2f}")
    return found + _unsaid(clip)


class _Place:
    """Where a picture is: in seconds of the clip, and in Unix seconds."""

    def __init__(self, at: float, clip: dict[str, Any]) -> None:
        self.at = at
        begin = self.wall = seconds(clip["delivered"]["start"])
        self.wall += at
        for gap in sorted(clip["gaps"], key=lambda each: str(each["start"])):
            start, end = seconds(gap["start"]), seconds(gap["end"])
            # to the millisecond, as the gap is told; one before the first picture moves nothing
            if not gap["kept"] and begin < end and start <= self.wall + 0.002:
                self.wall += end - start


def _told(clip: dict[str, Any], start: float, end: float) -> bool:
    return any(seconds(gap["start"]) < end and start < seconds(gap["end"]) for gap in clip["gaps"])


def _unsaid(clip: dict[str, Any]) -> list[str]:
    """Where it has less than was asked for, and says nothing of it."""
    asked, has, notes = clip["requested"], clip["delivered"], set(clip["notes"])
    found = []
    begins = min([has["start"], *(gap["start"] for gap in clip["gaps"])])
    late = seconds(begins) - seconds(asked["start"])
    if late > ASKED_SECONDS and not notes & {"start-clamped", "while-present"}:
        found.append(f"begins {late:.2f} s late and does not say so")
    missing = seconds(asked["end"]) - seconds(has["end"])
    if missing > ASKED_SECONDS and not notes & {"end-clamped", "share-ended", "while-present"}:
        found.append(f"ends {missing:.2f} s early and does not say so")
    return found


def seconds(instant: str) -> float:
    """Unix seconds of a time as the API tells it."""
    return datetime.fromisoformat(instant).timestamp()

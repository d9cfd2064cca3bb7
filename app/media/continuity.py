"""Where a session's media stood after a fragment, so that the next one goes on from there."""

from __future__ import annotations

from dataclasses import dataclass

from app.media.init_segment import Init
from app.media.samples import VIDEO_TICKS

WRAP_TICKS = 1 << 33
"""After so many, the times in MPEG-TS begin anew."""
# How far before the base a session's first time may lie before it counts as one wrap later.
_EARLY_TICKS = 60 * VIDEO_TICKS


@dataclass(frozen=True, slots=True)
class Continuity:
    """Where a session's media stood after a fragment; the next `prepare` goes on from it.

    All four values are in the row of the last fragment, so a restarted indexer can build it.

    - `init`: the session's init. `end_pts`: 90 kHz ticks. `end_audio`: audio samples.
    - `frame_ticks`: usual distance of two pictures.
    """

    init: Init
    end_pts: int
    end_audio: int
    frame_ticks: int


def earliest_ticks(previous: Continuity | None) -> int:
    """The first tick that a fragment after `previous` can begin at, WRAP_TICKS before the last."""
    return previous.end_pts - WRAP_TICKS // 2 if previous else -_EARLY_TICKS

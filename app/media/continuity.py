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

    All but the shifts is in the row of the last fragment, so a restarted indexer can build it.
    Shifts are found again where the next fragment doesn't fit: see `app.media.timestamp_steps`.

    - `init`: the session's init. `end_pts`: 90 kHz ticks. `end_audio`: audio samples.
    - `frame_ticks`: usual distance of two pictures.
    - `picture_shift`, `sound_shift`: how far the session's media time is ahead of the times in the
      files, 0 to WRAP_TICKS; 0 until these step.
    """

    init: Init
    end_pts: int
    end_audio: int
    frame_ticks: int
    picture_shift: int = 0
    sound_shift: int = 0


def earliest_ticks(previous: Continuity | None) -> int:
    """The first tick that a fragment after `previous` can begin at, WRAP_TICKS before the last."""
    return previous.end_pts - WRAP_TICKS // 2 if previous else -_EARLY_TICKS

"""Timestamps that step, and where the session's media goes on then. Pure.

After a mute, an encoder's reset or a bad sender report, the times in egress's files may fall back
or leap by seconds or hours, and go on from there. The session's media time does neither: from the
step on it is ahead of the files' times by a shift.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.media.continuity import WRAP_TICKS, Continuity
from app.media.samples import VIDEO_TICKS
from app.media.transport import STRAY_SOUND_TICKS

STEP_TICKS = 5 * VIDEO_TICKS
"""A segment that is further than this from where its playlist has it is at another place than its
times say. A hole in the picture lies within one segment, and its playlist counts it."""

_SOUND_BACK_TICKS = VIDEO_TICKS // 2
"""Sound that begins so long before the session's had ended has stepped."""

Ticks = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TimeBounds:
    """Where a segment's pictures can be, in ticks of the session's media time.

    `previous`: see `app.media.fragment.prepare_bytes`. `latest`: the end of what can have been
    recorded by now. `expected`: where its playlist has its first picture. None: not known.
    """

    previous: Continuity | None
    latest: int | None
    expected: int | None

    @property
    def earliest(self) -> int:
        """The first tick at which a segment can begin."""
        return self.previous.end_pts - self.previous.frame_ticks + 1 if self.previous else 0

    def step(self, first: int, last: int) -> int:
        """How far pictures from `first` to `last` have to be moved, to be where they belong."""
        expected = self.expected
        if expected is not None and not self._hold(expected, expected + last - first):
            expected = None
        if self._hold(first, last):
            if self.previous is None or expected is None or abs(first - expected) <= STEP_TICKS:
                return 0
            return expected - first
        if expected is not None:
            return expected - first
        return self.previous.end_pts - first if self.previous else 0

    def sound_step(self, sound: Ticks, pictures: Ticks, step: int) -> int:
        """How far a segment's sound has to be moved, whose pictures have been by `step`."""
        if not len(sound):
            return step
        first, length = int(sound[0]), int(sound.max() - sound.min())
        begin, end = int(pictures.min()), int(pictures.max())
        reached = self._sound_reached
        usual = begin if self.previous is None else begin + reached - self.previous.end_pts
        moved = min((0, step), key=lambda each: abs(first + each - usual))
        apart = first + moved + length < begin - STRAY_SOUND_TICKS
        if apart or first + moved > end + STRAY_SOUND_TICKS:
            return (usual if abs(usual - begin) < STRAY_SOUND_TICKS else begin) - first
        if self.previous is not None and first + moved < reached - _SOUND_BACK_TICKS:
            return max(reached, begin - STRAY_SOUND_TICKS) - first
        return moved

    @property
    def _sound_reached(self) -> int:
        if self.previous is None:
            return 0
        return self.previous.end_audio * VIDEO_TICKS // self.previous.init.audio_format.sample_rate

    def _hold(self, first: int, last: int) -> bool:
        return self.earliest <= first and (self.latest is None or last <= self.latest)


def steps(before: Continuity | None, after: Continuity) -> dict[str, float]:
    """How far the times in a session's files have stepped: seconds, negative if they fell back."""
    shifts = (before.picture_shift, before.sound_shift) if before else (0, 0)
    found = {
        "pictures_seconds": _fallen(shifts[0] - after.picture_shift),
        "sound_seconds": _fallen(shifts[1] - after.sound_shift),
    }
    return found if any(found.values()) else {}


def _fallen(ticks: int) -> float:
    half = WRAP_TICKS // 2
    return round(((ticks + half) % WRAP_TICKS - half) / VIDEO_TICKS, 3)

"""A segment's audio frames laid on the session's grid, with silence where one is missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.media.aac import AudioFormat
from app.media.samples import AAC_FRAME_SAMPLES, VIDEO_TICKS

# A frame takes the place after the one before unless its time differs from it by more than this
# share of a frame. Real times differ by 90 kHz rounding only.
_SLACK_FRAMES = 0.75
# Sound that a segment lacks may be in the next one if it is as late as a muxer lets it be.
_LATE_TICKS = VIDEO_TICKS // 4


@dataclass(frozen=True, slots=True)
class Sound:
    """Consecutive frames from sample `first` on, `silence_frames` of them filled in."""

    first: int
    frames: list[bytes]
    silence_frames: int


def on_grid(
    frames: list[bytes],
    times: NDArray[np.int64],
    audio_format: AudioFormat,
    *,
    expected: int | None,
    pictures: tuple[int, int],
    follows: bool,
    announced: bool,
) -> Sound:
    """Place `frames` (`times` in ticks on the session's clock) on the grid.

    `expected` is the sample at which the session's sound had ended, None for its first segment.
    `pictures` is the segment's stretch of video in ticks; `follows` tells that it joins the
    pictures before, so that sound missing in between is filled too.

    Without any frame the whole stretch becomes silence: a session without sound, or one whose
    sound was `announced` and could not be delivered in time; then its last quarter of a second is
    left to the next segment. Frames before the session's clock (an encoder's priming) and where
    sound already is are left out.
    """
    rate = audio_format.sample_rate
    origin = expected
    if origin is None:
        # MPEG-TS floors: the first whole sample at or after the written time is the true one.
        origin = -(-int(times[0]) * rate // VIDEO_TICKS) if frames else 0
    # All places from here on are in frames, counted from the origin.
    until = pictures[1] - (_LATE_TICKS if announced else 0)
    begin, end = (
        (ticks * rate / VIDEO_TICKS - origin) / AAC_FRAME_SAMPLES for ticks in (pictures[0], until)
    )
    lowest = -(origin // AAC_FRAME_SAMPLES) if expected is None else 0
    if not frames:
        first = 0 if follows else max(lowest, int(np.floor(begin)))
        count = max(0, int(np.ceil(end)) - first)
        return Sound(origin + first * AAC_FRAME_SAMPLES, [audio_format.silent_frame] * count, count)
    measured = (times * (rate / VIDEO_TICKS) - origin) / AAC_FRAME_SAMPLES
    places = _places(measured, 0 if follows else None)
    first = max(lowest, 0 if follows else min(int(np.ceil(begin)), places[0]))
    placed: list[bytes] = []
    silence = 0
    for place, frame in zip(places, frames, strict=True):
        missing = place - first - len(placed)
        if missing < 0:
            continue
        placed.extend([audio_format.silent_frame] * missing)
        placed.append(frame)
        silence += missing
    return Sound(origin + first * AAC_FRAME_SAMPLES, placed, silence)


def _places(measured: NDArray[np.float64], following: int | None) -> list[int]:
    """Whole places of frames measured at `measured`, the first one expected at `following`."""
    start = round(float(measured[0]))
    if following is not None and abs(float(measured[0]) - following) <= _SLACK_FRAMES:
        start = following
    if np.abs(measured - np.arange(start, start + len(measured))).max() <= _SLACK_FRAMES:
        return list(range(start, start + len(measured)))
    places = [start]
    for place in measured[1:].tolist():
        follower = places[-1] + 1
        places.append(follower if abs(place - follower) <= _SLACK_FRAMES else round(place))
    return places

"""How large a clip will be, before it is made. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict

UNKNOWN_BYTES_PER_SECOND = 780_000
"""The default encoding, 1080p60 at 6 Mbit/s with sound: for a share without any media yet."""
_INDEX_FACTOR = 1.02
"""An MP4's index beside its media: 28 bytes for each of about 100 samples a second."""
_HEADER_BYTES = 4096


_GROUP_SECONDS = 2.0
"""About what a cut holds before its start: from the key frame on."""


class SizedSegment(TypedDict):
    """What is asked of a segment's row."""

    start: datetime
    end: datetime
    size_bytes: int


def estimated_bytes(
    segments: Iterable[SizedSegment], start: datetime, end: datetime, *, waits: bool
) -> int:
    """The size of a clip of [start, end).

    `segments` are those of the window that are there; `waits`: the rest, up to `end`, is still to
    come, and is taken to be like them.
    """
    total, seconds, newest = 0, 0.0, start
    for segment in segments:
        length = (segment["end"] - segment["start"]).total_seconds()
        inside = (min(segment["end"], end) - max(segment["start"], start)).total_seconds()
        if length > 0 and inside > 0:
            # Its beginning is in the file even if it is not shown: a clip begins at a keyframe.
            total += segment["size_bytes"]
            seconds += length
            newest = max(newest, segment["end"])
    if waits:
        rate = total / seconds if seconds else UNKNOWN_BYTES_PER_SECOND
        total += round(rate * max(0.0, (end - newest).total_seconds()))
    return round(total * _INDEX_FACTOR) + _HEADER_BYTES


def estimated_trim_bytes(
    whole_bytes: int, whole_seconds: float, before_seconds: float, length_seconds: float
) -> int:
    """The size of a part of a clip, of which so much lies before the part's start."""
    held = length_seconds + min(before_seconds, _GROUP_SECONDS)
    share = min(1.0, held / whole_seconds) if whole_seconds > 0 else 1.0
    return round(whole_bytes * share) + _HEADER_BYTES

"""What an indexer asks its parser, and what that answers.

A parser reads what strangers have encoded: what it answers is believed only as far as it can be.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from app.media.continuity import WRAP_TICKS, Continuity, earliest_ticks
from app.media.faults import Fault
from app.media.h264 import MOST_PIXELS
from app.media.init_segment import Init
from app.media.prepared_fragment import LOUDEST, MOST_LEVELS
from app.media.samples import VIDEO_TICKS, SampleTable
from app.models import FaultSlug

FRAGMENT_BYTES = 128 * 2**20
"""Of a fragment at most: silence may have been filled in."""
_FRAGMENT, _FAULTS = b"m", b"f"
_SIZES = struct.Struct("<QIQIBQQ")
_MOST_FAULTS = 10
_DETAIL_CHARACTERS = 300
_MARGIN_TICKS = 120 * VIDEO_TICKS
"""Of a segment's length over what its playlist promised, and of its sound's beginning: a longest
segment before it may have had none."""


class Implausible(Exception):
    """An answer that no parser gives which is in its right mind."""


@dataclass(frozen=True, slots=True)
class Request:
    """A segment to prepare: `path` is for messages, `seconds` what its playlist promised.

    `latest_ticks`: where the session's media can have got to. `expected_ticks`: where its playlist
    has the segment, None where that is not known. `measures`: whether its levels are asked for.
    """

    path: str
    seconds: float
    latest_ticks: int
    previous: Continuity | None
    expected_ticks: int | None = None
    measures: bool = True

    def pack(self) -> bytes:
        before = self.previous and (
            base64.b64encode(self.previous.init.data).decode(),
            self.previous.end_pts,
            self.previous.end_audio,
            self.previous.frame_ticks,
            self.previous.picture_shift,
            self.previous.sound_shift,
        )
        times = [self.seconds, self.latest_ticks, before, self.expected_ticks]
        return json.dumps([self.path, *times, self.measures]).encode()

    @classmethod
    def unpack(cls, packed: bytes) -> Request:
        path, seconds, latest_ticks, before, expected_ticks, measures = json.loads(packed)
        previous = before and Continuity(_init(before[0]), *before[1:])
        return cls(path, seconds, latest_ticks, previous, expected_ticks, measures)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What is known of a fragment, which is in the parser's output.

    Shifts as in Continuity, levels as in `app.media.loudness`.
    """

    size_bytes: int
    payload_offset: int
    init: Init
    samples: SampleTable
    frame_ticks: int
    shifts: tuple[int, int] = (0, 0)
    levels: bytes = b""

    @property
    def continuity(self) -> Continuity:
        ends = self.samples.end_pts, self.samples.end_audio
        return Continuity(self.init, *ends, self.frame_ticks, *self.shifts)

    def pack(self) -> bytes:
        sizes = (self.size_bytes, self.payload_offset, self.frame_ticks)
        head = _SIZES.pack(*sizes, len(self.init.data), len(self.levels), *self.shifts)
        return b"".join((_FRAGMENT, head, self.init.data, self.levels, self.samples.pack()))


def pack_faults(faults: tuple[Fault, ...]) -> bytes:
    """What makes a segment unusable, as an answer."""
    told = [[each.slug, each.detail[:_DETAIL_CHARACTERS]] for each in faults[:_MOST_FAULTS]]
    return _FAULTS + json.dumps(told).encode()


def unpack(answer: bytes, request: Request) -> Parsed | list[Fault]:
    """What came of a request. Raises Implausible."""
    try:
        match answer[:1]:
            case b"m":
                return _checked(_parsed(answer, request.previous), request)
            case b"f":
                return _faults(answer[1:])
    except (ValueError, TypeError, IndexError, RecursionError, struct.error) as error:
        raise Implausible(f"it says what can't be: {error!r:.200}") from error
    raise Implausible(f"it says {answer[:40]!r}")


def _parsed(answer: bytes, previous: Continuity | None) -> Parsed:
    size_bytes, payload_offset, frame_ticks, init_bytes, levels, *shifts = _SIZES.unpack_from(
        answer, 1
    )
    begin = 1 + _SIZES.size
    data = answer[begin : begin + init_bytes]
    init = previous.init if previous and previous.init.data == data else Init.parse(data)
    begin += init_bytes
    samples = SampleTable.unpack(answer[begin + levels :])
    return Parsed(
        size_bytes,
        payload_offset,
        init,
        samples,
        frame_ticks,
        (shifts[0], shifts[1]),
        answer[begin : begin + levels],
    )


def _checked(parsed: Parsed, request: Request) -> Parsed:
    if wrong := next(_wrong(parsed, request), None):
        raise Implausible(f"it tells of {wrong}")
    return parsed


def _wrong(parsed: Parsed, request: Request) -> Iterator[str]:
    init, samples, earliest = parsed.init, parsed.samples, earliest_ticks(request.previous)
    if not (len(samples.sizes) and init.width and init.height):
        yield "no picture"
    if init.width * init.height > MOST_PIXELS:
        yield "pictures that are too large"
    if samples.sample_rate != init.audio_format.sample_rate:
        yield "sound of two rates"
    media_bytes = samples.video_bytes + samples.audio_bytes
    if not 0 < parsed.payload_offset == parsed.size_bytes - media_bytes <= FRAGMENT_BYTES:
        yield "sizes that do not add up"
    length, last = samples.end_pts - samples.first_pts, int(samples.pts.max())
    if not earliest <= samples.first_pts <= samples.first_pts + last <= request.latest_ticks:
        yield "a time that can't be reached"
    longest = round(request.seconds * VIDEO_TICKS) + _MARGIN_TICKS
    if not last < length <= longest:
        yield "pictures that last too long, or not at all"
    if not 0 < parsed.frame_ticks <= length:
        yield f"pictures that are {parsed.frame_ticks} ticks apart"
    if max(parsed.shifts) >= WRAP_TICKS:
        yield "times that were shifted by more than there are"
    if len(parsed.levels) > min(MOST_LEVELS, len(samples.audio_sizes)):
        yield f"{len(parsed.levels)} levels of its sound"
    if max(parsed.levels, default=0) > LOUDEST:
        yield "sound that is louder than it can be"
    sound_ticks = samples.first_audio * VIDEO_TICKS // samples.sample_rate
    if abs(sound_ticks - samples.first_pts) > longest:
        yield "sound that is not beside its pictures"


def _faults(told: bytes) -> list[Fault]:
    faults = [
        Fault(FaultSlug(slug), detail[:_DETAIL_CHARACTERS])
        for slug, detail in json.loads(told)[:_MOST_FAULTS]
        if isinstance(detail, str)
    ]
    if not faults:
        raise Implausible("it tells of no fault")
    return faults


@lru_cache(64)
def _init(told: str) -> Init:
    return Init.parse(base64.b64decode(told))

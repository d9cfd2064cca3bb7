"""The boxes that describe a movie's tracks, the same in an init segment and in a clip."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime

from app.media.boxes import UINT32_MAX, box, full_box
from app.media.samples import VIDEO_TICKS

VIDEO_TRACK = 1
AUDIO_TRACK = 2
SOUND = b"Sound"
SILENCE = b"Silence"

_EPOCH_1904 = datetime(1904, 1, 1, tzinfo=UTC)
_MATRIX = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_UNDETERMINED = 0x55C4  # "und", three 5-bit letters


@dataclass(frozen=True, slots=True)
class Edit:
    """One line of an edit list: `duration` in 90 kHz ticks, `media_time` in the track's own
    timescale, -1 for an empty edit."""

    duration: int
    media_time: int


@dataclass(frozen=True, slots=True)
class TrackTimes:
    """How long a track is: `duration` in 90 kHz ticks, `media_duration` in its own timescale."""

    duration: int = 0
    media_duration: int = 0
    edits: tuple[Edit, ...] = ()
    created: int = 0


_UNKNOWN = TrackTimes()
"""Those of an init segment."""


def seconds_since_1904(moment: datetime | None) -> int:
    """A header's time stamp; 0, which means unset, for None."""
    return 0 if moment is None else int((moment - _EPOCH_1904).total_seconds())


def movie_header(duration: int, created: int) -> bytes:
    """mvhd in 90 kHz ticks, with room for a third track."""
    return full_box(
        b"mvhd",
        *_version(created, duration),
        *_times(created, VIDEO_TICKS, duration),
        struct.pack(">IH10x", 0x10000, 0x0100),
        _MATRIX,
        bytes(24),
        struct.pack(">I", AUDIO_TRACK + 1),
    )


def video_track(
    avcc: bytes,
    width: int,
    height: int,
    table: bytes,
    times: TrackTimes = _UNKNOWN,
) -> bytes:
    """trak of the H.264 track. `table` is the stbl's content after stsd."""
    entry = box(
        b"avc1",
        struct.pack(">6xH16xHHIIIH32xHh", 1, width, height, 0x480000, 0x480000, 0, 1, 24, -1),
        box(b"avcC", avcc),
    )
    return _track(
        _track_header(VIDEO_TRACK, times, width, height),
        times.edits,
        _media_header(VIDEO_TICKS, times.media_duration, times.created),
        _handler(b"vide", b"Screen"),
        _media_information(full_box(b"vmhd", 0, 1, bytes(8)), entry, table),
    )


def audio_track(
    asc: bytes,
    sample_rate: int,
    channels: int,
    name: bytes,
    table: bytes,
    times: TrackTimes = _UNKNOWN,
) -> bytes:
    """trak of the AAC track. `name` tells whether it is sound or filled-in silence."""
    entry = box(
        b"mp4a",
        struct.pack(">6xH8xHHIHH", 1, channels, 16, 0, sample_rate, 0),
        _elementary_stream_descriptor(asc),
    )
    return _track(
        _track_header(AUDIO_TRACK, times, 0, 0),
        times.edits,
        _media_header(sample_rate, times.media_duration, times.created),
        _handler(b"soun", name),
        _media_information(full_box(b"smhd", 0, 0, bytes(4)), entry, table),
    )


def _track(header: bytes, edits: tuple[Edit, ...], *media: bytes) -> bytes:
    return box(b"trak", header, _edit_list(edits), box(b"mdia", *media))


def _version(*values: int) -> tuple[int, int]:
    """Version and flags of a box whose times need 64 bits, or don't."""
    return int(max(values) > UINT32_MAX), 0


def _times(created: int, timescale: int, duration: int) -> tuple[bytes]:
    layout = ">QQIQ" if _version(created, duration)[0] else ">IIII"
    return (struct.pack(layout, created, created, timescale, duration),)


def _track_header(track: int, times: TrackTimes, width: int, height: int) -> bytes:
    created, duration = times.created, times.duration
    version, _ = _version(created, duration)
    layout = ">QQI4xQ" if version else ">III4xI"
    return full_box(
        b"tkhd",
        version,
        3,  # enabled, in the movie
        struct.pack(layout, created, created, track, duration),
        struct.pack(">8xHHH2x", 0, 0, 0 if width else 0x0100),
        _MATRIX,
        struct.pack(">II", width << 16, height << 16),
    )


def _edit_list(edits: tuple[Edit, ...]) -> bytes:
    if not edits:
        return b""
    version, flags = _version(*(value for e in edits for value in (e.duration, e.media_time)))
    layout = ">QqHH" if version else ">IiHH"
    lines = (struct.pack(layout, edit.duration, edit.media_time, 1, 0) for edit in edits)
    return box(b"edts", full_box(b"elst", version, flags, struct.pack(">I", len(edits)), *lines))


def _media_header(timescale: int, duration: int, created: int) -> bytes:
    return full_box(
        b"mdhd",
        *_version(created, duration),
        *_times(created, timescale, duration),
        struct.pack(">H2x", _UNDETERMINED),
    )


def _handler(kind: bytes, name: bytes) -> bytes:
    return full_box(b"hdlr", 0, 0, struct.pack(">4x4s12x", kind), name, b"\0")


def _media_information(header: bytes, entry: bytes, table: bytes) -> bytes:
    return box(
        b"minf",
        header,
        box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1))),
        box(b"stbl", full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry), table),
    )


def _elementary_stream_descriptor(asc: bytes) -> bytes:
    """esds with the descriptors of ISO/IEC 14496-1, 7.2.6; bit rates are left unset."""
    specific = _descriptor(5, asc)
    config = _descriptor(4, struct.pack(">BB3xII", 0x40, 0x15, 0, 0), specific)
    stream = _descriptor(3, struct.pack(">HB", AUDIO_TRACK, 0), config, _descriptor(6, b"\x02"))
    return full_box(b"esds", 0, 0, stream)


def _descriptor(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes((tag, len(body))) + body

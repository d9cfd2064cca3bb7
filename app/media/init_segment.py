"""The init segment of a session: its codecs and picture size, as players need them first."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from app.media.aac import AudioFormat, parse_asc
from app.media.boxes import box, find, full_box
from app.media.tracks import (
    AUDIO_TRACK,
    SILENCE,
    SOUND,
    VIDEO_TRACK,
    audio_track,
    movie_header,
    video_track,
)

_NO_SAMPLES = b"".join(
    (
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
)


@dataclass(frozen=True, slots=True)
class Init:
    """What all fragments of one session share.

    - `id`: 16 hex digits of a hash of `data`; sessions of one encoding have the same.
    - `data`: the init segment's bytes (`ftyp moov`), for EXT-X-MAP. `Init.parse` reads it.
    - `width`, `height`: the shown picture in pixels.
    - `audio`: whether the session announced sound; if not, its audio track is silence.
    - `avcc`: AVCDecoderConfigurationRecord.
    """

    id: str
    data: bytes
    width: int
    height: int
    audio: bool
    avcc: bytes
    audio_format: AudioFormat

    @classmethod
    def build(
        cls, avcc: bytes, width: int, height: int, audio_format: AudioFormat, *, audio: bool
    ) -> Init:
        """The init segment of H.264 with `avcc` beside AAC of `audio_format`."""
        data = b"".join(
            (
                box(b"ftyp", b"iso6", struct.pack(">I", 0), b"iso6", b"mp41"),
                box(
                    b"moov",
                    movie_header(0, 0),
                    video_track(avcc, width, height, _NO_SAMPLES),
                    audio_track(
                        audio_format.asc,
                        audio_format.sample_rate,
                        audio_format.channels,
                        SOUND if audio else SILENCE,
                        _NO_SAMPLES,
                    ),
                    box(b"mvex", _track_extends(VIDEO_TRACK), _track_extends(AUDIO_TRACK)),
                ),
            )
        )
        digest = hashlib.sha256(data).hexdigest()[:16]
        return cls(digest, data, width, height, audio, avcc, audio_format)

    @classmethod
    def parse(cls, data: bytes) -> Init:
        """The Init whose `data` this is. ValueError if it isn't one of ours."""
        parsed = cls.described(data)
        if parsed.data != data:
            raise ValueError("not an init segment of ours: it builds to other bytes")
        return parsed

    @classmethod
    def described(cls, data: bytes) -> Init:
        """What a `moov` of ours, of an init segment or a movie, says that its tracks hold.

        ValueError if it isn't one.
        """
        tracks = find(data, b"moov", b"trak")
        descriptions = find(data, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
        handlers = find(data, b"moov", b"trak", b"mdia", b"hdlr")
        if not len(tracks) == len(descriptions) == len(handlers) == 2:
            raise ValueError(f"a moov of ours has 2 tracks, this has {len(tracks)}")
        video, audio = (data[found.start : found.end] for found in descriptions)
        width, height = struct.unpack_from(">HH", video, 8 + 8 + 24)
        avcc_size, kind = struct.unpack_from(">I4s", video, 8 + 8 + 78)
        if kind != b"avcC":
            raise ValueError(f"a moov of ours has avcC first in avc1, this has {kind!r}")
        avcc = video[8 + 8 + 86 : 8 + 8 + 78 + avcc_size]
        # Ours end with the AudioSpecificConfig of two bytes and the three-byte SL descriptor.
        audio_format = parse_asc(audio[-5:-3])
        sound = data[handlers[1].start + 24 : handlers[1].end - 1] == SOUND
        return cls.build(avcc, width, height, audio_format, audio=sound)


def _track_extends(track: int) -> bytes:
    return full_box(b"trex", 0, 0, struct.pack(">IIIII", track, 1, 0, 0, 0))

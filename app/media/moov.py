"""The header of a plain MP4: `ftyp moov` and the head of `mdat`, before the payload."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from app.media.boxes import UINT32_MAX, box, full_box, media_data_head
from app.media.init_segment import Init
from app.media.layout import Chunks
from app.media.samples import AAC_FRAME_SAMPLES
from app.media.tracks import (
    SILENCE,
    SOUND,
    Edit,
    TrackTimes,
    audio_track,
    movie_header,
    seconds_since_1904,
    video_track,
)
from app.models import instants

_FILE_TYPE = box(b"ftyp", b"isom", struct.pack(">I", 0x200), b"isom", b"iso2", b"avc1", b"mp41")


@dataclass(frozen=True, slots=True, eq=False)
class Timing:
    """The tracks on the movie's clock.

    - `decode`, `offsets`: per picture in decode order, decode time and composition offset (never
      negative) in ticks; `video_end`: end of the last one.
    - `duration`: what is shown, in ticks. `video_edits`, `audio_edits`: the edit lists.
    """

    decode: NDArray[np.int64]
    offsets: NDArray[np.int64]
    video_end: int
    duration: int
    video_edits: tuple[Edit, ...]
    audio_edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """What the file says about itself: the wall clock of its first picture. No title: that of the
    clip may change, and files stay as they are."""

    first_shown: datetime
    created_at: datetime


def header(
    init: Init,
    timing: Timing,
    video: Chunks,
    keys: NDArray[np.bool_],
    audio: Chunks,
    payload_bytes: int,
    label: Label,
    *,
    sound: bool,
) -> bytes:
    """Everything before the payload, chunk offsets counted from the file's first byte."""
    created = seconds_since_1904(label.created_at)
    video_table = b"".join(
        (
            _times(np.diff(timing.decode, append=timing.video_end)),
            _composition(timing.offsets),
            _sync(keys),
            _sizes(video),
        )
    )
    audio_table = b"".join(
        (_times(np.full(audio.samples, AAC_FRAME_SAMPLES, np.int64)), _sizes(audio))
    )
    head = media_data_head(payload_bytes)

    def build(base: int, *, wide: bool) -> bytes:
        moov = box(
            b"moov",
            movie_header(timing.duration, created),
            video_track(
                init.avcc,
                init.width,
                init.height,
                video_table + _offsets(video, base, wide=wide),
                TrackTimes(
                    duration=timing.duration,
                    media_duration=timing.video_end,
                    edits=timing.video_edits,
                    created=created,
                ),
            ),
            audio_track(
                init.audio_format.asc,
                init.audio_format.sample_rate,
                init.audio_format.channels,
                SOUND if sound else SILENCE,
                audio_table + _offsets(audio, base, wide=wide),
                TrackTimes(
                    duration=sum(edit.duration for edit in timing.audio_edits),
                    media_duration=audio.samples * AAC_FRAME_SAMPLES,
                    edits=timing.audio_edits,
                    created=created,
                ),
            ),
            _recorded_at(label.first_shown),
        )
        return _FILE_TYPE + moov + head

    length = len(build(0, wide=False))
    wide = length + payload_bytes > UINT32_MAX
    if wide:
        length = len(build(0, wide=True))
    return build(length, wide=wide)


def _table(kind: bytes, rows: NDArray[np.integer], version: int = 0) -> bytes:
    return full_box(
        kind, version, 0, struct.pack(">I", len(rows)), rows.astype(">u4", order="C").tobytes()
    )


def _run_lengths(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of (how often, value)."""
    starts = np.flatnonzero(np.diff(values, prepend=values[0] - 1))
    counts = np.diff(starts, append=len(values))
    return np.stack((counts, values[starts]), axis=1)


def _times(durations: NDArray[np.int64]) -> bytes:
    return _table(b"stts", _run_lengths(durations))


def _composition(offsets: NDArray[np.int64]) -> bytes:
    return _table(b"ctts", _run_lengths(offsets)) if offsets.any() else b""


def _sync(keys: NDArray[np.bool_]) -> bytes:
    return _table(b"stss", np.flatnonzero(keys) + 1)


def _sizes(chunks: Chunks) -> bytes:
    """stsc and stsz."""
    counts = np.array(chunks.counts, np.int64)
    changes = np.flatnonzero(np.diff(counts, prepend=counts[0] - 1))
    rows = np.stack((changes + 1, counts[changes], np.ones_like(changes)), axis=1)
    sizes = np.concatenate(chunks.sizes).astype(">u4")
    return _table(b"stsc", rows) + full_box(
        b"stsz", 0, 0, struct.pack(">II", 0, len(sizes)), sizes.tobytes()
    )


def _offsets(chunks: Chunks, base: int, *, wide: bool) -> bytes:
    offsets = np.array(chunks.offsets, np.int64) + base
    return full_box(
        b"co64" if wide else b"stco",
        0,
        0,
        struct.pack(">I", len(offsets)),
        offsets.astype(">u8" if wide else ">u4").tobytes(),
    )


def _recorded_at(moment: datetime) -> bytes:
    """QuickTime's creation date: when the first picture shown was on the screen, in UTC."""
    text = instants.written(moment)
    key = b"com.apple.quicktime.creationdate"
    return full_box(
        b"meta",
        0,
        0,
        full_box(b"hdlr", 0, 0, struct.pack(">4x4s13x", b"mdta")),
        full_box(b"keys", 0, 0, struct.pack(">II4s", 1, 8 + len(key), b"mdta"), key),
        box(
            b"ilst",
            box(struct.pack(">I", 1), box(b"data", struct.pack(">II", 1, 0), text.encode())),
        ),
    )

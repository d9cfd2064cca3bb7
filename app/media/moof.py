"""The moof box of a fragment: its samples' times and sizes.

Decode times are the presentation times sorted, and each picture's composition offset is what
remains (signed, trun version 1). hls.js places a fragment by its decode time, and so meets the
picture's true time; with egress's own decode times every discontinuity cost 0.4 s and a stall, and
a hole in the picture stood in the wrong place.
"""

from __future__ import annotations

import struct

import numpy as np

from app.media.boxes import box, full_box, media_data_head
from app.media.samples import AAC_FRAME_SAMPLES, SampleTable
from app.media.tracks import AUDIO_TRACK, VIDEO_TRACK

_SYNC_SAMPLE = 0x02000000  # depends on no other
_OTHER_SAMPLE = 0x01010000  # depends on others, no place to start


def movie_fragment(table: SampleTable) -> bytes:
    """The moof of a payload that follows it directly, behind an mdat head."""
    decode = np.sort(table.pts)
    video = np.empty((len(decode), 4), ">u4")
    video[:-1, 0] = np.diff(decode)
    video[-1, 0] = table.end_pts - table.first_pts - int(decode[-1])
    video[:, 1] = table.sizes
    video[:, 2] = np.where(table.keys, _SYNC_SAMPLE, _OTHER_SAMPLE)
    video[:, 3] = table.pts.astype(np.int64) - decode & 0xFFFFFFFF
    head_bytes = len(media_data_head(table.video_bytes + table.audio_bytes))

    def moof(size: int) -> bytes:
        payload = size + head_bytes
        return box(
            b"moof",
            # Must grow from fragment to fragment: the first picture's time in milliseconds does.
            full_box(b"mfhd", 0, 0, struct.pack(">I", 1 + table.first_pts // 90 & 0xFFFFFFFF)),
            _track_fragment(
                # Durations, sizes, flags and composition offsets of every sample.
                full_box(b"tfhd", 0, 0x020000, struct.pack(">I", VIDEO_TRACK)),
                table.first_pts,
                full_box(
                    b"trun", 1, 0xF01, struct.pack(">Ii", len(video), payload), video.tobytes()
                ),
            ),
            _track_fragment(
                full_box(
                    b"tfhd",
                    0,
                    0x020028,
                    struct.pack(">III", AUDIO_TRACK, AAC_FRAME_SAMPLES, _SYNC_SAMPLE),
                ),
                table.first_audio,
                full_box(
                    b"trun",
                    0,
                    0x201,
                    struct.pack(">Ii", len(table.audio_sizes), payload + table.video_bytes),
                    table.audio_sizes.astype(">u4").tobytes(),
                ),
            )
            if len(table.audio_sizes)
            else b"",
        )

    return moof(len(moof(0)))


def _track_fragment(header: bytes, decode_time: int, run: bytes) -> bytes:
    return box(b"traf", header, full_box(b"tfdt", 1, 0, struct.pack(">Q", decode_time)), run)

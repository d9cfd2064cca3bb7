"""A fragment's sample table: what a clip's index is made of, packed for a database field."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

VIDEO_TICKS = 90_000
"""Video timescale: ticks per second, as in MPEG-TS."""
AAC_FRAME_SAMPLES = 1_024
"""Samples per channel of one AAC-LC frame."""

_HEADER = struct.Struct("<2sBBqqqIII")
_MAGIC = b"st"
_VERSION = 1
_KEY = np.uint32(1 << 31)


@dataclass(frozen=True, slots=True, eq=False)
class SampleTable:
    """Times and sizes of a fragment's samples, in the order of its payload.

    The payload is all video samples in decode order, then all audio samples. Decode times are
    not kept: they are the video times sorted (see `fragment`).

    - `first_pts`, `end_pts`: the first picture's time and the end of the last one, in 90 kHz
      ticks on the session's media clock (0 is MPEG-TS 3600 s).
    - `pts`: uint32, per video sample in decode order, ticks after `first_pts`.
    - `sizes`: uint32, bytes per video sample. `keys`: bool, True for an IDR picture.
    - `first_audio`: position of the first audio sample on the session's media clock, counted in
      `sample_rate`. Audio frames follow each other without a gap, 1,024 samples each.
    - `audio_sizes`: uint16, bytes per audio frame, silence included.
    - `audio`: whether any frame of sound is real, not silence that was filled in.
    """

    first_pts: int
    end_pts: int
    pts: NDArray[np.uint32]
    sizes: NDArray[np.uint32]
    keys: NDArray[np.bool_]
    first_audio: int
    audio_sizes: NDArray[np.uint16]
    sample_rate: int
    audio: bool

    @property
    def end_audio(self) -> int:
        """End of the last audio frame, as `first_audio`."""
        return self.first_audio + AAC_FRAME_SAMPLES * len(self.audio_sizes)

    @property
    def video_bytes(self) -> int:
        return int(self.sizes.sum(dtype=np.int64))

    @property
    def audio_bytes(self) -> int:
        return int(self.audio_sizes.sum(dtype=np.int64))

    def pack(self) -> bytes:
        """40 bytes, 8 bytes a picture and 2 bytes an audio frame; `unpack` reads it."""
        header = _HEADER.pack(
            _MAGIC,
            _VERSION,
            int(self.audio),
            self.first_pts,
            self.end_pts,
            self.first_audio,
            self.sample_rate,
            len(self.sizes),
            len(self.audio_sizes),
        )
        marked = self.sizes | np.where(self.keys, _KEY, np.uint32(0))
        return b"".join(
            (
                header,
                self.pts.astype("<u4").tobytes(),
                marked.astype("<u4").tobytes(),
                self.audio_sizes.astype("<u2").tobytes(),
            )
        )

    @classmethod
    def unpack(cls, packed: bytes) -> SampleTable:
        """The table that `pack` made. ValueError if it is not one."""
        if len(packed) < _HEADER.size:
            raise ValueError(f"a packed sample table has at least 40 bytes, this has {len(packed)}")
        magic, version, audio, first_pts, end_pts, first_audio, rate, frames, audio_frames = (
            _HEADER.unpack_from(packed)
        )
        if magic != _MAGIC or version != _VERSION:
            raise ValueError(f"not a packed sample table: it begins with {packed[:4].hex()}")
        expected = _HEADER.size + 8 * frames + 2 * audio_frames
        if len(packed) != expected:
            raise ValueError(
                f"a packed table of {frames} pictures and {audio_frames} audio frames"
                f" has {expected} bytes, this has {len(packed)}"
            )
        marked = np.frombuffer(packed, "<u4", frames, _HEADER.size + 4 * frames)
        return cls(
            first_pts=first_pts,
            end_pts=end_pts,
            pts=np.frombuffer(packed, "<u4", frames, _HEADER.size),
            sizes=marked & ~_KEY,
            keys=marked >= _KEY,
            first_audio=first_audio,
            audio_sizes=np.frombuffer(packed, "<u2", audio_frames, _HEADER.size + 8 * frames),
            sample_rate=rate,
            audio=bool(audio),
        )

"""A fragment that was made of a segment, and what is worth keeping about it.

Apart from `app.media.fragment`, which loads what reads media.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.media.continuity import Continuity
from app.media.init_segment import Init
from app.media.samples import VIDEO_TICKS, SampleTable

HOLE_TICKS = VIDEO_TICKS // 2
"""Pictures further apart than this have a hole between them: egress repeats a still picture at
its frame rate, so only a source that returned from mute leaves one (1.2 to 2.1 s)."""
MOST_LEVELS = 64
"""Of a segment's sound, one byte each: see `app.media.loudness`."""
LOUDEST = 100
"""The level of full scale; 0 is silence, and each step a decibel."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A stretch without pictures, in ticks of the session's media clock; sound may go on."""

    start_pts: int
    end_pts: int


@dataclass(frozen=True, slots=True)
class FragmentKeyFrame:
    """An IDR picture: its time in ticks, and where its sample lies in the fragment's file."""

    pts: int
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A fragment and what is worth keeping about it.

    - `pieces`: the file to write, `moof mdat`, in the order in which they stand in it.
      `payload_offset`: where the samples begin in it.
    - `init`: the session's init; differs from the previous one only when size, audio layout or
      codec changed, and then the fragment belongs under another EXT-X-MAP.
    - `first_pts`, `end_pts` in ticks, `first_audio`, `end_audio` in audio samples.
    - `silence_frames`: AAC frames of silence that were filled in.
    - `audio`: whether any sound is real.
    """

    pieces: tuple[bytes, ...]
    payload_offset: int
    init: Init
    samples: SampleTable
    first_pts: int
    end_pts: int
    first_audio: int
    end_audio: int
    frames: int
    audio_frames: int
    silence_frames: int
    audio: bool
    keys: tuple[FragmentKeyFrame, ...]
    holes: tuple[Hole, ...]
    continuity: Continuity

    @property
    def sound(self) -> tuple[bytes, ...]:
        """The frames of sound, silence included."""
        return self.pieces[len(self.pieces) - self.audio_frames :]

    @property
    def data(self) -> bytes:
        """The file to write, as one."""
        return b"".join(self.pieces)

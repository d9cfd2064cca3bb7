"""One MPEG-TS segment made into one fragment of fragmented MP4."""

from __future__ import annotations

from dataclasses import dataclass

from app.media.init_segment import Init
from app.media.samples import SampleTable

MPEGTS_BASE_TICKS = 3_600 * 90_000
"""PTS at which egress lets every session's media clock begin (GStreamer's mpegtsmux)."""


@dataclass(frozen=True, slots=True)
class Continuity:
    """Where a session's media stood after a fragment; the next `prepare` goes on from it.

    All four values are in the row of the last fragment, so a restarted indexer can build it.

    - `init`: the session's init. `end_pts`: 90 kHz ticks. `end_audio`: audio samples.
    - `frame_ticks`: usual distance of two pictures.
    """

    init: Init
    end_pts: int
    end_audio: int
    frame_ticks: int


@dataclass(frozen=True, slots=True)
class Hole:
    """A stretch without pictures, in ticks of the session's media clock; sound may go on."""

    start_pts: int
    end_pts: int


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """An IDR picture: its time in ticks, and where its sample lies in the fragment's file."""

    pts: int
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A fragment and what is worth keeping about it.

    - `data`: the file to write, `moof mdat`. `payload_offset`: where the samples begin in it.
    - `init`: the session's init; differs from the previous one only when size, audio layout or
      codec changed, and then the fragment belongs under another EXT-X-MAP.
    - `silence_frames`: AAC frames of silence that were filled in.
    - `audio`: whether any sound is real.
    """

    data: bytes
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
    keys: tuple[KeyFrame, ...]
    holes: tuple[Hole, ...]
    continuity: Continuity


def prepare(
    path: str,
    extinf_seconds: float,
    previous: Continuity | None = None,
    *,
    base_ticks: int = MPEGTS_BASE_TICKS,
) -> Prepared:
    """Read the committed segment at `path` and make its fragment.

    `extinf_seconds` is the length that the playlist promised. `previous` is the continuity of the
    session's fragment before it (of the last one that could be prepared), None for the first.

    Raises Unpreparable with all faults found. Blocks for some milliseconds (call it in a thread;
    most of the time is spent without the GIL).
    """
    raise NotImplementedError

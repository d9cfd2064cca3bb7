"""How loud a segment's sound is, part by part: what a waveform is drawn from."""

from __future__ import annotations

import time
from collections.abc import Sequence

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from app.media.aac import AudioFormat
from app.media.prepared_fragment import LOUDEST, MOST_LEVELS, Prepared
from app.media.samples import AAC_FRAME_SAMPLES

PART_SECONDS = 0.25
MOST_FRAMES = 5_000
"""That are decoded of a segment: 100 s at 48 kHz. It has no levels if there are more."""
MOST_SECONDS = 1.0
"""Of a processor that this takes at most: MOST_FRAMES of ours take a tenth."""

_FAINTEST = 10.0 ** (-LOUDEST / 10)


def levels_of(prepared: Prepared) -> bytes:
    """The levels of a fragment's sound; none without any that is real."""
    return levels(prepared.sound, prepared.init.audio_format) if prepared.audio else b""


def levels(
    frames: Sequence[bytes], audio_format: AudioFormat, most_seconds: float = MOST_SECONDS
) -> bytes:
    """The levels of equal parts of these frames, one byte each; a part has about PART_SECONDS.

    A level is that of the loudest frame of the part, in its loudest channel: its root mean square
    in decibels above -100 dBFS, 0 to LOUDEST. A frame that can't be decoded is silent. Raises
    TimeoutError if a processor takes more than `most_seconds`.
    """
    if not 0 < len(frames) <= MOST_FRAMES:
        return b""
    part_frames = PART_SECONDS * audio_format.sample_rate / AAC_FRAME_SAMPLES
    parts = min(max(1, round(len(frames) / part_frames)), len(frames), MOST_LEVELS)
    begins = np.arange(parts) * len(frames) // parts
    loudest = np.maximum.reduceat(_powers(frames, audio_format, most_seconds), begins)
    decibels = 10.0 * np.log10(np.maximum(loudest, _FAINTEST)) + LOUDEST
    return bytes(decibels.round().astype(np.uint8))


def _powers(
    frames: Sequence[bytes], audio_format: AudioFormat, most_seconds: float
) -> NDArray[np.float64]:
    """The mean square of each frame, in its loudest channel: 1.0 at most, of full scale."""
    decoder = av.CodecContext.create("aac", "r")
    decoder.thread_count = 1
    decoder.extradata = audio_format.asc
    powers = np.zeros(len(frames))
    latest = time.thread_time() + most_seconds
    for number, frame in enumerate(frames):
        if time.thread_time() > latest:
            raise TimeoutError(f"{number} of {len(frames)} frames took more than {most_seconds} s")
        if not frame:
            continue  # to a decoder it would be the end
        try:
            for sound in decoder.decode(av.Packet(frame)):
                heard = (bytes(each) for each in sound.planes)
                channels = (np.frombuffer(each, np.float32, sound.samples) for each in heard)
                powers[number] = max(float(np.dot(one, one)) for one in channels) / sound.samples
        except av.error.FFmpegError:
            continue
    return np.clip(np.nan_to_num(powers, nan=0.0), 0.0, 1.0)

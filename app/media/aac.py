"""AAC-LC frames: out of ADTS, and silent ones."""

from __future__ import annotations

from dataclasses import dataclass

_SAMPLE_RATES = (
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
)  # fmt: skip
_AAC_LC = 2

# Frames whose spectrum is empty; the same bytes at every sample rate.
_SILENT_FRAMES = {1: bytes.fromhex("00c800802380"), 2: bytes.fromhex("211004608c1c")}


class UnsupportedAudio(ValueError):
    """Sound that is not AAC-LC in mono or stereo."""


class BrokenAdts(ValueError):
    """Bytes that are not one whole ADTS frame."""


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """`asc` is the AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1)."""

    sample_rate: int
    channels: int

    @property
    def asc(self) -> bytes:
        index = _SAMPLE_RATES.index(self.sample_rate)
        return (_AAC_LC << 11 | index << 7 | self.channels << 3).to_bytes(2, "big")

    @property
    def silent_frame(self) -> bytes:
        return _SILENT_FRAMES[self.channels]


EGRESS_AUDIO = AudioFormat(44_100, 2)
"""What egress v1.14.1 writes; the layout of a session that has no sound of its own."""


def parse_asc(asc: bytes) -> AudioFormat:
    """The format that an AudioSpecificConfig of ours names."""
    bits = int.from_bytes(asc[:2], "big")
    if len(asc) != 2 or bits >> 11 != _AAC_LC or (bits >> 7 & 15) >= len(_SAMPLE_RATES):
        raise UnsupportedAudio(f"AudioSpecificConfig {asc.hex()}")
    return _checked(_SAMPLE_RATES[bits >> 7 & 15], bits >> 3 & 15)


def parse_adts(frame: bytes) -> tuple[AudioFormat, bytes]:
    """The format and the raw AAC frame of exactly one ADTS frame (ISO/IEC 14496-3, 1.A.2.2)."""
    if len(frame) < 7 or frame[0] != 0xFF or frame[1] & 0xF6 != 0xF0:
        raise BrokenAdts(f"no ADTS header in {frame[:7].hex()}")
    length = (frame[3] & 3) << 11 | frame[4] << 3 | frame[5] >> 5
    if length != len(frame):
        raise BrokenAdts(f"an ADTS frame of {length} bytes in a packet of {len(frame)}")
    object_type = (frame[2] >> 6) + 1
    rate_index = frame[2] >> 2 & 15
    channels = (frame[2] & 1) << 2 | frame[3] >> 6
    if object_type != _AAC_LC or rate_index >= len(_SAMPLE_RATES) or frame[6] & 3:
        raise UnsupportedAudio(
            f"AAC object type {object_type}, rate index {rate_index}, {(frame[6] & 3) + 1} blocks"
        )
    header_bytes = 7 if frame[1] & 1 else 9
    return _checked(_SAMPLE_RATES[rate_index], channels), frame[header_bytes:]


def _checked(sample_rate: int, channels: int) -> AudioFormat:
    if channels not in _SILENT_FRAMES:
        raise UnsupportedAudio(f"AAC channel configuration {channels}; mono and stereo are known")
    return AudioFormat(sample_rate, channels)

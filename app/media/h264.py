"""H.264 byte streams turned into length-prefixed samples, their parameter sets into avcC."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

IDR = 5
SPS = 7
PPS = 8
ACCESS_UNIT_DELIMITER = 9

MOST_PIXELS = 36_864 * 16 * 16
"""The largest picture of level 5.2, such as 4096x2304. A decoder takes 14 MB for each."""

_SPS_BYTES = 1_024
"""Of a parameter set, what is read of it."""

START_CODE = b"\0\0\1"
# Baseline, Main, Extended, High: 8 bits 4:2:0, which is what browsers play and egress writes.
_PLAYABLE_PROFILES = frozenset({66, 77, 88, 100})


class UnsupportedProfile(ValueError):
    """A profile that browsers don't play."""


class SettingsDiffer(ValueError):
    """Pictures that belong together have different sizes, or may have."""


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One picture as an MP4 sample: `data` holds its NAL units behind 4-byte lengths.

    Delimiters are dropped; parameter sets stay in band, so that samples of several encoders can
    follow each other under one sample entry.
    """

    data: bytes
    idr: bool
    sps: bytes | None
    pps: bytes | None


def access_unit(stream: bytes) -> AccessUnit:
    """The sample of one access unit in byte stream format (ITU-T H.264, Annex B).

    Raises SettingsDiffer.
    """
    parts: list[bytes] = []
    idr = False
    sps = pps = None
    for unit in stream.split(START_CODE)[1:]:
        # A NAL unit never ends in zeros: those belong to the next start code, or are padding.
        nal = unit.rstrip(b"\0")
        if not nal:
            continue
        kind = nal[0] & 31
        if kind == ACCESS_UNIT_DELIMITER:
            continue
        if kind == IDR:
            idr = True
        elif kind == SPS:
            if sps not in (None, nal):
                raise SettingsDiffer("a picture has two different parameter sets (SPS)")
            sps = nal
        elif kind == PPS:
            pps = pps or nal
        parts.append(struct.pack(">I", len(nal)))
        parts.append(nal)
    return AccessUnit(b"".join(parts), idr, sps, pps)


def decoder_configuration(sps: bytes, pps: bytes) -> bytes:
    """The AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1) of one SPS and one PPS."""
    profile = sps[1]
    if profile not in _PLAYABLE_PROFILES:
        raise UnsupportedProfile(f"H.264 profile_idc {profile}; playable are 66, 77, 88 and 100")
    record = struct.pack(
        f">B3sBBH{len(sps)}sBH{len(pps)}s",
        1,
        sps[1:4],
        0xFC | 3,  # lengths of 4 bytes
        0xE0 | 1,
        len(sps),
        sps,
        1,
        len(pps),
        pps,
    )
    if profile == 100:  # 4:2:0, 8 bits, no SPS extension
        record += bytes((0xFC | 1, 0xF8, 0xF8, 0))
    return record


@dataclass(frozen=True, slots=True)
class PictureSize:
    """`width` and `height` are what is shown, in pixels.

    `coded_pixels`: how many a decoder has to hold for each picture, before any are cropped away.
    """

    width: int
    height: int
    coded_pixels: int


def picture_size(sps: bytes) -> PictureSize:
    """The size of the pictures of a parameter set, which is of a profile that browsers play.

    Raises ValueError if the set ends early, or leaves nothing of a picture.
    """
    fields = _Fields(sps[4:].replace(b"\0\0\3", b"\0\0"))
    fields.number()  # seq_parameter_set_id
    if sps[1] == 100:
        if fields.number() != 1:
            raise ValueError("other colours than 4:2:0")
        for _ in range(2):
            fields.number()  # bit_depth_luma_minus8, bit_depth_chroma_minus8
        fields.bits(1)
        if fields.bits(1):
            # Only High may have them here. Egress asks for Main, and x264 never writes any here.
            raise ValueError("scaling matrices")
    fields.number()  # log2_max_frame_num_minus4
    order = fields.number()
    if order == 0:
        fields.number()
    elif order == 1:
        fields.bits(1)
        fields.number()
        fields.number()
        for _ in range(fields.number()):
            fields.number()
    fields.number()  # max_num_ref_frames
    fields.bits(1)
    coded_width, map_height = (fields.number() + 1) * 16, (fields.number() + 1) * 16
    is_progressive = fields.bits(1)
    coded_height = map_height if is_progressive else 2 * map_height
    if not is_progressive:
        fields.bits(1)  # mb_adaptive_frame_field_flag
    fields.bits(1)  # direct_8x8_inference_flag
    left = right = top = bottom = 0
    if fields.bits(1):
        left, right, top, bottom = (fields.number() for _ in range(4))
    width = coded_width - 2 * (left + right)
    height = coded_height - 2 * (top + bottom) * (1 if is_progressive else 2)
    if width <= 0 or height <= 0:
        raise ValueError(f"pictures cropped to {width}x{height}")
    return PictureSize(width, height, coded_width * coded_height)


class _Fields:
    """Reads the fields of a parameter set (ITU-T H.264, 7.2 and 9.1) one after another."""

    def __init__(self, data: bytes) -> None:
        self._bits = "".join(f"{byte:08b}" for byte in data[:_SPS_BYTES])
        self._at = 0

    def bits(self, count: int) -> int:
        """The next bits. Raises ValueError if there are fewer."""
        self._at += count
        if self._at > len(self._bits):
            raise ValueError("a parameter set that ends early")
        return int(self._bits[self._at - count : self._at] or "0", 2)

    def number(self) -> int:
        """The next ue(v). Raises ValueError if there is none."""
        zeros = 0
        while not self.bits(1):
            zeros += 1
        return (1 << zeros) - 1 + self.bits(zeros)


def with_parameter_sets(record: bytes, others: Sequence[bytes]) -> bytes:
    """A decoder configuration that holds the parameter sets of `others` too, for their level.

    Their ids must differ from its own: so players that read no sets in band find each one's too.
    """
    if not others:
        return record
    sequence: list[bytes] = []
    picture: list[bytes] = []
    tail = b""
    for number, one in enumerate((record, *others)):
        found, end = _sets(one, 5, 0x1F)
        sequence += found
        found, end = _sets(one, end, 0xFF)
        picture += found
        tail = tail if number else one[end:]
    level = max(one[3] for one in (record, *others))
    return b"".join(
        (
            record[:3],
            bytes((level, record[4], 0xE0 | len(sequence))),
            *(struct.pack(">H", len(one)) + one for one in sequence),
            bytes((len(picture),)),
            *(struct.pack(">H", len(one)) + one for one in picture),
            tail,
        )
    )


def set_ids(record: bytes) -> set[int]:
    """The ids that the parameter sets of a decoder configuration have. Raises ValueError."""
    sequence, end = _sets(record, 5, 0x1F)
    picture, _ = _sets(record, end, 0xFF)
    # In a sequence's, profile and level stand before it.
    return {_first_number(one[4:]) for one in sequence} | {
        _first_number(one[1:]) for one in picture
    }


def _first_number(fields: bytes) -> int:
    return _Fields(fields.replace(b"\0\0\3", b"\0\0")).number()


def _sets(record: bytes, offset: int, mask: int) -> tuple[list[bytes], int]:
    """The parameter sets whose number stands at `offset`, and where they end."""
    count, offset = record[offset] & mask, offset + 1
    found = []
    for _ in range(count):
        (size,) = struct.unpack_from(">H", record, offset)
        found.append(record[offset + 2 : offset + 2 + size])
        offset += 2 + size
    return found, offset

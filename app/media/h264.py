"""H.264 byte streams turned into length-prefixed samples, their parameter sets into avcC."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

IDR = 5
SPS = 7
PPS = 8
ACCESS_UNIT_DELIMITER = 9

MOST_PIXELS = 36_864 * 16 * 16
"""The largest picture of level 5.2, such as 4096x2304. A decoder takes 14 MB for each."""

START_CODE = b"\0\0\1"
_STARTS = re.compile(START_CODE)
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
    starts = [match.end() for match in _STARTS.finditer(stream)]
    ends = [start - 3 for start in starts[1:]]
    ends.append(len(stream))
    parts: list[bytes] = []
    idr = False
    sps = pps = None
    for start, end in zip(starts, ends, strict=True):
        # A NAL unit never ends in zeros: those belong to the next start code, or are padding.
        nal = stream[start:end].rstrip(b"\0")
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


def _sets(record: bytes, offset: int, mask: int) -> tuple[list[bytes], int]:
    """The parameter sets whose number stands at `offset`, and where they end."""
    count, offset = record[offset] & mask, offset + 1
    found = []
    for _ in range(count):
        (size,) = struct.unpack_from(">H", record, offset)
        found.append(record[offset + 2 : offset + 2 + size])
        offset += 2 + size
    return found, offset

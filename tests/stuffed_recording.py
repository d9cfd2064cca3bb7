"""Recordings made as large as a test wants them, in no time: their pictures carry filler."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.media_factory import PACKET, VIDEO_PID, Recording

_BODY = PACKET - 4
_FILLER = 12
"""The type of a unit of H.264 that is filler."""


def stuffed(media: Recording, folder: Path, picture_bytes: int) -> Recording:
    """The recording with so many bytes more in each picture, about, its files in `folder`."""
    folder.mkdir()
    segments = []
    for segment in media.segments:
        path = folder / segment.path.name
        path.write_bytes(_stuffed(segment.path.read_bytes(), picture_bytes))
        segments.append(replace(segment, path=path))
    return replace(media, segments=tuple(segments))


def _stuffed(ts: bytes, picture_bytes: int) -> bytes:
    """A transport stream with packets of filler behind those of each picture."""
    count = max(1, picture_bytes // _BODY)
    unit = b"\x00\x00\x00\x01" + bytes([_FILLER])
    filler = unit + b"\xff" * (count * _BODY - len(unit) - 1) + b"\x80"
    made: list[bytes] = []
    counter = picture_end = 0

    def add(packet: bytearray) -> None:
        nonlocal counter
        if packet[3] & 0x10:  # it has a payload
            packet[3] = packet[3] & 0xF0 | counter
            counter = (counter + 1) % 16
        made.append(bytes(packet))

    def fill() -> None:
        later = made[picture_end:]
        del made[picture_end:]
        for begin in range(0, len(filler), _BODY):
            head = bytes([0x47, VIDEO_PID >> 8, VIDEO_PID & 0xFF, 0x10])
            add(bytearray(head + filler[begin : begin + _BODY]))
        made.extend(later)

    for offset in range(0, len(ts), PACKET):
        packet = bytearray(ts[offset : offset + PACKET])
        if (packet[1] & 0x1F) << 8 | packet[2] != VIDEO_PID:
            made.append(bytes(packet))
            continue
        if packet[1] & 0x40 and picture_end:
            fill()
        add(packet)
        picture_end = len(made)
    fill()
    return b"".join(made)

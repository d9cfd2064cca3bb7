"""Whether a `.ts` file holds all that was written to it.

Readers such as libav pass over lost packets, zeroed blocks and half files. A transport stream
carries enough to notice them: its sync bytes, continuity counters and PES lengths
(ISO/IEC 13818-1, 2.4.3), and the time that its playlist line promised.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.media.faults import Fault
from app.media.h264 import START_CODE
from app.media.program_tables import read_tables
from app.media.samples import VIDEO_TICKS
from app.models import FaultSlug

PACKET_BYTES = 188
STREAMS = 2
"""Pictures and sound: one of each at most."""
H264_STREAM = 0x1B
ADTS_STREAM = 0x0F

MOST_UNITS = 40_000
"""NAL units in a segment: 30 s of 60 pictures a second have 22 in each."""

# Real segments are as long as EXTINF says, but for the last of a session, which is a frame or two
# longer. A file that stops early for other reasons than these is short by whole frames.
_SHORT_TOLERANCE_SECONDS = 0.25
_LONG_TOLERANCE_SECONDS = 2.0
# Sound lies beside the pictures, but for a hole of 2 s in them at a boundary.
STRAY_SOUND_TICKS = 10 * VIDEO_TICKS

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Inspection:
    """`faults` is empty for a whole file. `audio`: the program table announces sound."""

    faults: tuple[Fault, ...]
    audio: bool


def inspect(data: bytes) -> Inspection:
    """Check the bytes of a whole `.ts` file."""
    if not data:
        return Inspection((Fault(FaultSlug.EMPTY, "the file has no bytes"),), False)
    if data[0] != 0x47:
        return Inspection(
            (Fault(FaultSlug.UNREADABLE, f"begins with {data[:4].hex()}, not 47"),), False
        )
    faults: list[Fault] = []
    if rest := len(data) % PACKET_BYTES:
        faults.append(
            Fault(FaultSlug.TRUNCATED, f"{rest} bytes after the last whole packet of 188")
        )
    count = len(data) // PACKET_BYTES
    packets = np.frombuffer(data, np.uint8, count * PACKET_BYTES).reshape(count, PACKET_BYTES)
    # Sync byte to adaptation flags, side by side: most checks need no more of a packet.
    heads = np.ascontiguousarray(packets[:, :6])
    if fault := _broken_packets(heads):
        return Inspection((fault, *faults), False)
    pids = (heads[:, 1].astype(np.uint16) & 0x1F) << 8 | heads[:, 2]
    streams = read_tables(packets, pids)
    if isinstance(streams, Fault):
        return Inspection((streams, *faults), False)
    video = [pid for pid, kind in streams.items() if kind == H264_STREAM]
    audio = [pid for pid, kind in streams.items() if kind == ADTS_STREAM]
    for pid, kind in streams.items():
        if kind not in (H264_STREAM, ADTS_STREAM):
            faults.append(
                Fault(FaultSlug.CODEC, f"stream {pid} is of type {kind:#x}; known are 0x1b, 0xf")
            )
    if len(video) > 1 or len(audio) > 1:
        detail = f"{len(video)} streams of pictures and {len(audio)} of sound; known is one of each"
        faults.append(Fault(FaultSlug.CODEC, detail))
    if video and (fault := _too_many_units(data, packets, heads, pids == video[0])):
        return Inspection((fault, *faults), bool(audio))
    for pid in video + audio:
        found = _broken_stream(packets, heads, np.flatnonzero(pids == pid), pid)
        faults.extend([found] if found else [])
    if not video or not np.any(pids == video[0]):
        faults.append(Fault(FaultSlug.NO_VIDEO, "no H.264 packet in the file"))
    return Inspection(tuple(faults), bool(audio))


def media_faults(
    pts: NDArray[np.int64],
    sound: NDArray[np.int64],
    *,
    idr_first: bool,
    frame_ticks: int,
    extinf_seconds: float,
) -> list[Fault]:
    """Check one segment's times: of pictures and audio frames, in unwrapped 90 kHz ticks."""
    faults: list[Fault] = []
    if not idr_first:
        faults.append(Fault(FaultSlug.NO_KEYFRAME, "the first picture is not an IDR"))
    ordered = np.sort(pts)
    seconds = float(ordered[-1] - ordered[0] + frame_ticks) / VIDEO_TICKS
    if len(ordered) > 1 and int(np.diff(ordered).min()) == 0:
        faults.append(Fault(FaultSlug.TIMESTAMPS, "two pictures have the same time"))
    if seconds > extinf_seconds + _LONG_TOLERANCE_SECONDS:
        faults.append(
            Fault(
                FaultSlug.TIMESTAMPS,
                f"pictures span {seconds:.3f} s, EXTINF is {extinf_seconds:.3f}",
            )
        )
    stray = np.flatnonzero(
        (sound < ordered[0] - STRAY_SOUND_TICKS) | (sound > ordered[-1] + STRAY_SOUND_TICKS)
    )
    if len(stray):
        away = (int(sound[stray[0]]) - int(ordered[0])) / VIDEO_TICKS
        faults.append(Fault(FaultSlug.TIMESTAMPS, f"sound {away:.3f} s after the first picture"))
    if seconds < extinf_seconds - _SHORT_TOLERANCE_SECONDS:
        faults.append(
            Fault(
                FaultSlug.TRUNCATED,
                f"pictures span {seconds:.3f} s, EXTINF is {extinf_seconds:.3f}",
            )
        )
    return faults


def _broken_packets(heads: Bytes) -> Fault | None:
    lost = np.flatnonzero(heads[:, 0] != 0x47)
    if len(lost):
        return Fault(
            FaultSlug.CORRUPT, f"{len(lost)} packets without sync byte, first is {lost[0]}"
        )
    marked = np.flatnonzero(heads[:, 1] & 0x80)
    if len(marked):
        return Fault(
            FaultSlug.CORRUPT, f"{len(marked)} packets marked erroneous, first is {marked[0]}"
        )
    reserved = np.flatnonzero((heads[:, 3] & 0x30) == 0)
    if len(reserved):
        return Fault(
            FaultSlug.CORRUPT,
            f"{len(reserved)} packets without any content, first is {reserved[0]}",
        )
    return None


def _payload_offsets(heads: Bytes) -> NDArray[np.int64]:
    adaptation = (heads[:, 3] & 0x20) != 0
    return np.where(adaptation, heads[:, 4].astype(np.int64) + 5, 4)


def _too_many_units(
    data: bytes, packets: Bytes, heads: Bytes, chosen: NDArray[np.bool_]
) -> Fault | None:
    """More NAL units than pictures consist of: libav's time for some of them grows with their
    square. Start codes are counted, within packets and from one `chosen` packet to the next."""
    if data.count(START_CODE[-1:]) <= MOST_UNITS:
        return None  # each start code has such a byte of its own; they are counted at once
    count = data.count(START_CODE)
    packets, offsets = packets[chosen], _payload_offsets(heads[chosen])
    # A packet of two bytes or fewer may be the middle of one.
    count += int(np.count_nonzero(offsets > PACKET_BYTES - 3))
    ends = np.flatnonzero(packets[:-1, -1] == 0)
    begins = np.minimum(offsets[ends + 1], PACKET_BYTES - 2)
    first, second = packets[ends + 1, begins], packets[ends + 1, begins + 1]
    begun = packets[ends, -2] == 0
    count += int(np.count_nonzero((begun & (first == 1)) | ((first == 0) & (second == 1))))
    if count <= MOST_UNITS:
        return None
    return Fault(FaultSlug.TOO_LARGE, f"{count} NAL units; at most {MOST_UNITS} are taken")


def _broken_stream(packets: Bytes, heads: Bytes, numbers: Numbers, pid: int) -> Fault | None:
    """The first loss in one elementary stream, by its counters and PES lengths.

    `numbers` are its packets' places in the file.
    """
    numbers = numbers[(heads[numbers, 3] & 0x10) != 0]  # those that carry payload
    if not len(numbers):
        return None
    heads = heads[numbers]
    offsets = _payload_offsets(heads)
    if np.any(offsets > PACKET_BYTES):
        return Fault(FaultSlug.CORRUPT, f"stream {pid}: an adaptation field overruns its packet")
    # Flagged by the muxer: counters may jump here.
    flagged = ((heads[:, 3] & 0x20) != 0) & (heads[:, 4] > 0) & ((heads[:, 5] & 0x80) != 0)
    counters = heads[:, 3] & 0x0F
    jumps = ((counters[1:] - counters[:-1]) & 0x0F != 1) & ~flagged[1:]
    if np.any(jumps):
        where = int(np.flatnonzero(jumps)[0]) + 1
        return Fault(
            FaultSlug.CORRUPT, f"stream {pid}: its packet {where} does not follow the one before"
        )
    starts = np.flatnonzero(heads[:, 1] & 0x40)
    if not len(starts) or starts[0] != 0:
        return Fault(FaultSlug.CORRUPT, f"stream {pid}: begins in the middle of a PES packet")
    sizes = np.add.reduceat(PACKET_BYTES - offsets, starts)
    return _broken_pes(packets, numbers[starts], offsets[starts], sizes, pid)


def _broken_pes(
    packets: Bytes, starts: Numbers, offsets: Numbers, sizes: Numbers, pid: int
) -> Fault | None:
    """The first PES packet, of those that begin at `offsets` of packets `starts`, whose `sizes`
    are not what its header says."""
    if np.any(offsets > PACKET_BYTES - 9):
        return Fault(FaultSlug.CORRUPT, f"stream {pid}: a PES header is cut")
    heads = packets[starts[:, None], offsets[:, None] + np.arange(6)]
    if np.any(heads[:, :3] != (0, 0, 1)):
        return Fault(FaultSlug.CORRUPT, f"stream {pid}: a PES packet without its start code")
    promised = heads[:, 4].astype(np.int64) << 8 | heads[:, 5]
    wrong = np.flatnonzero((promised != 0) & (promised + 6 != sizes))
    if not len(wrong):
        return None
    first = int(wrong[0])
    detail = (
        f"stream {pid}: PES packet {first} of {len(starts)} has {sizes[first]} bytes"
        f" of {promised[first] + 6}"
    )
    cut = first == len(starts) - 1 and sizes[first] < promised[first] + 6
    return Fault(FaultSlug.TRUNCATED if cut else FaultSlug.CORRUPT, detail)

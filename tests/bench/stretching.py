"""MPEG-TS with its times shifted: one encoded cycle becomes a recording of any length. Pure."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

PACKET = 188
_PTS_WRAP = (1 << 33) - 1
_VIDEO_STREAM, _AUDIO_STREAM = 0xE0, 0xC0
_Packets = NDArray[np.uint8]


class Stretcher:
    """Shifts segments one after another; continuity counters run on from each to the next."""

    def __init__(self) -> None:
        self._counters: defaultdict[int, int] = defaultdict(int)

    def shifted(self, ts: bytes, ticks: int) -> bytes:
        """The segment with PTS, DTS and PCR `ticks` (1/90,000 s) later."""
        packets = np.frombuffer(ts, np.uint8).reshape(-1, PACKET).copy()
        adaptation = packets[:, 3] >> 4 & 2 != 0
        payload = packets[:, 3] >> 4 & 1 != 0
        _shift_clock(packets, adaptation, ticks)
        _shift_times(packets, adaptation, payload, ticks)
        self._count(packets, payload)
        return packets.tobytes()

    def _count(self, packets: _Packets, payload: NDArray[np.bool_]) -> None:
        pids = (packets[:, 1].astype(np.int64) & 0x1F) << 8 | packets[:, 2]
        for pid in np.unique(pids).tolist():
            places = np.flatnonzero((pids == pid) & payload)
            counters = (self._counters[pid] + np.arange(len(places))) & 0x0F
            packets[places, 3] = packets[places, 3] & 0xF0 | counters.astype(np.uint8)
            self._counters[pid] += len(places)


def _shift_clock(packets: _Packets, adaptation: NDArray[np.bool_], ticks: int) -> None:
    rows = np.flatnonzero(adaptation & (packets[:, 4] > 0) & (packets[:, 5] & 0x10 != 0))
    field = packets[rows, 6:11].astype(np.int64)
    clock = field[:, 0] << 25 | field[:, 1] << 17 | field[:, 2] << 9 | field[:, 3] << 1
    clock = (clock | field[:, 4] >> 7) + ticks & _PTS_WRAP
    for place, shift in enumerate((25, 17, 9, 1)):
        packets[rows, 6 + place] = clock >> shift & 0xFF
    packets[rows, 10] = packets[rows, 10] & 0x7F | (clock & 1) << 7


def _shift_times(
    packets: _Packets, adaptation: NDArray[np.bool_], payload: NDArray[np.bool_], ticks: int
) -> None:
    rows = np.flatnonzero((packets[:, 1] & 0x40 != 0) & payload)
    begins = 4 + np.where(adaptation[rows], packets[rows, 4].astype(np.int64) + 1, 0)
    streams = packets[rows, np.minimum(begins + 3, PACKET - 1)] & 0xF0
    # Tables (PAT, PMT) begin with a pointer field, not with a start code of such a stream.
    started = (packets[rows, begins + 2] == 1) & (packets[rows, begins + 1] == 0)
    media = started & np.isin(streams, (_VIDEO_STREAM, _AUDIO_STREAM, _AUDIO_STREAM | 0x10))
    rows, begins = rows[media], begins[media]
    flags = packets[rows, begins + 7] >> 6
    _add(packets, rows[flags >= 2], begins[flags >= 2] + 9, ticks)
    _add(packets, rows[flags == 3], begins[flags == 3] + 14, ticks)


def _add(packets: _Packets, rows: NDArray[np.int64], at: NDArray[np.int64], ticks: int) -> None:
    """Adds to the 33-bit times that begin in column `at` of `rows`."""
    field = [packets[rows, at + place].astype(np.int64) for place in range(5)]
    time = (field[0] >> 1 & 7) << 30 | field[1] << 22 | (field[2] >> 1) << 15
    time = (time | field[3] << 7 | field[4] >> 1) + ticks & _PTS_WRAP
    packets[rows, at] = field[0] & 0xF1 | (time >> 30 & 7) << 1
    packets[rows, at + 1] = time >> 22 & 0xFF
    packets[rows, at + 2] = (time >> 15 & 0x7F) << 1 | 1
    packets[rows, at + 3] = time >> 7 & 0xFF
    packets[rows, at + 4] = (time & 0x7F) << 1 | 1

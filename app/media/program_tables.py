"""What a transport stream says it consists of: one program, told the same way throughout.

libav takes every table of a file as news, and its time for programs and streams grows with their
square. So a file in which tables change, or name more than egress writes, never gets to it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from app.media.faults import Fault
from app.models import FaultSlug

PROGRAM_PID = 0
"""Of the program association table (PAT)."""
SERVICE_PID = 17
"""Of the service description table (EN 300 468): some muxers give the program a name."""
_PAT, _PMT = 0, 2
_STUFFING = 0xFF


class _Refused(Exception):
    """The tables are none that egress writes."""


def read_tables(packets: NDArray[np.uint8], pids: NDArray[np.integer]) -> dict[int, int] | Fault:
    """Stream types by PID (ISO/IEC 13818-1, 2.4.4), or why nobody is to read the file.

    `packets` is of shape (count, 188), `pids` of (count,).
    """
    try:
        return _read(packets, pids)
    except _Refused as error:
        return Fault(FaultSlug.CORRUPT, str(error))


def _read(packets: NDArray[np.uint8], pids: NDArray[np.integer]) -> dict[int, int]:
    association = _section(packets[pids == PROGRAM_PID], PROGRAM_PID, _PAT)
    programs = [
        (entry[2] & 0x1F) << 8 | entry[3]
        for entry in _programs(association)
        if entry[:2] != b"\0\0"
    ]
    if len(programs) != 1:
        raise _Refused(f"{len(programs)} programs in its table; known is one")
    (pid,) = programs
    streams = dict(_streams(_section(packets[pids == pid], pid, _PMT)))
    known = np.zeros(2**13, np.bool_)
    known[[PROGRAM_PID, SERVICE_PID, pid, *streams]] = True
    if not known[pids].all():
        strange = int(pids[np.argmin(known[pids])])
        raise _Refused(f"packets of stream {strange}, which no table names")
    tables = {PROGRAM_PID, SERVICE_PID, pid}
    if len(tables) < 3 or not tables.isdisjoint(streams):
        raise _Refused(f"tables and streams share one number: {sorted(tables)}, {sorted(streams)}")
    services = packets[pids == SERVICE_PID]
    if len(services):
        _check_same(services, SERVICE_PID)
    return streams


def _check_same(packets: NDArray[np.uint8], pid: int) -> None:
    """All of a table's packets are the first, but for their counters: it is in one packet."""
    first = packets[0]
    same = (packets[:, 4:] == first[4:]).all(axis=1) & (packets[:, 1] == first[1])
    same &= (packets[:, 3] ^ first[3]) & 0xF0 == 0
    if not same.all():
        raise _Refused(
            f"table {pid} changes, or is longer than a packet: packet {np.argmin(same)} of"
            f" {len(packets)} differs from its first"
        )


def _section(packets: NDArray[np.uint8], pid: int, table_id: int) -> bytes:
    """The one section of a table, without its checksum."""
    if not len(packets):
        raise _Refused("no program table in the file")
    _check_same(packets, pid)
    packet: bytes = packets[0].tobytes()
    payload = packet[5 + packet[4] if packet[3] & 0x20 else 4 :]
    if not packet[1] & 0x40 or not packet[3] & 0x10 or len(payload) < 4:
        raise _Refused(f"table {pid} has no beginning")
    section = payload[1 + payload[0] :]
    size = 3 + ((section[1] & 0x0F) << 8 | section[2]) if len(section) >= 3 else 0
    if not 12 <= size <= len(section) or section[0] != table_id:
        raise _Refused(f"table {pid} is cut, or another one")
    if section[size:].strip(bytes([_STUFFING])):
        raise _Refused(f"table {pid} has more than one section")
    return section[: size - 4]


def _programs(section: bytes) -> list[bytes]:
    return [section[at : at + 4] for at in range(8, len(section) - 3, 4)]


def _streams(section: bytes) -> Iterator[tuple[int, int]]:
    if len(section) < 12:
        return
    position = 12 + ((section[10] & 0x0F) << 8 | section[11])
    while position + 5 <= len(section):
        yield (section[position + 1] & 0x1F) << 8 | section[position + 2], section[position]
        position += 5 + ((section[position + 3] & 0x0F) << 8 | section[position + 4])

"""A `.ts` tells once what it holds, or libav, which takes each telling as news, never sees it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from app.media.faults import Unpreparable
from app.media.fragment import prepare_bytes
from app.media.transport import PACKET_BYTES, inspect
from tests.media_factory import MediaFactory, Shape
from tests.pace import ProcessorTime

PAT, PMT, SDT, PMT_PID = 0, 2, 0x42, 0x1000
REAL = Path(__file__).parents[2] / "data/real_egress"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    recording = MediaFactory(tmp_path_factory.mktemp("tables")).record(Shape())
    return recording.segments[0].path.read_bytes()


def checksum(section: bytes) -> bytes:
    """CRC-32/MPEG-2."""
    value = 0xFFFFFFFF
    for byte in section:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return struct.pack(">I", value)


def section(table: int, content: bytes, version: int = 1) -> bytes:
    head = struct.pack(">BHHBBB", table, 0xB000 | len(content) + 9, 1, 0xC1 | version << 1, 0, 0)
    return head + content + checksum(head + content)


def packets(pid: int, sections: bytes) -> bytes:
    written, payload = b"", b"\0" + sections
    for at in range(0, len(payload), PACKET_BYTES - 4):
        start = 0x40 if at == 0 else 0
        head = bytes((0x47, start | pid >> 8, pid & 255, 0x10 | at // (PACKET_BYTES - 4) & 15))
        written += head + payload[at : at + PACKET_BYTES - 4].ljust(PACKET_BYTES - 4, b"\xff")
    return written


def programs(first: int, count: int, version: int = 1) -> bytes:
    entries = (struct.pack(">HH", (first + n) % 65_535 + 1, 0xF000) for n in range(count))
    return section(PAT, b"".join(entries), version)


def streams(*pids: int, version: int = 1) -> bytes:
    named = b"".join(struct.pack(">BHH", 0x1B, 0xE000 | pid, 0xF000) for pid in pids)
    return section(PMT, struct.pack(">HH", 0xE000 | pids[0], 0xF000) + named, version)


STRANGE: dict[str, Callable[[], bytes]] = {
    "programs without end": lambda: b"".join(
        packets(PAT, programs(252 * number, 252, number % 32)) for number in range(300)
    ),
    "another program later": lambda: packets(PAT, programs(7, 1)),
    "another version of the program": lambda: packets(PAT, programs(0, 1, version=3)),
    "two programs": lambda: packets(PAT, programs(0, 2)),
    "no program": lambda: packets(PAT, programs(0, 0)),
    "two tables in turn": lambda: packets(PAT, programs(0, 1) + programs(1, 1)),
    "other streams later": lambda: packets(PMT_PID, streams(0x100, 0x105)),
    "streams of more than a packet": lambda: packets(PMT_PID, streams(*range(0x100, 0x140))),
    "streams in turn": lambda: packets(PMT_PID, streams(0x100) + streams(0x101)),
    "names without end": lambda: b"".join(
        packets(17, section(SDT, bytes(3), version)) for version in range(30)
    ),
    "a stream that no table names": lambda: packets(0x77, b"\0\1\xe0\0\0\x80\0\0"),
    "packets of no kind": lambda: bytes((0x47, 1, 0, 0)) + bytes(PACKET_BYTES - 4),
}


@pytest.mark.parametrize("place", ["first", "later"])
@pytest.mark.parametrize("name", STRANGE)
def test_tables_that_change_or_grow_are_refused_at_once(
    name: str, place: str, whole: bytes
) -> None:
    strange = STRANGE[name]()
    at = 0 if place == "first" else 20 * PACKET_BYTES
    data = whole[:at] + strange + whole[at:]
    with ProcessorTime() as cost, pytest.raises(Unpreparable) as refused:
        prepare_bytes(data, "s.ts", 2.0)
    assert refused.value.slug == "corrupt"
    assert cost.seconds < 0.5


def test_a_table_that_names_itself_as_a_stream_is_refused(whole: bytes) -> None:
    own = packets(PAT, programs(0, 1)) + packets(PMT_PID, streams(0x100, PMT_PID))
    assert "share one number" in inspect(own).faults[0].detail


def test_what_egress_writes_is_taken() -> None:
    """The tables of each segment that a real one wrote."""
    found = sorted(REAL.rglob("*.ts"))
    assert len(found) > 5
    for path in found:
        assert inspect(path.read_bytes()).faults == ()

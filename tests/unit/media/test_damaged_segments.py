"""Segments damaged by the thousand: each is refused, with a fault, or becomes a whole fragment."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from app.media.continuity import Continuity
from app.media.faults import Unpreparable
from app.media.fragment import prepare_bytes
from app.media.prepared_fragment import Prepared
from app.media.transport import PACKET_BYTES
from tests.media_factory import MediaFactory, Shape

OF_EACH = 150
"""Of each kind of damage, twice: some seconds in all."""


@pytest.fixture(scope="module")
def segment(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Half a second, with sound."""
    shape = Shape(frames=16, segment_seconds=0.5)
    recording = MediaFactory(tmp_path_factory.mktemp("damaged")).record(shape)
    return Path(recording.segments[0].path).read_bytes()


def packets(data: bytes) -> list[bytes]:
    return [data[at : at + PACKET_BYTES] for at in range(0, len(data), PACKET_BYTES)]


def truncated(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def cut_at_a_packet(data: bytes, chance: random.Random) -> bytes:
    return b"".join(packets(data)[: chance.randrange(1, len(data) // PACKET_BYTES)])


def grown(data: bytes, chance: random.Random) -> bytes:
    return data + chance.choice(
        [data, chance.randbytes(PACKET_BYTES), b"\0" * 5000, b"G" * 188 * 9]
    )


def bytes_altered(data: bytes, chance: random.Random) -> bytes:
    altered = bytearray(data)
    for _ in range(chance.choice([1, 3, 50])):
        altered[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(altered)


def payload_altered(data: bytes, chance: random.Random) -> bytes:
    """What only libav, and who reads its packets, can notice."""
    altered = bytearray(data)
    for _ in range(chance.choice([1, 10, 100])):
        at = chance.randrange(len(data) // PACKET_BYTES) * PACKET_BYTES
        altered[at + chance.randrange(20, PACKET_BYTES)] = chance.randrange(256)
    return bytes(altered)


def table_altered(data: bytes, chance: random.Random) -> bytes:
    altered = bytearray(data)
    for _ in range(chance.choice([1, 2, 5])):
        altered[chance.randrange(4, 3 * PACKET_BYTES)] = chance.randrange(256)
    return bytes(altered)


def block_zeroed(data: bytes, chance: random.Random) -> bytes:
    begin, length = chance.randrange(len(data)), chance.randrange(1, 8192)
    return data[:begin] + bytes(len(data[begin : begin + length])) + data[begin + length :]


def packets_mixed(data: bytes, chance: random.Random) -> bytes:
    mixed = packets(data)
    for _ in range(chance.choice([1, 2, 20])):
        one, other = chance.randrange(len(mixed)), chance.randrange(len(mixed))
        match chance.randrange(3):
            case 0:
                mixed[one], mixed[other] = mixed[other], mixed[one]
            case 1:
                mixed[one] = mixed[other]
            case _ if len(mixed) > 1:
                del mixed[one]
    return b"".join(mixed)


@pytest.mark.parametrize(
    "damage",
    [
        truncated,
        cut_at_a_packet,
        grown,
        bytes_altered,
        payload_altered,
        table_altered,
        block_zeroed,
        packets_mixed,
    ],
)
def test_a_damaged_segment_is_refused_or_whole(
    segment: bytes, damage: Callable[[bytes, random.Random], bytes]
) -> None:
    first = prepare_bytes(segment, "s.ts", 0.5)
    for seed in range(OF_EACH):
        damaged = damage(segment, random.Random(seed))
        for previous in (None, first.continuity):
            made = outcome(damaged, previous)
            if isinstance(made, Prepared):
                assert_whole(made, len(damaged))
            else:
                assert made.faults, seed
                assert len(str(made)) < 2000, seed


def outcome(data: bytes, previous: Continuity | None) -> Prepared | Unpreparable:
    try:
        return prepare_bytes(data, "s.ts", 0.5, previous)
    except Unpreparable as error:
        return error


def assert_whole(prepared: Prepared, given_bytes: int) -> None:
    samples = prepared.samples
    length = prepared.payload_offset + samples.video_bytes + samples.audio_bytes
    assert length == len(prepared.data) < given_bytes + 100_000
    assert samples.unpack(samples.pack()).pack() == samples.pack()

"""Numbers that a `.ts` carries decide nothing before they are bounded: no loop, memory, date."""

from __future__ import annotations

import subprocess
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import av
import pytest

from app.media import h264
from app.media.faults import Unpreparable
from app.media.fragment import prepare_bytes
from app.media.h264 import START_CODE, access_unit
from app.settings import livekit_settings
from tests.media_factory import PACKET, TICKS, VIDEO_PID, MediaFactory, Shape
from tests.pace import ProcessorTime

REAL = Path(__file__).parents[2] / "data/real_egress"
MIB = 2**20
BASE = 3_600 * TICKS
AUDIO_PID = 0x101
ADTS = bytes.fromhex("fff15080") + bytes([13 >> 3, (13 & 7) << 5 | 0x1F, 0xFC])
SILENCE = ADTS + bytes.fromhex("211004608c1c")
SLICE = b"\0\0\1\x41\x9a\x21\x6c\x42\x7f"
"""A picture of four bytes, which depends on others."""

Sample = tuple[int, int, bytes]
"""PID, time in ticks, bytes."""


@pytest.fixture(scope="module")
def tables(factory: MediaFactory) -> bytes:
    """The program tables of a session with sound."""
    written = Path(factory.record(Shape()).segments[0].path).read_bytes()
    return b"".join(
        packet
        for at in range(0, len(written), PACKET)
        if (packet := written[at : at + PACKET])[1] & 0x1F == 0 or pid_of(packet) == 0x1000
    )[: 3 * PACKET]


def pid_of(packet: bytes) -> int:
    return (packet[1] & 0x1F) << 8 | packet[2]


def samples_of(path: Path) -> list[Sample]:
    """The samples of a `.ts`, in its order."""
    pids = {"video": VIDEO_PID, "audio": AUDIO_PID}
    with av.open(str(path)) as container:
        return [
            (pids[packet.stream.type], packet.pts, bytes(packet))
            for packet in container.demux()
            if packet.size and packet.pts is not None
        ]


def transport(tables: bytes, samples: Iterable[Sample]) -> bytes:
    """A transport stream of these samples, each in a PES packet of its own."""
    written = bytearray(tables)
    counters = {VIDEO_PID: 0, AUDIO_PID: 0}
    for pid, pts, sample in samples:
        kind = 0xE0 if pid == VIDEO_PID else 0xC0
        length = len(sample) + 8 if pid == AUDIO_PID and len(sample) < 65_000 else 0
        stamp = bytes(
            (
                0x21 | pts >> 29 & 0x0E,
                pts >> 22 & 0xFF,
                0x01 | pts >> 14 & 0xFE,
                pts >> 7 & 0xFF,
                0x01 | pts << 1 & 0xFE,
            )
        )
        pes = b"\0\0\1" + bytes((kind, length >> 8, length & 255, 0x80, 0x80, 5)) + stamp + sample
        for at in range(0, len(pes), PACKET - 4):
            piece = pes[at : at + PACKET - 4]
            flags = 0x40 if at == 0 else 0
            head = bytes((0x47, flags | pid >> 8, pid & 255))
            if missing := PACKET - 4 - len(piece):
                filler = bytes([missing - 1]) + (b"\0" + b"\xff" * (missing - 2))[: missing - 1]
                written += head + bytes([0x30 | counters[pid]]) + filler + piece
            else:
                written += head + bytes([0x10 | counters[pid]]) + piece
            counters[pid] = counters[pid] + 1 & 15
    return bytes(written)


def refused(
    data: bytes, extinf_seconds: float = 2.0, latest_ticks: int = 10 * TICKS
) -> Unpreparable:
    with pytest.raises(Unpreparable) as caught:
        prepare_bytes(data, "s.ts", extinf_seconds, latest_ticks=latest_ticks)
    return caught.value


@pytest.fixture
def samples(factory: MediaFactory) -> list[Sample]:
    return samples_of(factory.record(Shape()).segments[0].path)


def test_a_stream_that_these_tests_put_together_is_a_segment(
    tables: bytes, samples: list[Sample]
) -> None:
    assert prepare_bytes(transport(tables, samples), "s.ts", 2.0).frames == 30


def test_padding_costs_no_time(tables: bytes, samples: list[Sample]) -> None:
    unit = samples[0][2] + bytes(32 * MIB)
    with ProcessorTime() as cost:
        assert access_unit(unit) == access_unit(samples[0][2])
    assert cost.seconds < 0.5


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("padding", "NAL units"),
        ("padding that packets divide", "NAL units"),
        ("pictures", "NAL units"),
        ("sound", "frames of sound"),
    ],
)
def test_more_of_it_than_any_segment_has_is_refused_before_it_takes_memory(
    tables: bytes, samples: list[Sample], kind: str, what: str
) -> None:
    first = samples[0]
    match kind:
        case "padding that packets divide":
            at = first[2].rfind(START_CODE)
            # 19 bytes of PES header and of a packet's 184 the beginning of a unit in the last two
            head = first[2][:at] + bytes([0xFF]) * (-(at + 14 - 182) % 184)
            units = (b"\0\0" + b"\1\x0c" + b"\xff" * 180) * 50_000
            many = [(VIDEO_PID, first[1], head + units + first[2][at:])]
        case "padding":
            at = first[2].rfind(START_CODE)
            units = (START_CODE + b"\x0c\xff") * 2_000_000
            many = [(VIDEO_PID, first[1], first[2][:at] + units + first[2][at:])]
        case "pictures":
            many = [first]
            many += [(VIDEO_PID, first[1] + at, SLICE) for at in range(1, 60_000)]
        case _:
            step = 50 * len(SILENCE)
            sound = SILENCE * 50_000
            many = [first]
            many += [
                (AUDIO_PID, BASE + at, sound[at : at + step]) for at in range(0, len(sound), step)
            ]
    data = transport(tables, many)
    tracemalloc.start()
    try:
        error = refused(data, 2.0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert error.slug == "too-large"
    assert what in str(error)
    assert peak < 30 * MIB + len(data)


def test_what_may_be_asked_of_egress_is_taken_of_it() -> None:
    assert h264.MOST_PIXELS == livekit_settings.MOST_PIXELS


def test_a_picture_larger_than_any_decoder_is_asked_for_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.ts"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=size=4800x2400:rate=1"]
    command += ["-frames:v", "1", "-c:v", "libx264", "-preset", "ultrafast", "-profile:v", "main"]
    command += ["-pix_fmt", "yuv420p", "-output_ts_offset", "3600", str(path)]
    subprocess.run(command, check=True)
    error = refused(path.read_bytes(), 0.033)
    assert (error.slug, "4800x2400" in str(error)) == ("too-large", True)


@pytest.mark.parametrize("profile", ["baseline", "main", "high"])
def test_what_is_cropped_away_counts_as_well(profile: str, tmp_path: Path) -> None:
    """A decoder holds it."""
    path = tmp_path / "cropped.ts"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=size=4800x2400:rate=1"]
    command += ["-frames:v", "1", "-c:v", "libx264", "-preset", "ultrafast"]
    command += ["-profile:v", profile, "-pix_fmt", "yuv420p", "-output_ts_offset", "3600"]
    command += ["-bsf:v", "h264_metadata=crop_right=4160:crop_bottom=1760", str(path)]
    subprocess.run(command, check=True)
    error = refused(path.read_bytes(), 0.033)
    assert error.slug == "too-large"
    assert "11520000 pixels, of which 640x640 are shown" in str(error)


@pytest.mark.parametrize(
    ("size", "pixels"), [("640x360", 640 * 384), ("1920x1080", 1920 * 1088), ("64x36", 64 * 64)]
)
@pytest.mark.parametrize("profile", ["main", "high"])
@pytest.mark.parametrize("interlaced", [False, True])
def test_pictures_are_as_large_as_their_blocks(
    profile: str, interlaced: bool, size: str, pixels: int, tmp_path: Path
) -> None:
    """Blocks come in pairs where fields may alternate."""
    path = tmp_path / "small.h264"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"color=size={size}:rate=15"]
    command += ["-frames:v", "1", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-profile:v", profile]
    command += ["-flags", "+ildct+ilme"] if interlaced else []
    subprocess.run([*command, str(path)], check=True)
    sps = access_unit(path.read_bytes()).sps
    assert sps is not None
    width, height = map(int, size.split("x"))
    coded = pixels if interlaced else width * (-(-height // 16) * 16)
    assert h264.picture_size(sps) == h264.PictureSize(width, height, coded)


@pytest.mark.parametrize("left", [0, 2, 638, 640])
def test_what_is_cropped_is_not_shown(left: int, tmp_path: Path) -> None:
    path = tmp_path / "cropped.h264"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=size=640x360:rate=15"]
    command += ["-frames:v", "1", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-bsf:v"]
    command += [f"h264_metadata=crop_left={left}:crop_bottom=10", str(path)]
    subprocess.run(command, check=True)
    sps = access_unit(path.read_bytes()).sps
    assert sps is not None
    if left == 640:
        with pytest.raises(ValueError, match="pictures cropped to 0x"):
            h264.picture_size(sps)
    else:
        size = h264.picture_size(sps)
        assert (size.width, size.height) == (640 - left, 358)  # of 368 that are coded


@pytest.mark.parametrize("matrices", ["flat", "jvt"])
def test_x264_writes_scaling_matrices_into_no_sps(matrices: str, tmp_path: Path) -> None:
    """Even if it is told to use some: they stand beside it, where they move no field of it."""
    path = tmp_path / "high.ts"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=size=640x360:rate=15"]
    command += ["-frames:v", "30", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-profile:v", "high"]
    command += ["-x264-params", f"cqm={matrices}", "-output_ts_offset", "3600", str(path)]
    subprocess.run(command, check=True)
    assert prepare_bytes(path.read_bytes(), "s.ts", 2.0, latest_ticks=10 * TICKS).frames == 30


def test_an_sps_with_scaling_matrices_is_refused() -> None:
    """Nothing that writes our segments makes one."""
    high = bytes((0x67, 100, 0, 40))
    with pytest.raises(ValueError, match="scaling matrices"):
        h264.picture_size(high + bytes((0b1_010_1_1_0_1, 0xFF)))


def test_egress_writes_main() -> None:
    """Whose SPS has no place for scaling matrices."""
    profiles = set()
    for path in REAL.glob("*/out/*.ts"):
        with av.open(path) as container:
            profiles.add(container.streams.video[0].profile)
    assert profiles == {"Main"}


@pytest.mark.parametrize("place", ["in one picture", "in a later one"])
def test_pictures_of_another_size_within_a_segment_are_refused(
    tables: bytes, samples: list[Sample], factory: MediaFactory, place: str
) -> None:
    """Only the first size is looked at: a decoder would take the memory for the other one."""
    larger = samples_of(factory.record(Shape(size=(320, 240))).segments[0].path)
    settings = access_unit(larger[0][2]).sps
    assert settings is not None
    pictures = [number for number, sample in enumerate(samples) if sample[0] == VIDEO_PID]
    number = pictures[0 if place == "in one picture" else 1]
    pid, pts, data = samples[number]
    at = data.rfind(START_CODE)
    samples[number] = (pid, pts, data[:at] + START_CODE + settings + data[at:])
    error = refused(transport(tables, samples))
    assert error.slug == "codec", str(error)


def test_a_second_stream_of_pictures_is_refused(tables: bytes, samples: list[Sample]) -> None:
    """As if its sound were pictures, too."""
    doubled = tables.replace(b"\x0f\xe1\x01", b"\x1b\xe1\x01")
    assert doubled != tables
    assert refused(transport(doubled, samples)).slug == "codec"


def test_media_from_after_now_is_refused(tables: bytes, samples: list[Sample]) -> None:
    data = transport(tables, [(pid, pts + 3_000 * TICKS, each) for pid, pts, each in samples])
    assert prepare_bytes(data, "s.ts", 2.0, latest_ticks=3_002 * TICKS).frames == 30
    error = refused(data, latest_ticks=3_001 * TICKS)
    assert (error.slug, "reaches 3001.9" in str(error)) == ("timestamps", True)

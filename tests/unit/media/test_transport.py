"""What is wrong with a damaged segment, by its stable name."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.media.faults import Unpreparable
from app.media.fragment import prepare
from app.media.transport import inspect, media_faults
from tests.media_factory import (
    PACKET,
    VIDEO_PID,
    MediaFactory,
    Shape,
    edit_packets,
    without_audio_pes,
)

Damage = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def whole(factory: MediaFactory) -> bytes:
    return factory.record(Shape()).segments[1].path.read_bytes()


def without_pictures(ts: bytes) -> bytes:
    return edit_packets(ts, lambda pid, packet: None if pid == VIDEO_PID else packet)


def without_first_picture(ts: bytes) -> bytes:
    return without_audio_pes(ts, lambda number: number == 0, pid=VIDEO_PID)


def inside_a_picture(ts: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Change the packet that goes on with the second picture."""
    starts = [
        offset
        for offset in range(0, len(ts), PACKET)
        if ts[offset + 1 : offset + 3] == bytes([0x40 | VIDEO_PID >> 8, VIDEO_PID & 255])
    ]
    offset = starts[1] + PACKET
    return ts[:offset] + change(ts[offset : offset + PACKET]) + ts[offset + PACKET :]


DAMAGES: dict[str, tuple[str, Damage]] = {
    "no byte": ("empty", lambda ts: b""),
    "text": ("unreadable", lambda ts: b"404 not found"),
    "an MP4": ("unreadable", lambda ts: b"\0\0\0\x18ftypisom" * 100),
    "noise behind one sync byte": ("corrupt", lambda ts: ts[:1] + bytes(range(256)) * 8),
    "zeros to the length it had": ("corrupt", lambda ts: ts[:18_800] + bytes(len(ts) - 18_800)),
    "a block of zeros inside": (
        "corrupt",
        lambda ts: ts[: 20 * PACKET] + bytes(4096) + ts[20 * PACKET + 4096 :],
    ),
    "cut in a packet": ("truncated", lambda ts: ts[: len(ts) // 2 // PACKET * PACKET + 100]),
    "cut at a packet": ("truncated", lambda ts: ts[: len(ts) // 2 // PACKET * PACKET]),
    "a page of 4096 only": ("truncated", lambda ts: ts[:4096]),
    "one packet less": ("corrupt", lambda ts: inside_a_picture(ts, lambda _: b"")),
    "one packet twice": ("corrupt", lambda ts: inside_a_picture(ts, lambda packet: packet * 2)),
    "one marked erroneous": (
        "corrupt",
        lambda ts: inside_a_picture(ts, lambda p: p[:1] + bytes([p[1] | 0x80]) + p[2:]),
    ),
    "no program table": ("corrupt", lambda ts: edit_packets(ts, lambda p, b: b if p else None)),
    "sound only": ("no-video", without_pictures),
    "no keyframe": ("no-keyframe", without_first_picture),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_names_the_damage(name: str, whole: bytes, tmp_path: Path) -> None:
    """Each damage ends in Unpreparable with its slug first, and names the file."""
    slug, damage = DAMAGES[name]
    path = tmp_path / "segment.ts"
    path.write_bytes(damage(whole))
    with pytest.raises(Unpreparable) as refused:
        prepare(str(path), 2.0)
    assert slug in [fault.slug for fault in refused.value.faults]
    assert refused.value.slug == refused.value.faults[0].slug
    assert str(path) in str(refused.value)


def test_a_missing_file_a_folder_and_no_permission_are_unreadable(tmp_path: Path) -> None:
    """The system's own words are passed on."""
    for path, words in ((tmp_path / "gone.ts", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(Unpreparable, match=words) as refused:
            prepare(str(path), 2.0)
        assert refused.value.slug == "unreadable"


def test_a_whole_file_has_no_fault(whole: bytes) -> None:
    """And tells that sound was announced."""
    inspection = inspect(whole)
    assert inspection.faults == ()
    assert inspection.audio


def test_a_file_shorter_than_its_playlist_line_is_truncated(
    factory: MediaFactory,
) -> None:
    """Cut between two pictures, only the promised length tells."""
    segment = factory.record(Shape(frames=61)).segments[-1]
    with pytest.raises(Unpreparable, match=r"span 0\.\d+ s, EXTINF is 2\.000") as refused:
        prepare(str(segment.path), 2.0)
    assert refused.value.slug == "truncated"


@pytest.mark.parametrize(
    ("codec", "slug"),
    [
        (["-c:v", "mpeg2video", "-an"], "codec"),
        (["-c:v", "libx264", "-profile:v", "high10", "-pix_fmt", "yuv420p10le", "-an"], "codec"),
        (["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "mp2"], "codec"),
        (["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "6"], "codec"),
    ],
)
def test_other_codecs_are_named(codec: list[str], slug: str, tmp_path: Path) -> None:
    """Only H.264 that browsers play, and AAC in mono or stereo."""
    path = tmp_path / "other.ts"
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=15:duration=1"]
    inputs += ["-f", "lavfi", "-i", "sine=duration=1"]
    command = ["ffmpeg", "-v", "error", *inputs, *codec, "-output_ts_offset", "3600", str(path)]
    subprocess.run(command, check=True)
    with pytest.raises(Unpreparable) as refused:
        prepare(str(path), 1.0)
    assert refused.value.slug == slug


@pytest.mark.parametrize(
    ("pts", "sound", "extinf", "slugs"),
    [
        ([0, 6_000, 12_000], [300, 12_500], 0.2, []),
        ([0, 6_000, 6_000], [], 0.133, ["timestamps"]),
        ([0, 6_000, 900_000], [], 0.2, ["timestamps"]),
        ([0, 6_000], [], 2.0, ["truncated"]),
        ([0, 6_000], [300, 2_000_000], 0.133, ["timestamps"]),
    ],
)
def test_times_that_no_camera_made(
    pts: list[int], sound: list[int], extinf: float, slugs: list[str]
) -> None:
    """Doubled, far too long or too short against EXTINF, sound far from the pictures."""
    times = (np.array(pts), np.array(sound, np.int64))
    found = media_faults(*times, idr_first=True, frame_ticks=6_000, extinf_seconds=extinf)
    assert [fault.slug for fault in found] == slugs


def test_no_damage_goes_unanswered(whole: bytes, tmp_path: Path) -> None:
    """Whatever the bytes, there is a fragment or Unpreparable, never another exception."""
    path = tmp_path / "damaged.ts"

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=8),
        st.integers(0, len(whole)),
        st.booleans(),
    )
    def check(flips: list[tuple[int, int]], end: int, cut: bool) -> None:
        damaged = bytearray(whole)
        for position, value in flips:
            damaged[position] = value
        path.write_bytes(damaged[:end] if cut else damaged)
        try:
            prepared = prepare(str(path), 2.0)
        except Unpreparable:
            return
        assert len(prepared.data) > prepared.payload_offset
        assert not cut or end > len(whole) - PACKET

    check()

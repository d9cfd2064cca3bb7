"""A segment becomes a fragment with nothing lost, nothing shifted, and silence where none came."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from app.media.boxes import boxes, find
from app.media.continuity import Continuity
from app.media.faults import Unpreparable
from app.media.fragment import prepare, prepare_bytes
from app.media.init_segment import Init
from app.media.prepared_fragment import Hole, Prepared
from tests.media_factory import (
    AUDIO_PID,
    PACKET,
    VIDEO_PID,
    MediaFactory,
    Recording,
    Shape,
    stepped,
    without_audio_pes,
    without_times,
)
from tests.packet_checker import SILENT_FRAMES, TICKS, pictures, read_transport
from tests.unit.media.fragments import Fragments

REAL = Path(__file__).parents[2] / "data" / "real_egress"
Make = Callable[[Shape], Fragments]


@dataclass(frozen=True)
class Written:
    """A fragment as its boxes say: times in their tracks' scales, samples as bytes."""

    video: list[tuple[int, int, bool, bytes]]
    decode: list[int]
    audio: list[tuple[int, bytes]]


def parse(data: bytes) -> Written:
    """Read a fragment by ISO/IEC 14496-12 alone."""
    fragments = find(data, b"moof", b"traf")
    video: list[tuple[int, int, bool, bytes]] = []
    decode: list[int] = []
    audio: list[tuple[int, bytes]] = []
    for number, track in enumerate(fragments):
        inner = {box.kind: data[box.start : box.end] for box in boxes(data, track.start, track.end)}
        (time,) = struct.unpack(">Q", inner[b"tfdt"][4:])
        version, flags = inner[b"trun"][0], int.from_bytes(inner[b"trun"][1:4], "big")
        count, at = struct.unpack(">Ii", inner[b"trun"][4:12])
        if number == 0:
            assert (version, flags) == (1, 0xF01)
            for row in struct.iter_unpack(">IIIi", inner[b"trun"][12:]):
                duration, size, sample_flags, offset = row
                key = sample_flags >> 16 & 1 == 0
                video.append((time + offset, duration, key, data[at : at + size]))
                decode.append(time)
                time += duration
                at += size
        else:
            for (size,) in struct.iter_unpack(">I", inner[b"trun"][12:]):
                audio.append((time, data[at : at + size]))
                time += 1024
                at += size
        assert count == len(audio if number else video)
    assert at == len(data)
    return Written(video, decode, audio)


def lines(playlist: Path) -> Iterator[tuple[Path, float]]:
    for seconds, name in re.findall(r"#EXTINF:([\d.]+),\n(\S+)", playlist.read_text()):
        if (playlist.parent / name).exists():
            yield playlist.parent / name, float(seconds)


@pytest.mark.parametrize(
    "share", ["share_2s", "share_muted_for_6s", "share_without_audio"], ids=str
)
def test_prepares_what_a_real_egress_wrote(share: str) -> None:
    """Every picture and audio frame of the real segments, at its own time."""
    previous: Continuity | None = None
    for path, extinf in lines(REAL / share / "out" / "full.m3u8"):
        one = prepare(str(path), extinf, previous)
        previous = one.continuity
        source = read_transport([path])
        found = parse(one.data)
        assert [round(p.seconds * TICKS) for p in source.video] == [v[0] for v in found.video]
        assert [p.key for p in source.video] == [v[2] for v in found.video]
        assert [p.digest for p in source.video] == [
            hashlib.blake2b(b"".join(nals(v[3])), digest_size=16).digest() for v in found.video
        ]
        if share == "share_without_audio":
            assert not one.audio
            assert one.silence_frames == one.audio_frames > 0
        else:
            times = {round(p.seconds * 44_100): p.size for p in source.audio}
            real = [(time, len(data)) for time, data in found.audio if data not in SILENT_FRAMES]
            assert len(real) == len(source.audio)
            assert all(
                abs(time - wanted) <= 1 and size == wanted_size
                for (time, size), (wanted, wanted_size) in zip(real, times.items(), strict=True)
            )
            assert all(time % 1024 == 0 for time, _ in real)


def nals(sample: bytes) -> Iterator[bytes]:
    position = 0
    while position < len(sample):
        length = int.from_bytes(sample[position : position + 4], "big")
        yield sample[position + 4 : position + 4 + length]
        position += 4 + length


def test_the_hole_of_a_muted_share_is_found_in_its_segment() -> None:
    """The real segment of 3.231 s: 12 black pictures, 2 s of nothing, and the picture again."""
    path = REAL / "share_muted_for_6s" / "out" / "seg_20261122210347608.ts"
    one = prepare(str(path), 3.231)
    assert one.holes == (Hole(832_011, 1_008_788),)
    assert one.silence_frames == 0
    assert (one.end_pts - one.first_pts) / TICKS == pytest.approx(3.231, abs=0.001)


def test_the_last_segment_of_three_pictures() -> None:
    """7,708 bytes, EXTINF 0.133."""
    path = REAL / "share_muted_for_6s" / "out" / "seg_20261122210356839.ts"
    one = prepare(str(path), 0.133)
    assert (one.frames, one.audio_frames, len(one.keys)) == (3, 11, 1)


@pytest.mark.parametrize(
    "shape", [Shape(), Shape(hole=(2.4, 3.6)), Shape(b_frames=0, fps=30, frames=183)], ids=str
)
def test_decode_times_are_the_sorted_picture_times(shape: Shape, fragments: Make) -> None:
    """And so the fragment's own time is its first picture's."""
    for one in fragments(shape).prepared:
        found = parse(one.data)
        assert found.decode == sorted(pts for pts, *_ in found.video)
        assert found.decode[0] == one.first_pts
        assert found.video[-1][1] > 0
        assert found.decode[-1] + found.video[-1][1] == one.end_pts


def test_fragments_meet(fragments: Make) -> None:
    """Where the egress leaves no gap, neither picture nor sound has one."""
    prepared = fragments(Shape()).prepared
    for one, following in pairwise(prepared):
        assert one.end_pts == following.first_pts
        assert one.end_audio == following.first_audio


def test_a_key_frames_place_in_the_file(fragments: Make) -> None:
    """A thumbnail is read from its offset and size alone."""
    for one in fragments(Shape()).prepared:
        for key in one.keys:
            sample = one.data[key.offset : key.offset + key.size_bytes]
            kinds = [nal[0] & 31 for nal in nals(sample)]
            assert kinds[:2] == [7, 8]
            assert 5 in kinds
            assert 9 not in kinds


def test_init_and_fragments_are_one_playable_stream(fragments: Make, tmp_path: Path) -> None:
    """libav plays the fragments behind their init segment, all pictures, all sound."""
    one = fragments(Shape())
    path = tmp_path / "stream.mp4"
    path.write_bytes(one.init.data + b"".join(part.data for part in one.prepared))
    assert len(pictures(path)) == len(one.media.video)
    with av.open(str(path)) as container:
        assert sum(1 for p in container.demux(audio=0) if p.size) == len(one.media.audio)
        assert container.streams.audio[0].codec_context.sample_rate == 44_100


def test_one_init_segment_per_session(fragments: Make) -> None:
    """The same bytes for all fragments, and readable again from them."""
    one = fragments(Shape())
    assert {part.init.id for part in one.prepared} == {one.init.id}
    assert Init.parse(one.init.data) == one.init
    assert one.init.avcc[1] == 0x4D  # Main
    assert (one.init.width, one.init.height, one.init.audio) == (160, 120, True)
    silent = fragments(Shape(audio=False, frames=61)).init
    assert Init.parse(silent.data) == silent
    assert not silent.audio
    with pytest.raises(ValueError, match="2 tracks"):
        Init.parse(one.prepared[0].data)


def test_another_picture_size_is_another_init(factory: MediaFactory) -> None:
    """A session whose size changes goes on under an init of its own."""
    small = _prepare(factory.record(Shape(frames=61)))
    big = factory.record(Shape(size=(322, 182), frames=61)).segments[1]
    following = prepare(str(big.path), big.extinf_seconds, small[0].continuity)
    assert following.init.id != small[0].init.id
    assert (following.init.width, following.init.height) == (322, 182)


def _prepare(
    recording: Recording, alter: Callable[[int, bytes], bytes] = lambda _, data: data
) -> list[Prepared]:
    """As the indexer does, of whose playlist's times none steps; media can be at most at 60 s."""
    prepared: list[Prepared] = []
    for number, segment in enumerate(recording.segments):
        previous = prepared[-1].continuity if prepared else None
        prepared.append(
            prepare_bytes(
                alter(number, segment.path.read_bytes()),
                str(segment.path),
                segment.extinf_seconds,
                previous,
                latest_ticks=60 * TICKS,
                expected_ticks=number * 2 * TICKS,
            )
        )
    return prepared


def _damaged(
    factory: MediaFactory, folder: Path, lost: dict[int, Callable[[int], bool]]
) -> list[Prepared]:
    """Prepare a recording whose segments lost some audio frames."""
    prepared: list[Prepared] = []
    for number, segment in enumerate(factory.record(Shape()).segments):
        path = folder / segment.path.name
        dropped = lost.get(number, lambda _: False)
        path.write_bytes(without_audio_pes(segment.path.read_bytes(), dropped))
        previous = prepared[-1].continuity if prepared else None
        prepared.append(prepare(str(path), segment.extinf_seconds, previous))
    return prepared


@pytest.mark.parametrize(
    ("lost", "silence"),
    [
        ({1: lambda n: 20 <= n < 25}, [0, 5, 0, 0, 0]),  # inside
        ({1: lambda n: n < 7}, [0, 7, 0, 0, 0]),  # at its head
        ({1: lambda n: n >= 80}, [0, 0, 6, 0, 0]),  # at its tail: filled by the next
        ({0: lambda n: n >= 78, 1: lambda n: n < 4}, [0, 7, 0, 0, 0]),  # around a joint
    ],
)
def test_missing_sound_becomes_silence(
    lost: dict[int, Callable[[int], bool]],
    silence: list[int],
    factory: MediaFactory,
    tmp_path: Path,
) -> None:
    """On the same grid, so that what follows is where it was."""
    prepared = _damaged(factory, tmp_path, lost)
    whole = _prepare(factory.record(Shape()))
    assert [part.silence_frames for part in prepared] == silence
    assert prepared[-1].end_audio == whole[-1].end_audio
    sound = [frame for part in prepared for frame in parse(part.data).audio]
    assert [time for time, _ in sound] == list(range(0, 1024 * len(sound), 1024))
    before = dict(frame for part in whole for frame in parse(part.data).audio)
    real = [(time, data) for time, data in sound if data not in SILENT_FRAMES]
    assert all(before[time] == data for time, data in real)


def test_announced_sound_that_never_came_is_silence(factory: MediaFactory, tmp_path: Path) -> None:
    """An overloaded egress announces a track and delivers none of it for a segment."""
    prepared = _damaged(factory, tmp_path, {2: lambda _: True})
    assert [part.audio for part in prepared] == [True, True, False, True, True]
    assert prepared[2].silence_frames + prepared[3].silence_frames == 86
    sound = [time for part in prepared for time, _ in parse(part.data).audio]
    assert sound == list(range(0, 1024 * len(sound), 1024))


def test_sound_that_begins_late_has_silence_before_it(fragments: Make) -> None:
    """Half a second without sound at the start of a session is filled, to the frame."""
    first = fragments(Shape(late_audio_seconds=0.5)).prepared[0]
    assert first.silence_frames == 21
    assert first.first_audio < 1024


def test_after_a_lost_segment_the_fragment_begins_with_itself(factory: MediaFactory) -> None:
    """Sound is not filled over a stretch that has no pictures either."""
    segments = factory.record(Shape()).segments
    first = prepare(str(segments[0].path), 2.0)
    third = prepare(str(segments[2].path), 2.0, first.continuity)
    assert third.silence_frames == 0
    assert third.first_pts == 360_000
    assert third.first_audio % 1024 == 0
    assert abs(third.first_audio / 44_100 - 4) < 0.2


def test_goes_on_from_a_row(factory: MediaFactory) -> None:
    """A restarted indexer rebuilds the continuity from what the last row holds."""
    segments = factory.record(Shape()).segments
    first = prepare(str(segments[0].path), 2.0)
    row = Continuity(Init.parse(first.init.data), first.end_pts, first.end_audio, 6_000)
    assert row == first.continuity
    again = prepare(str(segments[1].path), 2.0, row)
    assert again.data == prepare(str(segments[1].path), 2.0, first.continuity).data
    assert np.array_equal(again.samples.pts[:1], [0])


def ticks_of(parts: list[Prepared]) -> list[tuple[int, int]]:
    return [(part.first_pts, part.end_pts) for part in parts]


@pytest.mark.edge("segments of other lengths, steps in time")
@pytest.mark.parametrize("seconds", [-60, -1.5, 75, 7_200, 90_000])
@pytest.mark.parametrize("streams", [(VIDEO_PID, AUDIO_PID), (AUDIO_PID,), (VIDEO_PID,)])
def test_where_times_step_the_sessions_media_goes_on(
    factory: MediaFactory, seconds: float, streams: tuple[int, ...]
) -> None:
    """Back or forward, of pictures, of sound or of both: no segment is lost, none is elsewhere."""
    recording = factory.record(Shape())
    step = round(seconds * TICKS)
    whole = _prepare(recording)
    parts = _prepare(recording, lambda number, data: stepped(data, step * (number > 1), streams))
    assert ticks_of(parts) == ticks_of(whole)
    sound = [[time for time, _ in parse(part.data).audio] for part in parts]
    before = [[time for time, _ in parse(part.data).audio] for part in whole]
    for own, true in zip(sound, before, strict=True):
        assert abs(own[0] - true[0]) <= 2 * 1024
        assert list(np.diff(own)) == [1024] * (len(own) - 1)


@pytest.mark.parametrize("seconds", [-60, 75])
def test_after_a_step_within_a_segment_one_segment_is_lost(
    factory: MediaFactory, seconds: int
) -> None:
    recording = factory.record(Shape())
    segments = [Path(each.path).read_bytes() for each in recording.segments]
    later = stepped(segments[1], (seconds + 2) * TICKS)
    packets = len(segments[1]) // PACKET // 2 * PACKET
    within = segments[1][:packets] + later[packets:]
    first = prepare_bytes(segments[0], "0.ts", 2.0)
    with pytest.raises(Unpreparable) as refused:
        prepare_bytes(within, "1.ts", 2.0, first.continuity, expected_ticks=2 * TICKS)
    assert refused.value.slug == "timestamps"
    after = prepare_bytes(
        stepped(segments[2], seconds * TICKS),
        "2.ts",
        2.0,
        first.continuity,
        latest_ticks=70 * TICKS,
        expected_ticks=4 * TICKS,
    )
    assert after.first_pts == 4 * TICKS


def test_a_step_by_some_seconds_back_and_forth_is_none(factory: MediaFactory) -> None:
    """What a playlist says is no more exact than what the files say."""
    segments = factory.record(Shape()).segments
    first = prepare(str(segments[0].path), 2.0)
    second = segments[1].path.read_bytes()
    for expected in (-4 * TICKS, 0, 6 * TICKS, 900 * TICKS):
        made = prepare_bytes(
            second, "s.ts", 2.0, first.continuity, latest_ticks=60 * TICKS, expected_ticks=expected
        )
        assert made.first_pts == 2 * TICKS


def test_a_picture_without_a_time_costs_nothing(factory: MediaFactory) -> None:
    """It is between its neighbours: the pictures after it need it."""
    data = factory.record(Shape()).segments[0].path.read_bytes()
    whole = prepare_bytes(data, "s.ts", 2.0)
    for numbers in ([7], [29], [3, 15]):
        made = prepare_bytes(without_times(data, numbers), "s.ts", 2.0)
        assert np.array_equal(made.samples.pts, whole.samples.pts)
    with pytest.raises(Unpreparable, match="have no time"):
        prepare_bytes(without_times(data, range(30)), "s.ts", 2.0)


def test_refuses_media_from_before_the_clock(factory: MediaFactory) -> None:
    """A first picture before the session's base can't be placed."""
    segment = factory.record(Shape()).segments[0]
    with pytest.raises(Unpreparable, match="timestamps: begins at -1"):
        prepare(str(segment.path), 2.0, base_ticks=3_601 * TICKS)


def test_priming_from_before_the_clock_is_left_out(factory: MediaFactory) -> None:
    """An encoder's first frame may stand before the session's zero."""
    recording = factory.record(Shape(late_audio_seconds=-1024 / 44_100, frames=61))
    first = prepare(str(recording.segments[0].path), 2.0)
    count = len(read_transport([recording.segments[0].path]).audio)
    assert first.first_audio == 0
    assert first.audio_frames == count - 1

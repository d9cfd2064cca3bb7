"""Still pictures: key frames decoded alone, sheets, JPEGs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from app.media import keyframes, pictures, sheets
from app.media.picture_sources import NoPicture, Tile, sheet_plan
from app.media.pictures import Sheet
from app.media.prepared_fragment import Prepared
from app.media.sprites import Grid
from tests.media_factory import Shape, number_in
from tests.packet_checker import TICKS
from tests.unit.media.fragments import Fragments, clip_of

Make = Callable[[Shape], Fragments]
NUMBERED = Shape(numbered=True, size=(320, 180), frames=90)


def grey(jpeg: bytes) -> NDArray[np.uint8]:
    frame = pictures.from_jpeg(jpeg)
    return frame.to_ndarray()[: frame.height].astype(np.uint8)


def tile_of(number: int, path: Path, one: Prepared, kept: Path | None = None) -> Tile:
    (key,) = one.keys
    avcc = one.init.avcc.hex()
    return Tile(number, str(path), key.offset, key.size_bytes, avcc, str(kept) if kept else None)


def paths_of(made: Fragments) -> list[Path]:
    return [Path(source.path) for source in made.sources]


def test_a_key_frame_is_decoded_from_its_own_bytes(fragments: Make) -> None:
    """The picture is the one that libav shows of the whole stream."""
    for number, one in enumerate(fragments(NUMBERED).prepared):
        (key,) = one.keys
        frame = pictures.key_frame(
            one.init.avcc, one.data[key.offset : key.offset + key.size_bytes]
        )
        assert (frame.width, frame.height) == (320, 180)
        assert number_in(grey(pictures.jpeg(pictures.small(frame, 160, 90)))) == 30 * number


def test_brightness_uses_the_range_of_jpeg(fragments: Make) -> None:
    """Black is 0 and white is 255, not the 16 and 235 of video."""
    one = fragments(NUMBERED).prepared[1]
    (key,) = one.keys
    frame = pictures.key_frame(one.init.avcc, one.data[key.offset : key.offset + key.size_bytes])
    found = grey(pictures.jpeg(pictures.small(frame, 320, 180)))
    bars = [int(found[45, x]) for x in (16, 48)]  # the lowest bits of 30: 0, then 1
    assert bars == [pytest.approx(0, abs=6), pytest.approx(255, abs=6)]


@pytest.mark.parametrize("data", [b"", b"\0\0\0\1x", b"\0\0\0\x05\x65nope"])
def test_what_is_no_key_frame_is_said_to_be_none(fragments: Make, data: bytes) -> None:
    with pytest.raises(NoPicture):
        pictures.key_frame(fragments(NUMBERED).init.avcc, data)


def test_pictures_of_another_shape_are_put_into_the_middle_of_their_tile(fragments: Make) -> None:
    """Wider ones get smaller, and black stays around them and where nothing was put."""
    one = fragments(NUMBERED).prepared[1]
    (key,) = one.keys
    frame = pictures.key_frame(one.init.avcc, one.data[key.offset : key.offset + key.size_bytes])
    sheet = Sheet(Grid(3, 100, 100))
    sheet.put(1, frame)
    found = grey(sheet.jpeg())
    assert found.shape == (100, 300)
    assert found[:, :98].max() < 30
    assert found[:, 202:].max() < 30
    assert found[:20].max() < 30
    assert found[80:].max() < 30
    assert number_in(np.ascontiguousarray(found[22:78, 100:200])) == 30


def test_a_sheet_shows_each_segments_first_picture_in_its_place(
    fragments: Make, tmp_path: Path
) -> None:
    made = fragments(NUMBERED)
    grid = Grid(3, 160, 90)
    tiles = [
        tile_of(number, path, one)
        for number, (path, one) in enumerate(zip(paths_of(made), made.prepared, strict=True))
    ]
    found = grey(sheets.draw(sheet_plan(grid, tiles)))
    shown = [number_in(np.ascontiguousarray(found[:, x : x + 160])) for x in (0, 160, 320)]
    assert shown == [0, 30, 60]


def test_a_drawn_tile_is_kept_for_the_next_sheet(fragments: Make, tmp_path: Path) -> None:
    """Then its segment is not decoded again; one that a crash has torn is drawn anew."""
    made = fragments(NUMBERED)
    source = tmp_path / "1.m4s"
    source.write_bytes(made.prepared[1].data)
    kept = tmp_path / "1.jpg"
    planned = sheet_plan(Grid(1, 160, 90), [tile_of(0, source, made.prepared[1], kept)])
    first = sheets.draw(planned)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.jpg", "1.m4s"]
    kept.write_bytes(kept.read_bytes()[:100])
    assert number_in(grey(sheets.draw(planned))) == 30
    assert len(kept.read_bytes()) > 100
    source.write_bytes(b"")
    assert sheets.draw(planned) == first


def test_a_segment_that_is_gone_leaves_its_tile_black(fragments: Make, tmp_path: Path) -> None:
    """Its neighbours stay where they are; of a sheet without any picture there is nothing."""
    made = fragments(NUMBERED)
    lost = tile_of(0, tmp_path / "gone.m4s", made.prepared[0])
    there = tile_of(1, paths_of(made)[2], made.prepared[2])
    found = grey(sheets.draw(sheet_plan(Grid(2, 160, 90), [lost, there])))
    assert found[:, :158].max() < 30
    assert number_in(np.ascontiguousarray(found[:, 160:])) == 60
    assert sheets.draw(sheet_plan(Grid(2, 160, 90), [lost])) == b""


def test_no_tile_is_kept_of_a_segment_that_goes_meanwhile(fragments: Make, tmp_path: Path) -> None:
    """It would be a file that nobody removes."""
    made = fragments(NUMBERED)
    source = tmp_path / "2.m4s"
    source.write_bytes(made.prepared[2].data)
    kept = tmp_path / "2.jpg"
    sheets._keep(kept, source, b"drawn")
    assert kept.exists()
    source.unlink()
    sheets._keep(kept, source, b"drawn")
    assert not kept.exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [(0.0, 6.0, [0.0, 2.0, 4.0]), (1.0, 6.0, [1.0, 3.0]), (2.5, 3.5, [])],
)
def test_the_key_frames_of_a_clip_are_those_that_it_shows(
    fragments: Make, tmp_path: Path, start: float, end: float, seconds: list[float]
) -> None:
    """One that only the pictures behind it need is hidden by the edit list, and no thumbnail."""
    made = fragments(NUMBERED)
    _, path = clip_of([made.run(round(start * TICKS), round(end * TICKS))], tmp_path)
    found = keyframes.read_index(path)
    assert [key.seconds for key in found.keys] == pytest.approx(seconds, abs=0.001)
    assert (found.width, found.height) == (320, 180)
    assert found.seconds == pytest.approx(end - start, abs=0.21)


@pytest.mark.parametrize(("start", "number"), [(0.0, 0), (1.0, 30), (2.5, 38)])
def test_the_first_picture_of_a_clip_is_one_that_it_shows(
    fragments: Make, tmp_path: Path, start: float, number: int
) -> None:
    """Its first key frame; where it has none, its very first picture."""
    made = fragments(NUMBERED)
    end = 3.5 if start == 2.5 else 6.0
    _, path = clip_of([made.run(round(start * TICKS), round(end * TICKS))], tmp_path)
    frame = keyframes.first_picture(path, keyframes.read_index(path))
    assert number_in(grey(pictures.jpeg(pictures.small(frame, 320, 180)))) == number


def test_key_frames_of_joined_sessions_are_found_in_both(fragments: Make, tmp_path: Path) -> None:
    one, two = fragments(NUMBERED), fragments(Shape(numbered=True, size=(320, 180), variant=1))
    runs = [one.run(TICKS, 5 * TICKS), two.run(0, 3 * TICKS, session="two", after_seconds=20)]
    movie, path = clip_of(runs, tmp_path)
    joint = movie.spans[1].movie_seconds
    found = [key.seconds for key in keyframes.read_index(path).keys]
    assert found == pytest.approx([1.0, 3.0, joint, joint + 2.0], abs=0.002)


@pytest.mark.parametrize("data", [b"", b"no movie", b"\0\0\0\x08moov"])
def test_what_is_no_movie_has_no_picture(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(data)
    with pytest.raises(NoPicture):
        keyframes.read_index(path)


def test_a_movie_without_pictures_has_none(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48_000)
        silence = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), "fltp", "stereo")
        silence.sample_rate = 48_000
        container.mux(stream.encode(silence))
        container.mux(stream.encode(None))
    with pytest.raises(NoPicture):
        keyframes.read_index(path)


def test_half_a_key_frame_is_none(fragments: Make) -> None:
    """What the decoder would guess is nothing to show."""
    one = fragments(NUMBERED).prepared[1]
    (key,) = one.keys
    half = one.data[key.offset : key.offset + key.size_bytes // 2]
    with pytest.raises(NoPicture):
        pictures.key_frame(one.init.avcc, half)

"""What a buffer's sprite sheet holds, named so that the name alone places each tile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from app.media.sprites import MAX_TILES, Cue
from app.viewing import stripes
from tests.rows import PartOfRow

START = datetime(2026, 11, 22, 20, 48, tzinfo=UTC)
ONE = "0123abcd-" + "1" * 24
TWO = "0123abcd-" + "2" * 24


def row(session_id: str, sequence: int, begin: float, seconds: float = 2.0) -> PartOfRow:
    start = START + timedelta(seconds=begin)
    end = start + timedelta(seconds=seconds)
    size = {"width": 1280, "height": 720}
    return {"session_id": session_id, "sequence": sequence, "start": start, "end": end} | size


def session(session_id: str, count: int, *, first: int = 0, begin: float = 0.0) -> list[PartOfRow]:
    return [row(session_id, first + n, begin + 2 * n) for n in range(count)]


def test_each_segment_has_a_tile_and_a_cue() -> None:
    rows = session(ONE, 3)
    contents = stripes.contents_of(rows)
    assert (contents.grid.tiles, contents.width, contents.height) == (3, 160, 90)
    assert stripes.cues(rows, contents, START) == [Cue(0, 2, 0), Cue(2, 4, 1), Cue(4, 6, 2)]


@pytest.mark.parametrize("every", [1, 7, 1_000_000])
def test_a_sheet_asks_for_two_segments_of_a_tile_whatever_it_stands_for(every: int) -> None:
    text = ",".join(f"{each}.0-999999" for each in (ONE, TWO))
    if every == 1:
        text = f"{ONE}.3-5,{ONE}.3-5"
    elif every == 7:
        text = f"{ONE}.3-22"
    contents = stripes.read(text, every, 160, 90)
    ends = [pair for stripe in contents.stripes for pair in stripe.ends(every)]
    assert len(ends) == contents.grid.tiles
    wanted = {
        1: [(n, n) for n in (3, 4, 5, 3, 4, 5)],
        7: [(3, 6), (7, 13), (14, 20), (21, 22)],
        1_000_000: [(0, 999_999)] * 2,
    }[every]
    assert [tuple(int(name.partition(":")[2]) for name in pair) for pair in ends] == wanted


def test_a_pause_between_sessions_has_no_cue() -> None:
    rows = [*session(ONE, 2), *session(TWO, 1, begin=10)]
    contents = stripes.contents_of(rows)
    assert stripes.cues(rows, contents, START) == [Cue(0, 2, 0), Cue(2, 4, 1), Cue(10, 12, 2)]


def test_small_gaps_between_segments_are_covered() -> None:
    rows = [row(ONE, 0, 0, 1.93), row(ONE, 1, 2)]
    assert stripes.cues(rows, stripes.contents_of(rows), START) == [Cue(0, 2, 0), Cue(2, 4, 1)]


def test_a_window_that_begins_within_a_segment_begins_with_its_tile() -> None:
    rows = session(ONE, 2, begin=-1)
    contents = stripes.contents_of(rows)
    assert stripes.cues(rows, contents, START) == [Cue(0, 1, 0), Cue(1, 3, 1)]


def test_a_lost_segment_keeps_its_place_empty() -> None:
    rows = [each for each in session(ONE, 4) if each["sequence"] != 2]
    contents = stripes.contents_of(rows)
    assert contents.grid.tiles == 4
    assert stripes.cues(rows, contents, START) == [Cue(0, 2, 0), Cue(2, 4, 1), Cue(6, 8, 3)]


@pytest.mark.parametrize("first", [0, 1, 2, 7])
@pytest.mark.parametrize("count", [321, 640, 1200])
def test_long_buffers_have_a_tile_for_every_few_segments(first: int, count: int) -> None:
    """Every moment still has its cue, and the sheet stays small."""
    rows = session(ONE, count, first=first)
    contents = stripes.contents_of(rows)
    assert contents.every > 1
    assert MAX_TILES / 2 <= contents.grid.tiles <= MAX_TILES
    cues = stripes.cues(rows, contents, START)
    assert [cue.tile for cue in cues] == list(range(contents.grid.tiles))
    assert all(a.end_seconds == b.start_seconds for a, b in pairwise(cues))
    assert (cues[0].start_seconds, cues[-1].end_seconds) == (0, 2 * count)


def test_many_sessions_still_fit_on_one_sheet() -> None:
    rows = [row(f"0123abcd-{n:024d}", 5, 2.0 * n) for n in range(MAX_TILES)]
    assert stripes.contents_of(rows).grid.tiles == MAX_TILES


def test_contents_are_named_and_read_back() -> None:
    rows = [*session(ONE, 5, first=3), *session(TWO, 2, begin=20)]
    contents = stripes.contents_of(rows)
    assert contents.text == f"{ONE}.3-7,{TWO}.0-1"
    assert stripes.read(contents.text, contents.every, 160, 90) == contents
    assert contents.tile_of(TWO, 1) == 6
    with pytest.raises(KeyError):
        contents.tile_of(ONE, 8)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        f"{ONE}.5-4",
        f"{ONE}.0-320",
        f"{ONE}.0-1,",
        f"{ONE}.0-1,{TWO}",
        f"{ONE}.0-1\n",
        f"{ONE}.0-٣",
        f"{ONE}.0-9999999999",
    ],
)
def test_names_that_are_none_of_ours_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="tiles"):
        stripes.read(text, 1, 160, 90)

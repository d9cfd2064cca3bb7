"""The playlist of a window."""

from __future__ import annotations

from typing import Any

from app.viewing.hls import Item, item, playlist
from tests.rows import PartOfRow
from tests.unit.buffer.rows import SECOND, at


def fragment(sequence: int, session: str = "s", init: str = "i", shift: float = 0) -> Item:
    start = 2 * sequence + shift
    return Item(
        session, sequence, init, at(start), round(start * SECOND), round((start + 2) * SECOND)
    )


def text(*items: Item, **given: Any) -> list[str]:
    return playlist(
        items,
        lambda each: f"{each.session_id}-{each.sequence}.m4s",
        lambda each: f"{each.init_id}.mp4",
        **given,
    ).splitlines()


def test_a_window_of_one_session_names_its_init_segment_and_its_fragments() -> None:
    assert text(fragment(3), fragment(4)) == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:2",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-DISCONTINUITY-SEQUENCE:0",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        '#EXT-X-MAP:URI="i.mp4"',
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T20:00:06.000Z",
        "#EXTINF:2.000000,",
        "s-3.m4s",
        "#EXTINF:2.000000,",
        "s-4.m4s",
        "#EXT-X-ENDLIST",
    ]


def test_another_session_or_init_segment_and_a_hole_are_discontinuities() -> None:
    for joint in (fragment(1, "t"), fragment(1, init="j"), fragment(1, shift=0.2), fragment(2)):
        lines = text(fragment(0), joint)
        assert lines.count("#EXT-X-DISCONTINUITY") == 1
        assert sum(line.startswith("#EXT-X-MAP") for line in lines) == 2
        assert sum(line.startswith("#EXT-X-PROGRAM-DATE-TIME") for line in lines) == 2
    assert "#EXT-X-DISCONTINUITY" not in text(fragment(0), fragment(1, shift=0.1))


def test_a_window_that_grows_is_played_from_its_beginning_and_has_no_end() -> None:
    lines = text(fragment(7), ended=False, target_seconds=3)
    assert "#EXT-X-ENDLIST" not in lines
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in lines
    assert "#EXT-X-START:TIME-OFFSET=0" in lines
    assert "#EXT-X-MEDIA-SEQUENCE:0" in lines
    grown = text(fragment(7), fragment(8), ended=False, target_seconds=3)
    assert grown[: len(lines)] == lines


def test_no_segment_is_longer_than_the_target_duration() -> None:
    long = Item("s", 0, "i", at(0), 0, round(3.23 * SECOND))
    assert "#EXT-X-TARGETDURATION:4" in text(long)
    assert "#EXT-X-TARGETDURATION:1" in text()
    assert "#EXT-X-TARGETDURATION:5" in text(long, target_seconds=5)


def test_an_item_is_made_from_a_row() -> None:
    made = fragment(5)
    row: PartOfRow = {name: getattr(made, name) for name in Item.__slots__}
    assert item(row) == made

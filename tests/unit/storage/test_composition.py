"""Files that are put together where they are kept: which pieces are copied, which are sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.storage import clip_files, composed_upload, composition
from app.storage.clip_folder import ClipFolder
from app.storage.composition import Composition, CopiedRange


@st.composite
def compositions(draw: st.DrawFn) -> tuple[Composition, list[CopiedRange]]:
    """A file of some pieces, and the ranges of it that another file has."""
    piece_bytes = draw(st.integers(1, 20))
    size_bytes = draw(st.integers(1, 200))
    edges = sorted(draw(st.sets(st.integers(0, size_bytes), max_size=8)))
    ranges = [
        CopiedRange(start, end, draw(st.integers(0, 1000)))
        for start, end in zip(edges[::2], edges[1::2], strict=False)
    ]
    copied = composition.whole_pieces(ranges, size_bytes, piece_bytes)
    return Composition("replays/a.mp4", "tag", size_bytes, piece_bytes, copied), ranges


@given(compositions())
def test_all_bytes_come_once_and_from_where_they_are(
    made: tuple[Composition, list[CopiedRange]],
) -> None:
    composed, ranges = made
    pieces = list(composed.pieces())
    assert [piece.start for piece in pieces] == [0, *(piece.end for piece in pieces[:-1])]
    assert pieces[-1].end == composed.size_bytes
    assert {piece.end - piece.start for piece in pieces[:-1]} <= {composed.piece_bytes}
    at = {one.start + n: one.offset + n for one in ranges for n in range(one.end - one.start)}
    sent = {number for start, end in composed.sent() for number in range(start, end)}
    for piece in pieces:
        own = range(piece.start, piece.end)
        if piece.offset is None:
            assert sent.issuperset(own)
            assert not all(number in at for number in own), "it could have been copied"
        else:
            assert [at[number] for number in own] == list(
                range(piece.offset, piece.offset + len(own))
            )
            assert sent.isdisjoint(own)


@pytest.mark.parametrize("size_bytes", [1, 5 * 2**20, 50 * 2**30, 5 * 2**40])
def test_pieces_are_as_large_and_as_few_as_a_store_takes(size_bytes: int) -> None:
    each = composed_upload.piece_bytes(size_bytes)
    assert 5 * 2**20 <= each <= 5 * 2**30
    assert -(-size_bytes // each) <= 10_000


async def test_the_list_of_a_part_does_not_become_a_clip_in_a_folder(tmp_path: Path) -> None:
    """Where clips were in a bucket when it was made, and are no longer."""
    storage_path = "replays/ann/a.mp4"
    part = clip_files.part_path(tmp_path, storage_path, 1)
    listing = composition.write(Composition("replays/ann/b.mp4", "", 1, 1, ()), part)
    clips = ClipFolder(tmp_path)
    with pytest.raises(FileNotFoundError):
        await clips.publish(storage_path, listing)
    assert await clips.sizes([storage_path]) == {storage_path: None}


def test_a_list_says_what_was_written_and_is_no_part(tmp_path: Path) -> None:
    part = tmp_path / "a.mp4.3.part"
    ranges = (CopiedRange(10, 20, 7), CopiedRange(40, 43, 90))
    composed = Composition("replays/b.mp4", '"a-2"', 43, 10, ranges)
    listing = composition.write(composed, part)
    assert composition.read(listing) == composed
    assert (composition.is_list(listing), composition.is_list(part)) == (True, False)
    assert composition.part_of(listing) == part

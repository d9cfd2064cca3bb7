"""Files that are put together where they are kept: which pieces are copied, which are sent."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.storage import clip_files, composed_upload, composition
from app.storage.clip_folder import ClipFolder
from app.storage.composition import Composition, CopiedRange, CopySource, FilePiece, LocalRange


@st.composite
def ranges_of_files(draw: st.DrawFn) -> tuple[int, list[CopiedRange]]:
    """The size of a file, and the ranges of it that other files have."""
    size_bytes = draw(st.integers(1, 200))
    edges = sorted(draw(st.sets(st.integers(0, size_bytes), max_size=8)))
    which = draw(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 2)), min_size=8, max_size=8))
    pairs = pairwise(edges) if draw(st.booleans()) else zip(edges[::2], edges[1::2], strict=False)
    return size_bytes, [CopiedRange(*edge, *one) for edge, one in zip(pairs, which, strict=False)]


def check_pieces(size_bytes: int, ranges: list[CopiedRange], pieces: tuple[FilePiece, ...]) -> None:
    """All bytes come once, and from where they are."""
    assert [each.start for each in pieces] == [0, *(each.end for each in pieces[:-1])]
    assert pieces[-1].end == size_bytes
    at = {
        one.start + n: (one.source, one.offset + n)
        for one in ranges
        for n in range(one.end - one.start)
    }
    composed = Composition((), size_bytes, pieces)
    sent = {number for start, end in composed.sent() for number in range(start, end)}
    for piece in pieces:
        own = range(piece.start, piece.end)
        if (copied := piece.copied) is None:
            assert sent.issuperset(own)
        else:
            assert (copied.start, copied.end) == (piece.start, piece.end)
            assert [at[number] for number in own] == [
                (copied.source, copied.offset + n) for n in range(len(own))
            ]
            assert sent.isdisjoint(own)
    assert [each for one in composed.copied for each in range(one.start, one.end)] == [
        each for each in range(size_bytes) if each not in sent
    ]


@given(ranges_of_files(), st.integers(1, 20))
def test_of_equal_pieces_all_are_copied_that_lie_within_a_range(
    file: tuple[int, list[CopiedRange]], piece_bytes: int
) -> None:
    size_bytes, ranges = file
    pieces = composition.equal_pieces(ranges, size_bytes, piece_bytes)
    check_pieces(size_bytes, ranges, pieces)
    assert {piece.end - piece.start for piece in pieces[:-1]} <= {piece_bytes}
    for piece in pieces:
        inside = [each for each in ranges if each.start <= piece.start and piece.end <= each.end]
        assert bool(inside) == (piece.copied is not None)


@given(ranges_of_files(), st.integers(1, 20))
def test_of_large_pieces_none_but_the_last_is_smaller_than_a_store_takes(
    file: tuple[int, list[CopiedRange]], least_bytes: int
) -> None:
    size_bytes, ranges = file
    pieces = composition.large_pieces(ranges, size_bytes, least_bytes)
    check_pieces(size_bytes, ranges, pieces)
    assert all(piece.end - piece.start >= least_bytes for piece in pieces[:-1])
    assert all(piece.end - piece.start < 2 * least_bytes for piece in pieces if not piece.copied)


def test_of_whole_packs_one_behind_the_other_no_more_is_sent_than_the_two_ends() -> None:
    least, header = 50, 7
    packs = [CopiedRange(header + 60 * n, header + 60 * (n + 1), 0, n) for n in range(9)]
    pieces = composition.large_pieces(packs, header + 9 * 60 + 20, least)
    sent = [piece.end - piece.start for piece in pieces if piece.copied is None]
    assert sent == [67, 20]


@pytest.mark.parametrize("size_bytes", [1, 5 * 2**20, 50 * 2**30, 5 * 2**40])
def test_pieces_are_as_large_and_as_few_as_a_store_takes(size_bytes: int) -> None:
    each = composed_upload.piece_bytes(size_bytes)
    assert 5 * 2**20 <= each <= 5 * 2**30
    assert -(-size_bytes // each) <= 10_000


async def test_the_list_of_a_part_does_not_become_a_clip_in_a_folder(tmp_path: Path) -> None:
    """Where clips were in a bucket when it was made, and are no longer."""
    storage_path = "replays/ann/a.mp4"
    part = clip_files.part_path(tmp_path, storage_path, 1)
    listing = composition.write(Composition((), 1, (FilePiece(0, 1, None),)), part)
    clips = ClipFolder(tmp_path)
    with pytest.raises(FileNotFoundError):
        await clips.publish(storage_path, listing)
    assert await clips.sizes([storage_path]) == {storage_path: None}


def test_only_sources_that_a_piece_is_copied_from_are_named() -> None:
    sources = [CopySource(f"packs/s/{number}", f"tag{number}") for number in range(400)]
    ranges = [CopiedRange(0, 10, 7, 390), CopiedRange(20, 30, 0, 12), CopiedRange(30, 40, 9, 390)]
    composed = Composition.of(sources, 40, composition.large_pieces(ranges, 40, 10))
    assert composed.sources == (sources[12], sources[390])
    named = [(each.start, composed.sources[each.source], each.offset) for each in composed.copied]
    assert named == [(0, sources[390], 7), (20, sources[12], 0), (30, sources[390], 9)]


def test_a_list_says_what_was_written_and_is_no_part(tmp_path: Path) -> None:
    part = tmp_path / "a.mp4.3.part"
    ranges = (CopiedRange(10, 20, 7, 0), CopiedRange(40, 43, 90, 1))
    composed = Composition(
        (CopySource("replays/b.mp4", '"a-2"'), CopySource("packs/s/1", "")),
        43,
        composition.equal_pieces(ranges, 43, 10),
        (LocalRange(10, 20, "/a/1.m4s", 3),),
        "0a" * 32,
    )
    listing = composition.write(composed, part)
    assert composition.read(listing) == composed
    assert (composition.is_list(listing), composition.is_list(part)) == (True, False)
    assert composition.part_of(listing) == part


def of_fragment(tmp_path: Path, sha256: str) -> Path:
    """The list of a part that lacks what a fragment on this machine has."""
    (tmp_path / "1.m4s").write_bytes(b"moof media")
    part = tmp_path / "a.mp4.3.part"
    part.write_bytes(b"header" + bytes(5) + b"end")
    pieces = composition.large_pieces([CopiedRange(6, 11, 40)], 14, 5)
    local = (LocalRange(6, 11, str(tmp_path / "1.m4s"), 5),)
    sources = (CopySource("packs/s/1", "tag"),)
    return composition.write(Composition(sources, 14, pieces, local, sha256), part)


def test_a_part_that_waits_is_given_what_this_machine_has_and_nothing_is_copied(
    tmp_path: Path,
) -> None:
    listing = of_fragment(tmp_path, hashlib.sha256(b"headermediaend").hexdigest())
    for _ in range(2):  # killed in between, or not
        composition.make_whole(listing)
        assert composition.part_of(listing).read_bytes() == b"headermediaend"
        assert composition.read(listing).copied == []
        (tmp_path / "1.m4s").unlink(missing_ok=True)
    composition.make_whole(composition.part_of(listing))  # no list: nothing is lacking


def test_a_part_is_not_taken_for_whole_if_what_it_is_made_of_is_gone_or_another(
    tmp_path: Path,
) -> None:
    listing = of_fragment(tmp_path, "0" * 64)
    with pytest.raises(FileNotFoundError):
        composition.make_whole(listing)
    assert composition.read(listing).copied != []
    (tmp_path / "1.m4s").write_bytes(b"moof")
    with pytest.raises(FileNotFoundError):
        composition.make_whole(listing)
    assert composition.read(listing).copied != []

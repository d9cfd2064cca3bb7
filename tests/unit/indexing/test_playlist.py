"""Reading egress's playlists, whole, torn and wrong."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.indexing.playlist import Playlist, PlaylistsDisagree, PlaylistTooLong, combined, parse

# As egress v1.14.1 wrote them for a share of 16 s in segments of 2 s.
HEAD = "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-ALLOW-CACHE:NO\n#EXT-X-TARGETDURATION:2\n"


def written(names: list[str], first: int = 0, *, ended: bool = False) -> bytes:
    lines = [f"#EXT-X-MEDIA-SEQUENCE:{first}"]
    for number, name in enumerate(names, first):
        lines += [f"#EXT-X-PROGRAM-DATE-TIME:2026-11-22T20:48:{2 * number:02d}.19Z"]
        lines += ["#EXTINF:2.000,", name]
    return (HEAD + "\n".join(lines + ["#EXT-X-ENDLIST"] * ended) + "\n").encode()


NAMES = [f"segment_{number}.ts" for number in range(12)]
WHOLE = written(NAMES[3:8], 3, ended=True)


def test_a_playlist_gives_names_sequences_lengths_times_and_its_end() -> None:
    playlist = parse(WHOLE)
    assert [entry.name for entry in playlist.entries] == NAMES[3:8]
    assert [entry.sequence for entry in playlist.entries] == [3, 4, 5, 6, 7]
    assert {entry.seconds for entry in playlist.entries} == {2.0}
    assert playlist.entries[0].start == datetime(2026, 11, 22, 20, 48, 6, 190_000, tzinfo=UTC)
    assert playlist.ended


@pytest.mark.edge("segments growing, playlists torn")
@given(st.integers(0, len(WHOLE)))
def test_a_torn_read_gives_the_entries_whose_lines_are_complete(length: int) -> None:
    torn, whole = parse(WHOLE[:length]), parse(WHOLE)
    complete = [name for name in NAMES[3:8] if f"{name}\n".encode() in WHOLE[:length]]
    assert [entry.name for entry in torn.entries] == complete
    assert torn.entries == whole.entries[: len(complete)]
    assert torn.ended == (length == len(WHOLE))


@given(st.binary(max_size=400))
def test_bytes_that_are_no_playlist_give_no_entries(data: bytes) -> None:
    assert parse(data).entries == ()


@given(st.text(max_size=60))
def test_only_plain_names_of_segments_are_taken(line: str) -> None:
    playlist = parse(f"#EXTM3U\n#EXTINF:2.000,\n{line}\n".encode("utf-8", "surrogatepass"))
    for entry in playlist.entries:
        assert entry.name.endswith(".ts")
        assert not set(entry.name) & set("/\\\0 \n")
        assert not entry.name.startswith(".")


@pytest.mark.parametrize(
    "name",
    ["../segment_1.ts", "/etc/passwd", "a/b.ts", ".ts", "..", "seg.mp4", "a\0.ts", "a b.ts"],
)
def test_a_name_that_leads_elsewhere_is_refused_and_still_counts(name: str) -> None:
    playlist = parse(written(["segment_0.ts", name, "segment_2.ts"]))
    assert [(entry.name, entry.sequence) for entry in playlist.entries] == [
        ("segment_0.ts", 0),
        ("segment_2.ts", 2),
    ]
    assert playlist.refused == (name,)


@pytest.mark.parametrize("extinf", ["", "x", "nan", "-1", "inf", "1e9"])
def test_an_entry_without_a_length_is_refused(extinf: str) -> None:
    assert parse(f"#EXTM3U\n#EXTINF:{extinf},\nsegment_0.ts\n".encode()).refused


def test_a_time_that_can_not_be_read_is_left_out() -> None:
    playlist = parse(b"#EXTM3U\n#EXT-X-PROGRAM-DATE-TIME:noon\n#EXTINF:2.0,\na.ts\n")
    assert playlist.entries[0].start is None


@given(st.integers(0, 12), st.integers(0, 12))
def test_a_sequence_is_the_same_whichever_playlist_told_it(listed: int, window: int) -> None:
    """full.m3u8 may be up to a minute old, live.m3u8 holds the last few."""
    first = max(0, 12 - window)
    live, full = parse(written(NAMES[first:], first)), parse(written(NAMES[:listed]))
    entries = combined(live, full)
    assert all(entry.name == NAMES[entry.sequence] for entry in entries)
    expected = sorted({*range(first, 12), *range(listed)})
    assert [entry.sequence for entry in entries] == expected


def test_common_names_tie_two_playlists_that_count_from_different_numbers_together() -> None:
    live, full = parse(written(NAMES[7:12], 107)), parse(written(NAMES[:9]))
    assert [entry.sequence for entry in combined(live, full)] == list(range(100, 112))


def test_playlists_that_contradict_each_other_are_not_joined() -> None:
    thinned = parse(written([NAMES[0], NAMES[2], NAMES[4], NAMES[6]]))
    with pytest.raises(PlaylistsDisagree):
        combined(parse(written(NAMES[3:8], 3)), thinned)
    with pytest.raises(PlaylistsDisagree):
        combined(parse(written(["other_5.ts"], 5)), parse(written(NAMES)))


def test_no_segment_is_numbered_below_the_first() -> None:
    live, full = parse(written(NAMES[3:8], 0)), parse(written(NAMES, 10**14))
    with pytest.raises(PlaylistsDisagree):
        combined(live, full)


def test_an_empty_playlist_adds_nothing() -> None:
    assert combined(parse(WHOLE), Playlist()) == parse(WHOLE).entries
    assert combined(Playlist(), parse(WHOLE)) == parse(WHOLE).entries


def test_a_line_that_is_too_long_names_nothing_and_still_counts() -> None:
    """Nor is more than its beginning kept, of however many there are."""
    long = "x" * (2**20) + ".ts"
    playlist = parse(written([NAMES[0], long, *NAMES[1:3]]))
    assert [(entry.name, entry.sequence) for entry in playlist.entries] == [
        (NAMES[0], 0),
        (NAMES[1], 2),
        (NAMES[2], 3),
    ]
    assert playlist.refused == ("x" * 100,)
    many = parse(written(["/" * 1500] * 1000 + NAMES[:1]))
    assert [entry.sequence for entry in many.entries] == [1000]
    assert sum(map(len, many.refused)) <= 2000
    tagged = parse(HEAD.encode() + b"#EXTINF:2.000," + b"x" * 5000 + b"\na.ts\n")
    assert tagged.entries == ()


def test_of_very_many_entries_the_last_ones_are_taken() -> None:
    names = [f"s{number}.ts" for number in range(60_000)]
    text = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n" + "".join(f"#EXTINF:2,\n{n}\n" for n in names)
    entries = parse(text.encode()).entries
    assert len(entries) == 20_000
    assert (entries[0].name, entries[0].sequence) == ("s40000.ts", 40_007)
    assert (entries[-1].name, entries[-1].sequence) == ("s59999.ts", 60_006)


def test_a_playlist_of_very_many_lines_is_refused_unread() -> None:
    with pytest.raises(PlaylistTooLong, match="it has 4000001 lines; at most 200000 are read"):
        parse(b"#EXTM3U\n" + b"\n" * 4_000_000)


@pytest.mark.parametrize(
    "time", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "1999-12-31T23:59:59Z"]
)
def test_a_time_that_no_egress_has_is_none(time: str) -> None:
    """Reckoning with it would overflow."""
    text = f"#EXTM3U\n#EXT-X-PROGRAM-DATE-TIME:{time}\n#EXTINF:2.000,\na.ts\n"
    assert parse(text.encode()).entries[0].start is None

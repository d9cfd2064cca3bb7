"""Names and playlists of the egress stand-in, against what the real egress wrote."""

from __future__ import annotations

import datetime
from pathlib import Path, PurePosixPath

import pytest

from deploy.local.standin import files

REAL = Path(__file__).parents[2] / "data/real_egress"
UTC = datetime.UTC


def lines(text: str) -> list[files.Line]:
    """The segments of a real playlist."""
    found = []
    rows = text.splitlines()
    for n, row in enumerate(rows):
        if row.startswith("#EXT-X-PROGRAM-DATE-TIME:"):
            moment = datetime.datetime.fromisoformat(row.partition(":")[2])
            duration = float(rows[n + 1].removeprefix("#EXTINF:").rstrip(","))
            found.append(files.Line(rows[n + 2], moment, duration))
    return found


REAL_FULL = sorted(p for p in REAL.rglob("*full.m3u8") if p.stat().st_size)


@pytest.mark.parametrize("path", REAL_FULL, ids=lambda p: f"{p.parts[-3]}-{p.name}")
def test_writes_the_full_playlist_of_the_real_one(path: Path) -> None:
    """From the same segments the same bytes come, at every stage of a share."""
    text = path.read_text()
    ended = text.endswith("#EXT-X-ENDLIST\n")
    assert files.full_playlist(lines(text), 2, ended) == text


@pytest.mark.parametrize("share", ["share_2s", "share_muted_for_6s", "share_without_audio"])
def test_writes_the_live_playlist_of_the_real_one(share: str) -> None:
    """The live playlist has the newest five segments of the full one, and their number."""
    out = REAL / share / "out"
    segments = lines((out / "full.m3u8").read_text())
    assert files.live_playlist(segments, 2, ended=True) == (out / "live.m3u8").read_text()


@pytest.mark.parametrize("path", sorted(REAL.rglob("out/full.m3u8")), ids=lambda p: p.parts[-3])
def test_names_segments_as_the_real_one(path: Path) -> None:
    """A segment's name is the prefix and its PROGRAM-DATE-TIME."""
    layout = files.layout("/out/room/seg", "full.m3u8", "live.m3u8", timestamps=True)
    for n, line in enumerate(lines(path.read_text())):
        assert layout.segment(n, line.date_time) == PurePosixPath("/out/room", line.name)


@pytest.mark.parametrize(
    ("microsecond", "text"),
    [(0, "05Z"), (100_000, "05.1Z"), (20_000, "05.02Z"), (999_999, "05.999Z")],
)
def test_drops_trailing_zeros_of_milliseconds(microsecond: int, text: str) -> None:
    """PROGRAM-DATE-TIME is written as Go writes `.999`."""
    moment = datetime.datetime(2026, 11, 22, 3, 4, 5, microsecond, UTC)
    assert files.program_date_time(moment) == f"2026-11-22T03:04:{text}"


def test_numbers_segments_when_asked() -> None:
    """The suffix INDEX counts from 0 in five digits."""
    layout = files.layout("/out/seg", "", "", timestamps=False)
    assert layout.segment(7, datetime.datetime.now(UTC)) == PurePosixPath("/out/seg_00007.ts")
    assert layout.playlist == PurePosixPath("/out/seg.m3u8")
    assert layout.live_playlist is None


@pytest.mark.parametrize(
    ("prefix", "playlist"),
    [
        ("/out/\ntouch /tmp/x\n#", "full.m3u8"),
        ("/out/seg", "full\n.m3u8"),
        ("seg", "a.m3u8"),
        ("/out/", "a.m3u8"),
        ("/out/{time}", "a.m3u8"),
        ("/out/s", "b/a.m3u8"),
    ],
)
def test_refuses_what_it_does_not_do(prefix: str, playlist: str) -> None:
    """Relative prefixes, template variables and playlists elsewhere are refused by name."""
    with pytest.raises(ValueError, match=r"filename_prefix|playlist name|printable"):
        files.layout(prefix, playlist, "", timestamps=True)

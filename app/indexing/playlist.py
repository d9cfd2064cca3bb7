"""Egress's HLS playlists: the record of which segments are committed. Pure.

Egress copies playlists into place without any atomicity, so a read may find nothing, or a
beginning: a line without its newline is not there yet.

An entry's media sequence is its identity. `live.m3u8` tells it (EXT-X-MEDIA-SEQUENCE plus
position), `full.m3u8` counts from 0: egress appends each segment to both, under one lock
(egress v1.14.1, pkg/pipeline/sink/segments.go). After the first hour it *copies* full.m3u8 more
and more seldom, up to once a minute; what it copies is complete up to that moment.
"""

from __future__ import annotations

import io
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}\.ts")
_NUMBER = re.compile(r"[0-9]{1,15}")
_LONGEST_SECONDS = 86_400.0
_YEARS = range(2000, 2101)

LINE_BYTES = 1024
"""A longer line is not looked at, and names no segment."""
ENTRIES = 20_000
"""Of a longer playlist the last ones are taken: 11 hours in segments of 2 s."""
_LINES = 10 * ENTRIES
_TOLD, _TOLD_CHARACTERS = 20, 100
"""Of refused lines."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A committed segment: its file name, media sequence, EXTINF, and EXT-X-PROGRAM-DATE-TIME."""

    name: str
    sequence: int
    seconds: float
    start: datetime | None


@dataclass(frozen=True, slots=True)
class Playlist:
    """What one read of a playlist says.

    `refused` are lines that can't name a segment: no plain file name, too long, or without a
    length; the beginnings of the first ones. They all count in the media sequence.
    """

    entries: tuple[Entry, ...] = ()
    ended: bool = False
    refused: tuple[str, ...] = ()


class PlaylistTooLong(ValueError):
    """More lines than any egress writes."""


class PlaylistsDisagree(ValueError):
    """live.m3u8 and full.m3u8 number the same segments in different ways."""


def parse(data: bytes) -> Playlist:
    """The entries up to the last one that is complete in `data`, whatever comes after it.

    Raises PlaylistTooLong.
    """
    if (count := data.count(b"\n")) > _LINES:
        raise PlaylistTooLong(f"it has {count} lines; at most {_LINES} are read")
    lines = io.BytesIO(data[: data.rfind(b"\n") + 1])
    if lines.readline().rstrip(b"\r\n") != b"#EXTM3U":
        return Playlist()
    entries: deque[Entry] = deque(maxlen=ENTRIES)
    refused: list[str] = []
    first, listed, ended = 0, 0, False
    seconds: float | None = None
    start: datetime | None = None
    for written in lines:
        is_long = len(written) > LINE_BYTES
        line = written[:LINE_BYTES].rstrip(b"\r\n").decode("utf-8", "replace")
        if is_long and line.startswith("#"):
            continue
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-MEDIA-SEQUENCE":
            first = int(value) if _NUMBER.fullmatch(value) else 0
        elif tag == "#EXTINF":
            seconds = _seconds(value.partition(",")[0])
        elif tag == "#EXT-X-PROGRAM-DATE-TIME":
            start = _instant(value)
        elif tag == "#EXT-X-ENDLIST":
            ended = True
        elif line and not line.startswith("#"):
            if seconds is not None and not is_long and _PLAIN_NAME.fullmatch(line):
                entries.append(Entry(line, first + listed, seconds, start))
            elif len(refused) < _TOLD:
                refused.append(line[:_TOLD_CHARACTERS])
            listed += 1
            seconds = start = None
    return Playlist(tuple(entries), ended, tuple(refused))


def combined(live: Playlist, full: Playlist) -> tuple[Entry, ...]:
    """Every entry of either playlist once, in order, numbered as live.m3u8 numbers them.

    Names in both are what ties the two together; without one both count from the first segment.

    Raises PlaylistsDisagree if the numbers of common names differ by more than one constant, if two
    names claim the same number, or if one would come before the first.
    """
    sequences = {entry.name: entry.sequence for entry in live.entries}
    shifts = {
        sequences[entry.name] - entry.sequence for entry in full.entries if entry.name in sequences
    }
    if len(shifts) > 1:
        raise PlaylistsDisagree(f"live.m3u8 and full.m3u8 differ by {sorted(shifts)} in sequence")
    shift = shifts.pop() if shifts else 0
    if full.entries and full.entries[0].sequence + shift < 0:
        raise PlaylistsDisagree(f"full.m3u8 begins {-shift} before the first segment of live.m3u8")
    entries = {
        entry.sequence + shift: replace(entry, sequence=entry.sequence + shift)
        for entry in full.entries
    }
    for entry in live.entries:
        other = entries.setdefault(entry.sequence, entry)
        if other.name != entry.name:
            raise PlaylistsDisagree(
                f"segment {entry.sequence} is {entry.name} in live.m3u8, {other.name} in full.m3u8"
            )
    return _ordered(entries.values())


def _ordered(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.sequence))


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds <= _LONGEST_SECONDS else None


def _instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    if instant.year not in _YEARS:  # one of a year further on can't be reckoned with
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)

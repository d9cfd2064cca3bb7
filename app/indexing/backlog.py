"""What a session's playlists list that is not indexed yet.

`live.m3u8` is read at each change. `full.m3u8` grows for hours: it is read where the live window of
5 has left something out, and once more at the end.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from app.buffer.coverage import Coverage
from app.buffer.paths import FULL_PLAYLIST, LIVE_PLAYLIST
from app.indexing.playlist import Entry, Playlist, PlaylistsDisagree, combined, parse


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a file was written, and how long it is: another one once it has changed."""

    mtime_ns: int = 0
    size_bytes: int = -1


NEVER = Stamp()


@dataclass(frozen=True, slots=True)
class Listing:
    """One look at a session's folder.

    `entries`: everything that the playlists read list, in order. `ended`: the playlists have an
    end, and `entries` is all there ever was. `stamp`: of live.m3u8 as it was read, NEVER if it is
    not there. `full_until`: the last sequence that full.m3u8 listed, -1 if it was not read.
    `disagreement`: why full.m3u8 was not used.
    """

    entries: tuple[Entry, ...]
    refused: tuple[str, ...]
    ended: bool
    stamp: Stamp
    full_until: int = -1
    disagreement: str = ""


def stamp_of(path: Path) -> Stamp:
    """The stamp of a file; NEVER if it is not there. Blocks."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return NEVER
    return Stamp(status.st_mtime_ns, status.st_size)


def look(
    folder: Path, coverage: Coverage, floor: int, full_until: int, *, thoroughly: bool
) -> Listing:
    """Reads a session's playlists: full.m3u8 only if it is needed, or `thoroughly`. Blocks.

    `floor`: sequences below it are over. `full_until`: how far full.m3u8 was read before. What it
    left out up to there will never be listed. Raises OSError if a playlist can't be read.
    """
    stamp = stamp_of(folder / LIVE_PLAYLIST)  # before the read: a later change is seen as one
    live = _read(folder / LIVE_PLAYLIST)
    first = live.entries[0].sequence if live.entries else None
    left_out = first is not None and coverage.lacks(max(floor, full_until + 1), first)
    if not (thoroughly or left_out or live.ended):
        return Listing(live.entries, live.refused, False, stamp)
    full = _read(folder / FULL_PLAYLIST)
    full_last = full.entries[-1].sequence if full.entries else -1
    try:
        entries, disagreement = combined(live, full), ""
    except PlaylistsDisagree as error:
        entries, disagreement = live.entries, str(error)
    ended = full.ended or (live.ended and bool(disagreement))  # full.m3u8 is ended first
    refused = tuple(dict.fromkeys((*full.refused, *live.refused)))
    return Listing(entries, refused, ended, stamp, full_last, disagreement)


def segments_on_disk(folder: Path) -> set[str]:
    """The names of the `.ts` files in a session's folder. Blocks."""
    try:
        return {entry.name for entry in os.scandir(folder) if entry.name.endswith(".ts")}
    except FileNotFoundError:
        return set()


def _read(path: Path) -> Playlist:
    try:
        return parse(path.read_bytes())
    except FileNotFoundError:
        return Playlist()


def is_over(entry: Entry, kept_from: datetime) -> bool:
    """Whether a segment ended before what is kept begins; False where its time is unknown."""
    return entry.start is not None and entry.start + timedelta(seconds=entry.seconds) < kept_from

"""What a session's playlists list that is not indexed yet.

`live.m3u8` is read at each change. `full.m3u8` grows for hours: it is read where the live window of
5 has left something out, and once more at the end.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from app.buffer.coverage import Coverage
from app.buffer.paths import FULL_PLAYLIST, LIVE_PLAYLIST
from app.buffer.session_folders import SEGMENT_SUFFIX
from app.indexing.playlist import (
    Entry,
    Playlist,
    PlaylistsDisagree,
    PlaylistTooLong,
    combined,
    parse,
)
from app.storage.egress_store import Content, EgressFolder, PlaceAway, Stamp
from app.storage.foreign import PLAYLIST_BYTES, FileTooLarge, NotRegular

QUIET = timedelta(seconds=15)
"""An egress that is over and has written nothing for this long died: nothing more will come."""
LAST_WORD = timedelta(minutes=5)
"""What is written later than this after the end of an egress keeps nobody waiting."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One look at a session's folder.

    `entries`: everything that the playlists read list, in order. `ended`: the playlists have an
    end, and `entries` is all there ever was. `stamp`: of live.m3u8 as it was read, NEVER if it is
    not there. `full_until`: the last sequence that full.m3u8 listed, -1 if it was not read.
    `disagreement`: why full.m3u8 was not used. `unread`: by name, why a playlist was not read.
    """

    entries: tuple[Entry, ...]
    refused: tuple[str, ...]
    ended: bool
    stamp: Stamp
    full_until: int = -1
    disagreement: str = ""
    unread: Mapping[str, str] = field(default_factory=dict)


def stamp_of(folder: EgressFolder) -> Stamp:
    """The stamp of a session's live.m3u8; NEVER if it can't be looked at. Blocks."""
    return folder.look_at(LIVE_PLAYLIST, PLAYLIST_BYTES)[0]


def look(
    folder: EgressFolder, coverage: Coverage, floor: int, full_until: int, *, thoroughly: bool
) -> Listing:
    """Reads a session's playlists: full.m3u8 only if it is needed, or `thoroughly`. Blocks.

    `floor`: sequences below it are over. `full_until`: how far full.m3u8 was read before. What it
    left out up to there will never be listed. Raises OSError if a playlist can't be read, but what
    is no playlist in place of one, or one that we may not read, is only told of.
    """
    unread: dict[str, str] = {}
    stamp, content = folder.look_at(LIVE_PLAYLIST, PLAYLIST_BYTES)
    live = _read(LIVE_PLAYLIST, content, unread)
    first = live.entries[0].sequence if live.entries else None
    left_out = first is not None and coverage.lacks(max(floor, full_until + 1), first)
    if not (thoroughly or left_out or live.ended or unread):
        return Listing(live.entries, live.refused, False, stamp)
    full = _read(FULL_PLAYLIST, partial(folder.read, FULL_PLAYLIST, PLAYLIST_BYTES), unread)
    full_last = full.entries[-1].sequence if full.entries else -1
    try:
        entries, disagreement = combined(live, full), ""
    except PlaylistsDisagree as error:
        entries, disagreement = live.entries, str(error)
    is_unused = bool(disagreement) or FULL_PLAYLIST in unread
    ended = full.ended or (live.ended and is_unused)  # full.m3u8 is ended first
    refused = tuple(dict.fromkeys((*full.refused, *live.refused)))
    return Listing(entries, refused, ended, stamp, full_last, disagreement, unread)


def costed_look(
    folder: EgressFolder, coverage: Coverage, floor: int, full_until: int, *, thoroughly: bool
) -> tuple[Listing, float]:
    """What `look` finds, and the seconds that it took of a processor. Blocks."""
    began = time.thread_time()
    found = look(folder, coverage, floor, full_until, thoroughly=thoroughly)
    return found, time.thread_time() - began


def is_quiet(ended_at: datetime | None, written_at: datetime, now: datetime) -> bool:
    """Whether nothing more will come of an egress that was last seen to write then."""
    if ended_at is None:
        return False
    last = max(ended_at, min(written_at, ended_at + LAST_WORD))
    return now - last > QUIET


def segments_on_disk(folder: EgressFolder) -> set[str]:
    """The names of the `.ts` files in a session's folder; none if we may not look. Blocks."""
    try:
        return {name for name in folder.names() if name.endswith(SEGMENT_SUFFIX)}
    except (FileNotFoundError, NotRegular, PermissionError):
        return set()


def _read(name: str, content: Content, unread: dict[str, str]) -> Playlist:
    """A playlist, empty if it is not there; also if it is none, or not for us, and `unread` says
    why: whoever writes it decides that, and is not to keep a session that is over from its end."""
    try:
        return parse(content())
    except FileNotFoundError:
        return Playlist()
    except (NotRegular, FileTooLarge, PermissionError, PlaylistTooLong) as error:
        unread[name] = str(error)
        return Playlist()


def is_told_over(entry: Entry, kept_from: datetime) -> bool:
    """Whether a segment ended before what is kept begins, as its playlist tells."""
    return entry.start is not None and (entry.start + timedelta(seconds=entry.seconds) < kept_from)


def is_over(folder: EgressFolder, entry: Entry, kept_from: datetime) -> bool:
    """Whether a segment that is told to be over is: nothing was written since. Blocks."""
    try:
        return folder.stamp(entry.name).modified < kept_from.timestamp()
    except PlaceAway:
        raise
    except OSError:  # it is gone, most likely since it was indexed
        return True

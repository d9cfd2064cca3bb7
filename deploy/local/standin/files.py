"""Names and playlists as egress v1.14.1 writes them: text from numbers, no I/O."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

LIVE_SEGMENTS = 5


@dataclass(frozen=True)
class Line:
    """One segment as a playlist names it."""

    name: str
    date_time: datetime.datetime
    """PROGRAM-DATE-TIME, aware UTC."""
    duration_seconds: float


@dataclass(frozen=True)
class Layout:
    """Where one segment output writes."""

    prefix: PurePosixPath
    playlist: PurePosixPath
    live_playlist: PurePosixPath | None
    timestamps: bool
    """Segment names end with their time (suffix TIMESTAMP), else with their number."""

    def segment(self, index: int, date_time: datetime.datetime) -> PurePosixPath:
        """The path of segment `index` (from 0), which begins at `date_time` (aware UTC)."""
        if self.timestamps:
            suffix = date_time.strftime("%Y%m%d%H%M%S") + f"{date_time.microsecond // 1000:03d}"
        else:
            suffix = f"{index:05d}"
        return self.prefix.with_name(f"{self.prefix.name}_{suffix}.ts")


def layout(
    prefix: str,
    playlist_name: str,
    live_playlist_name: str,
    timestamps: bool,
    *,
    is_absolute: bool = True,
) -> Layout:
    """The layout of a request's segment output.

    Playlists lie beside the segments; without a name the main one is called like the prefix. Keys
    in a bucket, which are not absolute, begin without a slash.

    :raises ValueError: a prefix that this worker can't serve.
    """
    path = PurePosixPath(prefix if is_absolute else prefix.lstrip("/"))
    if path.is_absolute() != is_absolute or prefix.endswith("/") or "{" in prefix:
        raise ValueError(f"filename_prefix {prefix!r}: an absolute path without template variables")
    for name in (playlist_name, live_playlist_name):
        if "/" in name:
            raise ValueError(f"playlist name {name!r}: no folders")
    for name in (prefix, playlist_name, live_playlist_name):
        if not name.isprintable():  # it would be a line of its own in a playlist
            raise ValueError(f"{name!r}: only printable characters")
    return Layout(
        prefix=path,
        playlist=path.with_name(playlist_name or f"{path.name}.m3u8"),
        live_playlist=path.with_name(live_playlist_name) if live_playlist_name else None,
        timestamps=timestamps,
    )


def program_date_time(moment: datetime.datetime) -> str:
    """RFC 3339, UTC, milliseconds without trailing zeros (Go's `.999`)."""
    fraction = f".{moment.microsecond // 1000:03d}".rstrip("0").rstrip(".")
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def full_playlist(lines: Sequence[Line], segment_seconds: int, ended: bool) -> str:
    """The EVENT playlist of all segments so far."""
    head = ["#EXTM3U", "#EXT-X-VERSION:4", "#EXT-X-PLAYLIST-TYPE:EVENT"]
    return _playlist(head, lines, segment_seconds, 0, ended)


def live_playlist(lines: Sequence[Line], segment_seconds: int, ended: bool) -> str:
    """The playlist of the newest 5 segments."""
    head = ["#EXTM3U", "#EXT-X-VERSION:4"]
    first = max(0, len(lines) - LIVE_SEGMENTS)
    return _playlist(head, lines[first:], segment_seconds, first, ended)


def _playlist(
    head: list[str], lines: Sequence[Line], segment_seconds: int, first: int, ended: bool
) -> str:
    text = [
        *head,
        "#EXT-X-ALLOW-CACHE:NO",
        f"#EXT-X-TARGETDURATION:{segment_seconds}",
        f"#EXT-X-MEDIA-SEQUENCE:{first}",
    ]
    for line in lines:
        text.append(f"#EXT-X-PROGRAM-DATE-TIME:{program_date_time(line.date_time)}")
        text.append(f"#EXTINF:{line.duration_seconds:.3f},")
        text.append(line.name)
    if ended:
        text.append("#EXT-X-ENDLIST")
    return "\n".join(text) + "\n"

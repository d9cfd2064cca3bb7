"""Plays an egress on disk: writes segments and playlists as egress v1.14.1 writes them.

Segments are copied in pieces, playlists are truncated and written anew, full.m3u8 first, then
live.m3u8 with the last 5, each after its segment's copy has ended. Nothing is atomic.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

LIVE_WINDOW = 5
_PIECES = 4


@dataclass
class DiskEgress:
    """One egress that writes into `folder`. `now`: wall clock of the next segment's first frame.

    `late_seconds`: how late names and EXT-X-PROGRAM-DATE-TIME are. `full_every`: full.m3u8 is
    copied only every so many segments, as after hours.
    """

    folder: Path
    now: datetime
    late_seconds: float = 1.7
    full_every: int = 1
    lines: list[tuple[str, str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def names(self) -> list[str]:
        return [name for name, _, _ in self.lines]

    def write_segment(self, media: bytes, seconds: float) -> Path:
        """Writes a segment's file, without naming it in a playlist yet."""
        shown = (self.now + timedelta(seconds=self.late_seconds)).astimezone(UTC)
        milliseconds = shown.microsecond // 1000
        name = f"segment_{shown:%Y%m%d%H%M%S}{milliseconds:03d}.ts"
        fraction = f".{milliseconds:03d}".rstrip("0").rstrip(".")
        self.lines.append((name, f"{shown:%Y-%m-%dT%H:%M:%S}{fraction}Z", seconds))
        self.now += timedelta(seconds=seconds)
        self._write(name, media)
        return self.folder / name

    def name_segments(self, *, ended: bool = False) -> None:
        """Copies the playlists: what they name now is committed."""
        if ended or len(self.lines) % self.full_every == 0 or len(self.lines) == 1:
            self._copy("full.m3u8", self.lines, 0, ended=ended)
        first = max(0, len(self.lines) - LIVE_WINDOW)
        self._copy("live.m3u8", self.lines[first:], first, ended=ended)

    def commit(self, media: bytes, seconds: float) -> Path:
        """A segment as it normally comes: file, full.m3u8, live.m3u8."""
        path = self.write_segment(media, seconds)
        self.name_segments()
        return path

    def end(self) -> None:
        """EXT-X-ENDLIST in both."""
        self.name_segments(ended=True)

    def _copy(
        self, name: str, lines: list[tuple[str, str, float]], first: int, *, ended: bool
    ) -> None:
        kind = ["#EXT-X-PLAYLIST-TYPE:EVENT"] if name == "full.m3u8" else []
        text = ["#EXTM3U", "#EXT-X-VERSION:4", *kind, "#EXT-X-ALLOW-CACHE:NO"]
        text += ["#EXT-X-TARGETDURATION:2", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
        for segment, shown, seconds in lines:
            text += [f"#EXT-X-PROGRAM-DATE-TIME:{shown}", f"#EXTINF:{seconds:.3f},", segment]
        text += ["#EXT-X-ENDLIST"] * ended
        self._rewrite(name, ("\n".join(text) + "\n").encode())

    def _write(self, name: str, media: bytes) -> None:
        step = max(1, len(media) // _PIECES)
        with (self.folder / name).open("wb", buffering=0) as file:
            for begin in range(0, len(media), step):
                file.write(media[begin : begin + step])

    def _rewrite(self, name: str, data: bytes) -> None:
        handle = os.open(self.folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o664)
        try:
            os.write(handle, data[: len(data) // 2])  # a reader may come between the two
            os.write(handle, data[len(data) // 2 :])
        finally:
            os.close(handle)

"""Write one egress's segments and playlists into the final folder, as plainly as the real one.

Everything is written in place: readers see growing `.ts` files and empty playlists. A playlist
line is written only after its segment's copy has ended.
"""

from __future__ import annotations

import datetime
import errno
import time
from collections.abc import Callable
from pathlib import Path

from deploy.local.standin import files
from deploy.local.standin.faults import Faults
from deploy.local.standin.segmenter import Segment

_CHUNK = 32 * 1024


class Output:
    """The folder of one egress. Its methods block; call them in a thread, one at a time.

    :param first: PROGRAM-DATE-TIME of media time 0, Unix seconds.
    """

    def __init__(
        self,
        layout: files.Layout,
        segment_seconds: int,
        first: float,
        faults: Callable[[], Faults],
    ) -> None:
        self.size_bytes = 0
        self.lines: list[files.Line] = []
        self._layout = layout
        self._segment_seconds = segment_seconds
        self._first = first
        self._faults = faults
        Path(layout.prefix.parent).mkdir(parents=True, exist_ok=True)

    def publish(self, segment: Segment) -> None:
        """Copy the segment, then name it in the playlists; its temporary file is removed.

        :raises OSError: the disk is full (or so a fault says); the truncated copy stays, listed.
        """
        faults = self._faults()
        number = segment.index + 1
        begin = self._first + segment.start_seconds
        moment = datetime.datetime.fromtimestamp(round(begin, 3), datetime.UTC)
        target = Path(self._layout.segment(segment.index, moment))
        self.lines.append(files.Line(target.name, moment, segment.duration_seconds))
        size = segment.path.stat().st_size
        limit = size // 2 if number in (faults.truncate_segment, faults.disk_full) else size
        try:
            if number != faults.drop_segment:
                _copy(segment.path, target, limit)
            if number == faults.disk_full:
                raise OSError(errno.ENOSPC, f"write {target}: no space left on device")
        finally:
            self.size_bytes += size
            segment.path.unlink()
            self.write_playlists(ended=False)

    def write_playlists(self, ended: bool) -> None:
        """Rewrite both playlists; `ended` adds ENDLIST."""
        full = files.full_playlist(self.lines, self._segment_seconds, ended)
        self._rewrite(Path(self._layout.playlist), full)
        if self._layout.live_playlist is not None:
            live = files.live_playlist(self.lines, self._segment_seconds, ended)
            self._rewrite(Path(self._layout.live_playlist), live)

    def write_manifest(self, egress_id: str, text: str) -> None:
        Path(self._layout.prefix.parent / f"{egress_id}.json").write_text(text)

    def _rewrite(self, path: Path, text: str) -> None:
        torn = self._faults().torn_playlist
        with path.open("w") as file:
            for part in (
                (text[: len(text) * 2 // 3], text[len(text) * 2 // 3 :]) if torn else (text,)
            ):
                time.sleep(torn)
                file.write(part)
                file.flush()


def _copy(source: Path, target: Path, limit: int) -> None:
    """Copy the first `limit` bytes, in steps that a reader may see."""
    with source.open("rb") as reader, target.open("wb", buffering=0) as writer:
        while limit > 0 and (chunk := reader.read(min(_CHUNK, limit))):
            limit -= writer.write(chunk)

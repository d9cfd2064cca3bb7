"""Write one egress's segments and playlists into their final place, as plainly as the real one.

A playlist line is written only after its segment's copy, or its upload, has ended.
"""

from __future__ import annotations

import datetime
import errno
from collections.abc import Callable
from pathlib import PurePosixPath

from deploy.local.standin import files
from deploy.local.standin.faults import Faults
from deploy.local.standin.places import Bucket, Folder, Place, S3Storage
from deploy.local.standin.segmenter import Segment


class Output:
    """The files of one egress. Its methods block; call them in a thread, one at a time.

    :param storage: the bucket that they go to; None: a folder.
    :param first: PROGRAM-DATE-TIME of media time 0, Unix seconds.
    """

    def __init__(
        self,
        layout: files.Layout,
        storage: S3Storage | None,
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
        folder = layout.prefix.parent
        self.place: Place = Folder(folder) if storage is None else Bucket(storage, folder)

    def publish(self, segment: Segment) -> None:
        """Copy the segment, then name it in the playlists; its temporary file is removed.

        :raises OSError: the disk is full (or so a fault says); the truncated copy stays, listed.
            What could not be uploaded is not there, and not listed.
        """
        faults = self._faults()
        number = segment.index + 1
        begin = self._first + segment.start_seconds
        moment = datetime.datetime.fromtimestamp(round(begin, 3), datetime.UTC)
        name = self._layout.segment(segment.index, moment).name
        self.lines.append(files.Line(name, moment, segment.duration_seconds))
        size = segment.path.stat().st_size
        limit = size // 2 if number in (faults.truncate_segment, faults.disk_full) else size
        try:
            if number != faults.drop_segment:
                self.place.copy(segment.path, name, limit)
            if number == faults.disk_full:
                at = self.place.location(name)
                raise OSError(errno.ENOSPC, f"write {at}: no space left on device")
        except OSError:
            if isinstance(self.place, Folder):
                self.write_playlists(ended=False)
            else:
                self.lines.pop()
            raise
        finally:
            self.size_bytes += size
            segment.path.unlink()
        self.write_playlists(ended=False)

    def write_playlists(self, ended: bool) -> None:
        """Rewrite both playlists; `ended` adds ENDLIST."""
        full = files.full_playlist(self.lines, self._segment_seconds, ended)
        self._rewrite(self._layout.playlist, full)
        if self._layout.live_playlist is not None:
            live = files.live_playlist(self.lines, self._segment_seconds, ended)
            self._rewrite(self._layout.live_playlist, live)

    def write_manifest(self, egress_id: str, text: str) -> None:
        self.place.write(f"{egress_id}.json", text, 0.0)

    def _rewrite(self, path: PurePosixPath, text: str) -> None:
        self.place.write(path.name, text, self._faults().torn_playlist)

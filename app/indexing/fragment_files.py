"""A committed `.ts` on disk made into its fragment file. All calls block: run them in a thread.

Every step may be repeated. A fragment is written aside, synced and renamed. Its `.ts` stays until
the fragment's row is in the database.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path

from app.buffer.paths import fragment_name, init_name
from app.buffer.session_folders import QUARANTINED_SUFFIX
from app.indexing.playlist import Entry
from app.media.faults import Fault, Unpreparable
from app.media.fragment import Continuity, Prepared, prepare_bytes
from app.media.init_segment import Init
from app.media.samples import SampleTable
from app.models import FaultSlug, SegmentRow
from app.storage.confined import PathRefused, member
from app.storage.foreign import SEGMENT_BYTES, FileTooLarge, ForeignFolder, NotRegular

PART_SUFFIX = ".part"
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

_ONE_AT_A_TIME = threading.Lock()
"""Two threads that prepare side by side take 40 % more CPU for 15 % more segments: libav lets go of
the interpreter's lock at every packet. Writing and syncing go on meanwhile; who needs more than one
core's worth runs several indexers."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A fragment that is safely on disk; `modified_ns` is its file's st_mtime_ns."""

    name: str
    size_bytes: int
    modified_ns: int
    prepared: Prepared


def make_fragment(
    written: ForeignFolder, folder: Path, entry: Entry, previous: Continuity | None, writer: str
) -> Fragment:
    """Prepares a segment and writes its fragment, with its init segment if that is new.

    `written` is where egress wrote the segment, `folder` where its fragment belongs. `writer` names
    who writes, so that two writers never share a file that is not whole.

    Raises Unpreparable if the segment can't be used, OSError if the fragment can't be written.
    """
    data = _segment(written, entry.name)
    with _ONE_AT_A_TIME:
        prepared = prepare_bytes(data, f"{written}/{entry.name}", entry.seconds, previous)
    init = prepared.init
    if previous is None or previous.init.id != init.id:
        path = member(folder, init_name(init.id))
        if not path.exists() or path.read_bytes() != init.data:
            _write(path, init.data, writer)
    name = fragment_name(entry.sequence)
    modified_ns = _write(member(folder, name), prepared.data, writer)
    return Fragment(name, len(prepared.data), modified_ns, prepared)


def _segment(written: ForeignFolder, name: str) -> bytes:
    """The bytes of a `.ts`. Raises Unpreparable if it can't be read."""
    try:
        return written.read(name, SEGMENT_BYTES)
    except NotRegular as error:
        slug, detail = FaultSlug.NOT_A_FILE, str(error)
    except FileTooLarge as error:
        slug, detail = FaultSlug.TOO_LARGE, str(error)
    except OSError as error:
        slug, detail = FaultSlug.UNREADABLE, error.strerror or str(error)
    raise Unpreparable(f"{written}/{name}", [Fault(slug, detail)])


def quarantine(written: ForeignFolder, name: str) -> str:
    """Renames a `.ts` that can't be used. Returns its new name. Raises FileNotFoundError."""
    written.rename(name, name + QUARANTINED_SUFFIX)
    return name + QUARANTINED_SUFFIX


def continuity(folder: Path, row: SegmentRow) -> Continuity | None:
    """Where the session's media stood after an indexed row; None if its init segment is gone.

    Raises ValueError if what is stored can't be read.
    """
    try:
        init = Init.parse(member(folder, init_name(row["init_id"])).read_bytes())
    except FileNotFoundError:
        return None
    samples = SampleTable.unpack(row["samples"])
    last_picture = samples.first_pts + int(samples.pts.max())
    return Continuity(
        init, samples.end_pts, samples.end_audio, max(1, samples.end_pts - last_picture)
    )


def is_whole(folder: Path, row: SegmentRow) -> bool:
    """Whether an indexed row's file is there, of the recorded size."""
    try:
        return member(folder, row["name"]).stat().st_size == row["size_bytes"]
    except (FileNotFoundError, PathRefused):
        return False


def _write(path: Path, data: bytes, writer: str) -> int:
    """Writes the file durably; its st_mtime_ns."""
    part = member(path.parent, f"{path.name}.{writer}{PART_SUFFIX}")
    try:
        part.unlink(missing_ok=True)  # what an attempt left that was interrupted
        with os.fdopen(_created(part), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            modified_ns = os.fstat(file.fileno()).st_mtime_ns
        part.rename(path)
        return modified_ns
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _created(part: Path) -> int:
    """A new file, open for writing. Its folder comes with the first one, and goes when empty."""
    try:
        return os.open(part, _NEW_FILE, 0o640)
    except FileNotFoundError:
        part.parent.mkdir(parents=True, exist_ok=True)
        return os.open(part, _NEW_FILE, 0o640)

"""A committed `.ts` on disk made into its fragment file. All calls block: run them in a thread.

Every step may be repeated. A fragment is written aside, synced and renamed. Its `.ts` stays until
the fragment's row is in the database.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from app.buffer.paths import fragment_name, init_name
from app.buffer.session_folders import QUARANTINED_SUFFIX
from app.indexing.parser import Parser
from app.indexing.parser_messages import Parsed
from app.indexing.playlist import Entry
from app.media.continuity import Continuity
from app.media.faults import Fault, Unpreparable
from app.media.init_segment import Init
from app.media.samples import SampleTable
from app.models import FaultSlug, SegmentRow
from app.storage.confined import PathRefused, member
from app.storage.foreign import SEGMENT_BYTES, FileTooLarge, ForeignFolder, NotRegular

PART_SUFFIX = ".part"
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

Filled = TypeVar("Filled")


@dataclass(frozen=True, slots=True)
class Fragment:
    """A fragment that is safely on disk; `modified_ns` is its file's st_mtime_ns."""

    name: str
    modified_ns: int
    parsed: Parsed


def make_fragment(
    parser: Parser,
    written: ForeignFolder,
    folder: Path,
    entry: Entry,
    previous: Continuity | None,
    writer: str,
    *,
    latest_ticks: int,
) -> Fragment:
    """Prepares a segment and writes its fragment, with its init segment if that is new.

    `written` is where egress wrote the segment, `folder` where its fragment belongs. `writer` names
    who writes, so that two writers never share a file that is not whole. `latest_ticks`: where the
    session's media can have got to by now.

    Raises Unpreparable if the segment can't be used, OSError if the fragment can't be written.
    """
    source = f"{written}/{entry.name}"

    def fill(made: int) -> Parsed:
        with _opened(written, entry.name) as given:
            parsed = parser.parse(source, given, entry.seconds, latest_ticks, previous, made)
        if previous is None or previous.init.id != parsed.init.id:
            _write_init(folder, parsed.init, writer)
        return parsed

    name = fragment_name(entry.sequence)
    parsed, modified_ns = _write(member(folder, name), writer, fill)
    return Fragment(name, modified_ns, parsed)


@contextmanager
def _opened(written: ForeignFolder, name: str) -> Iterator[int]:
    """A `.ts`, open for reading. Raises Unpreparable if it can't be."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(written.open_file(name, SEGMENT_BYTES))
        except NotRegular as error:
            slug, detail = FaultSlug.NOT_A_FILE, str(error)
        except FileTooLarge as error:
            slug, detail = FaultSlug.TOO_LARGE, str(error)
        except OSError as error:
            slug, detail = FaultSlug.UNREADABLE, error.strerror or str(error)
        else:
            yield file
            return
    raise Unpreparable(f"{written}/{name}", [Fault(slug, detail)])


def _write_init(folder: Path, init: Init, writer: str) -> None:
    path = member(folder, init_name(init.id))
    if not path.exists() or path.read_bytes() != init.data:
        _write(path, writer, lambda file: os.write(file, init.data))


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


def _write(path: Path, writer: str, fill: Callable[[int], Filled]) -> tuple[Filled, int]:
    """Writes a file durably: `fill` writes into it while it is a part. Also its st_mtime_ns."""
    part = member(path.parent, f"{path.name}.{writer}{PART_SUFFIX}")
    try:
        part.unlink(missing_ok=True)  # what an attempt left that was interrupted
        file = _created(part)
        try:
            filled = fill(file)
            os.fsync(file)
            modified_ns = os.fstat(file).st_mtime_ns
        finally:
            os.close(file)
        part.rename(path)
        return filled, modified_ns
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _created(part: Path) -> int:
    """A new file, open for writing. Its folder comes with the first one, and goes when empty."""
    try:
        return os.open(part, _NEW_FILE, 0o640)
    except FileNotFoundError:
        part.parent.mkdir(parents=True, exist_ok=True)
        return os.open(part, _NEW_FILE, 0o640)

"""A committed `.ts` on disk made into its fragment file.

Every step may be repeated. A fragment is written aside, synced and renamed. Its `.ts` stays until
the fragment's row is in the database.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from app.buffer.paths import fragment_name, init_name
from app.buffer.session_folders import QUARANTINED_SUFFIX
from app.indexing.parser import Parser
from app.indexing.parser_messages import Parsed, Request
from app.indexing.playlist import Entry
from app.media.continuity import Continuity
from app.media.faults import Fault, Unpreparable
from app.media.init_segment import Init
from app.media.runs import was_altered
from app.media.samples import SampleTable
from app.models import FaultSlug, SegmentRow
from app.storage.confined import PART_SUFFIX, PathRefused, member
from app.storage.egress_store import EgressFolder, PlaceAway
from app.storage.foreign import SEGMENT_BYTES, FileTooLarge, NotRegular
from app.work import threads
from app.work.places import Stint

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

_Given = ParamSpec("_Given")
_Outcome = TypeVar("_Outcome")


@dataclass(frozen=True, slots=True)
class Fragment:
    """A fragment that is safely on disk; `modified_ns` is its file's st_mtime_ns."""

    name: str
    modified_ns: int
    parsed: Parsed


@dataclass(frozen=True, slots=True)
class FragmentWriter:
    """Writes the fragments of one session, each with its init segment if that is new.

    `written` is where egress wrote the segments, `folder` where their fragments belong. `name` says
    who writes, so that two writers never share a file that is not whole. `threads` are for what is
    soon done, `syncs` for what waits for the disk: a file system syncs many files at once as soon
    as one of them.
    """

    parser: Parser
    threads: Executor
    syncs: Executor
    session_id: str
    written: EgressFolder
    folder: Path
    name: str

    async def make(
        self,
        entry: Entry,
        previous: Continuity | None,
        *,
        latest_ticks: int,
        expected_ticks: int | None = None,
    ) -> Fragment:
        """Makes a segment into its fragment.

        `latest_ticks`, `expected_ticks`: see Request. Raises Unpreparable if the segment can't be
        used, OSError if the fragment can't be written.
        """
        path = member(self.folder, fragment_name(entry.sequence))
        part = PartFile(path, self.name)
        opened = ExitStack()
        try:
            # Nor does who fetches it from afar have a place.
            given = await self._in(self.threads, self._begin, opened, entry.name, part)
            source = f"{self.written}/{entry.name}"
            request = Request(source, entry.seconds, latest_ticks, previous, expected_ticks)
            parse = partial(self._parse, request, given, part.file)
            # The parser's places are for parsing: how slow the disk is keeps nobody from them.
            parsed = await self.parser.work(self.session_id, parse)
            if previous is None or previous.init.id != parsed.init.id:
                await self._in(self.syncs, _write_init, self.folder, parsed.init, self.name)
            modified_ns = await self._in(self.syncs, part.keep)
        except BaseException:
            await self._in(self.threads, part.discard)
            raise
        finally:
            opened.close()
        return Fragment(path.name, modified_ns, parsed)

    def _begin(self, opened: ExitStack, name: str, part: PartFile) -> int:
        """The segment, open until `opened` is closed; its fragment is begun."""
        given = opened.enter_context(_opened(self.written, name))
        part.begin()
        return given

    def _parse(self, request: Request, given: int, made: int, stint: Stint) -> Parsed:
        return self.parser.parse(stint, request, given, made)

    async def _in(
        self,
        executor: Executor,
        call: Callable[_Given, _Outcome],
        *args: _Given.args,
        **kwargs: _Given.kwargs,
    ) -> _Outcome:
        return await threads.to_its_end(executor, partial(call, *args, **kwargs))


class PartFile:
    """A file that is being written, aside from its final name. Blocks.

    Keep it or discard it, whatever came of it. Raises OSError.
    """

    def __init__(self, path: Path, writer: str) -> None:
        self._path = path
        self._part = member(path.parent, f"{path.name}.{writer}{PART_SUFFIX}")
        self.file = -1
        """It, open for writing."""

    def begin(self) -> None:
        """Opens it, empty: what an attempt left that was interrupted is gone."""
        self._part.unlink(missing_ok=True)
        self.file = _created(self._part)

    def keep(self) -> int:
        """Gives it its name, durably. Returns its st_mtime_ns."""
        os.fsync(self.file)
        modified_ns = os.fstat(self.file).st_mtime_ns
        self._close()
        self._part.rename(self._path)
        return modified_ns

    def discard(self) -> None:
        """Nothing is left of it."""
        with suppress(OSError):  # where writing is put off, a full disk is told here
            self._close()
        self._part.unlink(missing_ok=True)

    def _close(self) -> None:
        file, self.file = self.file, -1
        if file >= 0:
            os.close(file)


@contextmanager
def _opened(written: EgressFolder, name: str) -> Iterator[int]:
    """A `.ts`, open for reading. Raises Unpreparable if it can't be."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(written.open_file(name, SEGMENT_BYTES))
        except NotRegular as error:
            slug, detail = FaultSlug.NOT_A_FILE, str(error)
        except FileTooLarge as error:
            slug, detail = FaultSlug.TOO_LARGE, str(error)
        except PlaceAway:
            raise
        except OSError as error:
            slug, detail = FaultSlug.UNREADABLE, error.strerror or str(error)
        else:
            yield file
            return
    raise Unpreparable(f"{written}/{name}", [Fault(slug, detail)])


def _write_init(folder: Path, init: Init, writer: str) -> None:
    path = member(folder, init_name(init.id))
    if path.exists() and path.read_bytes() == init.data:
        return
    part = PartFile(path, writer)
    try:
        part.begin()
        os.write(part.file, init.data)
        part.keep()
    except BaseException:
        part.discard()
        raise


def quarantine(written: EgressFolder, name: str) -> str:
    """Renames a `.ts` that can't be used, where that can be. Its name then.

    Raises FileNotFoundError.
    """
    return written.rename(name, name + QUARANTINED_SUFFIX)


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


def is_settled(folder: Path, row: SegmentRow) -> bool:
    """Whether an indexed row's file is there, of the recorded size; or was deleted for good."""
    if row["fault"] == FaultSlug.DELETED:
        return True
    try:
        return member(folder, row["name"]).stat().st_size == row["size_bytes"]
    except (FileNotFoundError, PathRefused):
        return False


def media(
    folder: Path, name: str, payload_offset: int, size_bytes: int, modified_ns: int | None
) -> bytes | None:
    """The media of a fragment; None if it is gone, or not what was indexed. Raises OSError."""
    try:
        with member(folder, name).open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_size != size_bytes or was_altered(modified_ns, status.st_mtime_ns):
                return None
            found = os.pread(file.fileno(), size_bytes - payload_offset, payload_offset)
    except (FileNotFoundError, PathRefused):
        return None
    return found if len(found) == size_bytes - payload_offset else None


def remove(folder: Path, row: SegmentRow) -> None:
    """Removes the fragment of a row, if it is there. Raises OSError."""
    member(folder, row["name"]).unlink(missing_ok=True)


def _created(part: Path) -> int:
    """A new file, open for writing. Its folder comes with the first one, and goes when empty."""
    try:
        return os.open(part, _NEW_FILE, 0o640)
    except FileNotFoundError:
        part.parent.mkdir(parents=True, exist_ok=True)
        return os.open(part, _NEW_FILE, 0o640)

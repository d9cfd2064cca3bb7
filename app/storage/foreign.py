"""Files that somebody else may have written: opened without trust, read within bounds.

Egress decodes the media of strangers, so what lies in its folders may be anything: a link to a file
of ours, a pipe that nobody ever writes into, a file of any size, or one that grows while it is
read. Here is the only place where such files are opened. All calls block, but never on such a file.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from app.storage.confined import PathRefused, checked, is_name
from app.storage.durable_folders import sync_folder
from app.storage.egress_store import NEVER, Content, Stamp
from app.storage.foreign_removal import FOLDER, REMOVED_AT_ONCE, remove_folder
from app.storage.name_claims import put_aside

SEGMENT_BYTES = 64 * 2**20
PLAYLIST_BYTES = 4 * 2**20
ENTRIES = 20_000
"""What is read of a segment, of a playlist, and of a folder at most."""

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ROOT = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class NotRegular(OSError):
    """Something else than a regular file, or than a folder, has this name."""


class FileTooLarge(OSError):
    """A file has more bytes than are ever read of one."""


@dataclass(frozen=True, slots=True)
class ForeignFolder:
    """A folder below a root of ours, in which somebody else writes.

    `root` is followed wherever it leads, `parts` are not: each is opened within the one before it,
    so that none of them can be a link, now or in a moment. A folder that is one, or is no folder,
    raises NotRegular; one that is not there FileNotFoundError; a name that is none PathRefused.
    """

    root: Path
    parts: tuple[str, ...]

    def __str__(self) -> str:
        """Where it is, for messages: whoever opens it by a path follows links."""
        return "/".join((str(self.root), *self.parts))

    @property
    def name(self) -> str:
        return self.parts[-1]

    @property
    def outer(self) -> ForeignFolder:
        """The folder that this one is in."""
        return ForeignFolder(self.root, self.parts[:-1])

    def read(self, name: str, most_bytes: int) -> bytes:
        """The bytes of a regular file. Raises NotRegular, FileTooLarge, OSError."""
        with self.open_file(name, most_bytes) as file:
            return read_open(f"{self}/{name}", file, most_bytes)

    def look_at(self, name: str, most_bytes: int) -> tuple[Stamp, Content]:
        """The stamp of a file, NEVER if it can't be looked at; and what reads it, as `read` does.

        The stamp is from before the read: a later change is seen as one.
        """
        try:
            stamp = self.stamp(name)
        except OSError:
            stamp = NEVER
        return stamp, partial(self.read, name, most_bytes)

    @contextmanager
    def open_file(self, name: str, most_bytes: int) -> Iterator[int]:
        """A regular file, open for reading: its descriptor, and `read_open` reads it.

        Raises NotRegular, FileTooLarge, OSError.
        """
        with self._opened() as folder:
            # Not opened to find out what it is: opening a device may do something.
            status = os.stat(checked(name), dir_fd=folder, follow_symlinks=False)
            self._check(name, status, most_bytes)
            file = os.open(name, _FILE, dir_fd=folder)
        try:
            self._check(name, os.fstat(file), most_bytes)
            yield file
        finally:
            os.close(file)

    def status(self, name: str) -> os.stat_result:
        """What the folder says of a name; of a link, of itself."""
        with self._opened() as folder:
            return os.stat(checked(name), dir_fd=folder, follow_symlinks=False)

    def stamp(self, name: str) -> Stamp:
        """The same, as far as it tells one content from another."""
        status = self.status(name)
        return Stamp(status.st_mtime_ns, status.st_size)

    def older(self, names: Iterable[str], before: float) -> list[str]:
        """Those of its names that were last written before then, in seconds since 1970."""
        old: list[str] = []
        with self._opened() as folder:
            for name in names:
                with suppress(FileNotFoundError):  # gone since it was listed
                    status = os.stat(_one(name), dir_fd=folder, follow_symlinks=False)
                    if status.st_mtime < before:
                        old.append(name)
        return old

    def names(self, most: int = ENTRIES) -> list[str]:
        """The names in it, at most so many, in no order. They may be of any characters."""
        with self._opened() as folder, os.scandir(folder) as entries:
            return [entry.name for entry in islice(entries, most)]

    def is_writable(self) -> bool:
        """Whether files can be made and removed in it."""
        with self._opened() as folder:
            return os.access(".", os.W_OK | os.X_OK, dir_fd=folder)

    def keeps(self, mode: int) -> bool:
        """Whether it has this mode, once a file of ours was made and removed in it.

        Raises OSError if that can't be.
        """
        with self._opened() as folder:
            name = f".{secrets.token_hex(8)}"  # nobody else's, and nobody knows it before
            os.close(os.open(name, _NEW_FILE, 0o600, dir_fd=folder))
            os.unlink(name, dir_fd=folder)
            return stat.S_IMODE(os.fstat(folder).st_mode) == mode

    def folders(self, most: int = ENTRIES) -> list[ForeignFolder]:
        """The folders in it whose names may be ours, of at most so many entries."""
        with self._opened() as folder, os.scandir(folder) as entries:
            return [
                ForeignFolder(self.root, (*self.parts, entry.name))
                for entry in islice(entries, most)
                if is_name(entry.name) and entry.is_dir(follow_symlinks=False)
            ]

    @contextmanager
    def held(self) -> Iterator[str]:
        """A path that leads to this very folder, and nowhere else, within the block (proc(5))."""
        with self._opened() as folder:
            yield f"/proc/self/fd/{folder}"

    def rename(self, name: str, to: str) -> str:
        """Gives a file, or whatever it is, another name within the folder. Its name then."""
        with self._opened() as folder:
            os.rename(checked(name), checked(to), src_dir_fd=folder, dst_dir_fd=folder)
        return to

    def hand_over(self, name: str, to: ForeignFolder) -> None:
        """Moves a regular file into another folder; whatever else has the name is removed."""
        with self._opened() as folder, to._opened() as other:
            os.rename(checked(name), name, src_dir_fd=folder, dst_dir_fd=other)
            status = os.stat(name, dir_fd=other, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            to.remove(name)

    def make(self, mode: int, outer_mode: int) -> list[str]:
        """Makes it with this mode, and those of the folders it is in that are not there.

        Of a folder of ours that is there the mode is set, if the file system has any. Below the
        first of them, what is no folder, or is somebody else's in a folder that is not theirs, is
        renamed: nobody keeps us from a folder by being there before. Returns the paths that such
        things have now. Raises NotRegular, OSError.
        """
        aside: list[str] = []
        descriptor = os.open(self.root, _ROOT)
        try:
            for place, part in enumerate(self.parts, 1):
                wanted = mode if place == len(self.parts) else outer_mode
                # The first one may be mounted from anywhere; its mode is set before we look in it.
                if place > 1 and (name := put_aside(descriptor, checked(part))) is not None:
                    aside.append("/".join((str(self.root), *self.parts[: place - 1], name)))
                with suppress(FileExistsError):
                    os.mkdir(checked(part), 0o750, dir_fd=descriptor)
                descriptor = self._entered(descriptor, part)
                status = os.fstat(descriptor)
                if status.st_uid == os.getuid() and stat.S_IMODE(status.st_mode) != wanted:
                    with suppress(OSError):  # SMB, FAT: who may write is said where it is mounted
                        os.fchmod(descriptor, wanted)
        finally:
            os.close(descriptor)
        return aside

    def sync(self) -> None:
        """Returns when what was renamed in it is on the disk."""
        with self._opened() as folder:
            sync_folder(folder)

    def unlink(self, name: str) -> None:
        """Removes a file. Raises FileNotFoundError, IsADirectoryError."""
        with self._opened() as folder:
            os.unlink(checked(name), dir_fd=folder)

    def remove(self, name: str, most: int = REMOVED_AT_ONCE) -> None:
        """Removes a file, or whatever it is: a folder with at most so many entries in it.

        Raises FileNotFoundError, FolderTooLarge of `foreign_removal`.
        """
        with self._opened() as folder:
            try:
                os.unlink(_one(name), dir_fd=folder)
            except IsADirectoryError:
                remove_folder(folder, name, most)

    def remove_whole(self) -> None:
        """Removes the folder with all that is in it. Raises as `remove` does."""
        self.outer.remove(self.name)

    def remove_empty(self) -> None:
        """Removes the folder. Raises OSError if anything is in it."""
        with self.outer._opened() as outer:
            os.rmdir(self.name, dir_fd=outer)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        descriptor = os.open(self.root, _ROOT)
        try:
            for part in self.parts:
                descriptor = self._entered(descriptor, part)
            yield descriptor
        finally:
            os.close(descriptor)

    def _entered(self, outer: int, part: str) -> int:
        """A folder within an open one, opened. Closes the outer one, unless it raises."""
        try:
            descriptor = os.open(checked(part), FOLDER, dir_fd=outer)
        except NotADirectoryError as error:
            raise NotRegular(f"{self}: {part} is a link, or no folder") from error
        os.close(outer)
        return descriptor

    def _check(self, name: str, status: os.stat_result, most_bytes: int) -> None:
        if not stat.S_ISREG(status.st_mode):
            kind = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
            raise NotRegular(f"{self}/{name} is {kind}, not a file")
        if status.st_size > most_bytes:
            raise _too_large(f"{self}/{name}", f"{status.st_size} bytes", most_bytes)


def read_open(path: str, file: int, most_bytes: int) -> bytes:
    """The bytes of an open file, which may grow meanwhile. `path` is for messages.

    Raises FileTooLarge, OSError.
    """
    blocks: list[bytes] = []
    read_bytes = 0
    # Mostly one block, and the end of the file: it is as large as it was.
    block_bytes = min(os.fstat(file).st_size, most_bytes) + 1
    while block := os.pread(file, min(block_bytes, most_bytes + 1 - read_bytes), read_bytes):
        blocks.append(block)
        read_bytes += len(block)
        if read_bytes > most_bytes:
            raise _too_large(path, "more bytes since it is read", most_bytes)
    return b"".join(blocks)


def _too_large(path: str, has: str, most_bytes: int) -> FileTooLarge:
    return FileTooLarge(f"{path} has {has}; at most {most_bytes} are read")


def _one(name: str) -> str:
    """A name as a folder lists it, of any characters: it leads nowhere but to what it names."""
    if "/" in name or "\0" in name or name in ("", ".", ".."):
        raise PathRefused(f"{name!r:.100} names nothing within a folder")
    return name

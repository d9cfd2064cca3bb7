"""The files of clips: written aside, made durable, then named.

A file under its final name is whole. Paths are relative to the root, which every process of the
service shares. All functions block.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from app.errors import StorageFull
from app.storage.confined import PART_SUFFIX, PathRefused, in_folder, inside, member
from app.storage.durable_folders import sync_folder

_MEDIA_TYPES = {".gif": "image/gif", ".webp": "image/webp"}
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def media_type(storage_path: str) -> str:
    """What a file is, by its name."""
    return _MEDIA_TYPES.get(PurePosixPath(storage_path).suffix, "video/mp4")


def locate(root: Path, storage_path: str) -> Path:
    """The file of a storage path. Raises PathRefused."""
    return inside(root, in_folder(storage_path))


def part_path(root: Path, storage_path: str, attempt: int) -> Path:
    """Where an attempt writes; beside the final place, which gets its folder here.

    Each attempt has its own, so that one that was taken for dead can't spoil the next one's.
    """
    final = locate(root, storage_path)
    with disk_errors():
        # Egress may be of the group that it gets: nobody but our user is let into the first folder.
        first, *_ = storage_path.split("/")
        member(root, first).mkdir(mode=0o700, parents=True, exist_ok=True)
        final.parent.mkdir(parents=True, exist_ok=True)
    return member(final.parent, f"{final.name}.{attempt}{PART_SUFFIX}")


def beside(part: Path, what: str) -> Path:
    """A further part file of the same attempt."""
    return member(part.parent, f"{part.name.removesuffix(PART_SUFFIX)}.{what}{PART_SUFFIX}")


def size_bytes(root: Path, storage_path: str) -> int | None:
    """The size of a file; None if it is not there, or the path is none of ours."""
    try:
        return locate(root, storage_path).stat().st_size
    except (FileNotFoundError, PathRefused):
        return None


def sync(path: Path) -> None:
    """Returns when the file's bytes are on the disk."""
    with disk_errors(), _opened(path) as file:
        os.fsync(file)


def publish(root: Path, storage_path: str, part: Path) -> None:
    """Gives a synced part its final name, durably. Repeated, it changes nothing.

    Raises FileNotFoundError if there is neither the part nor the final file.
    """
    final = locate(root, storage_path)
    try:
        part.replace(final)
    except FileNotFoundError:
        if not final.exists():
            raise
    with disk_errors(), _opened(final.parent) as folder:
        sync_folder(folder)


def save(root: Path, storage_path: str, data: bytes) -> None:
    """Writes a small file whole: aside, onto the disk, then named. Raises StorageFull."""
    part = part_path(root, storage_path, secrets.randbits(32))
    try:
        with disk_errors():
            part.write_bytes(data)
        sync(part)
        part.replace(locate(root, storage_path))
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def discard_parts(root: Path, storage_path: str) -> None:
    """Removes what attempts have left behind."""
    final = locate(root, storage_path)
    for path in final.parent.glob(f"{final.name}.*{PART_SUFFIX}"):
        path.unlink(missing_ok=True)


def remove(root: Path, storage_path: str) -> None:
    """Removes the file, if it is there. Its folder stays: another clip may be about to come."""
    locate(root, storage_path).unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """The hash of a file's bytes, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turns "no space", "over the disk quota" and "file too large" into StorageFull."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull(
                f"the disk that holds the clips is full ({error.strerror}): free space there"
            ) from error
        raise

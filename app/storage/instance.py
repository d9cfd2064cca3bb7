"""The instance id: which installation a session folder, or a place for clips, belongs to."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.errors import ConfigurationError
from app.storage.confined import member

_INSTANCE = re.compile(r"[0-9a-f]{8}")
_NAME = ".instance"
UNTOLD = ""
"""In place of the id that a database knows, where it does not answer."""
_REFUSED = frozenset({errno.ENOTDIR, errno.EEXIST})
"""What waiting does not mend. A disk that is not mounted yet looks like one that is forbidden."""
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EXDEV, errno.EMLINK})
"""What is said where no file has two names: by FAT and exFAT, SMB, FUSE, pools of disks."""


class RootAbsent(OSError):
    """A media root lacks the id that is known of it: its disk is not mounted, most likely."""


def instance_id(
    root: Path,
    *,
    setting: str = "FILE_UPLOAD_DEST",
    fresh: str | None = None,
    known: str | None = None,
) -> str:
    """The id of the installation that a root belongs to, 8 hex digits, kept in it.

    The first to ask makes it; link(), or a lock, decides between several that start at once. It is
    `fresh` then, else another than any. Every session folder bears that of the media root, so that
    installations that share an egress or a disk leave each other alone. `setting` names the root.
    `known`: the id that it has had; another one is never made then.

    Raises ConfigurationError if that is no folder, or of another installation, RootAbsent if it has
    no id and one is known, OSError if nothing can be read or written there.
    """
    if known is not None and not has_id(root):
        raise RootAbsent(
            f"{root} has no {_NAME}, and this installation is {known!r}: mount its disk; if this "
            f"folder is to take its place, write {known} into {root / _NAME}"
        )
    try:
        found = _instance_id(root, fresh or secrets.token_hex(4))
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
        raise ConfigurationError(
            f"{setting}={str(root)!r}: {error.strerror}: {error.filename}: name a "
            "folder in which this service may make files and folders"
        ) from error
    if not _INSTANCE.fullmatch(found):
        raise ConfigurationError(
            f"{root / _NAME} holds {found!r:.100}, not an instance id of 8 hex digits: "
            "restore it, or remove it if this folder is to start as a new installation's"
        )
    if known is not None and found != known:
        raise ConfigurationError(
            f"{setting}={str(root)!r} is of installation {found!r}, and the database is of "
            f"{known!r}: name the folder, or the database, that belongs to the other; if this "
            f"folder is to take the other's place, write {known} into {root / _NAME}"
        )
    return found


def id_there(root: Path, known: str | None) -> str | None:
    """As `instance_id`; None where there is no id, and `known` is UNTOLD: then none is made."""
    if known == UNTOLD and not has_id(root):
        return None
    return instance_id(root, known=known or None)


def id_at_head(name: str) -> str | None:
    """The id that a name begins with, as that of a session does; None if it begins with none."""
    head = name.partition("-")[0]
    return head if _INSTANCE.fullmatch(head) else None


def has_id(root: Path) -> bool:
    """Whether a root has an id. Raises OSError if that can't be looked at."""
    try:
        return member(root, _NAME).exists()
    except NotADirectoryError:
        return True  # what it is says `instance_id`


def require(root: Path, instance: str) -> None:
    """Returns if a root is that of an installation. Raises RootAbsent if its disk is gone."""
    try:
        found = member(root, _NAME).read_text(errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        found = ""
    if found != instance:
        raise RootAbsent(errno.ENODEV, "the media root is not there: its disk is not mounted")


def _instance_id(root: Path, fresh: str) -> str:
    root.mkdir(parents=True, exist_ok=True)
    path = root / _NAME
    if not path.exists():
        made = member(root, f"{_NAME}.{secrets.token_hex(4)}")
        try:
            made.write_text(fresh + "\n")
            _name(made, path)
        except FileExistsError:
            pass  # another process was first; its id holds
        finally:
            made.unlink(missing_ok=True)
    return path.read_text(errors="replace").strip()


def _name(made: Path, path: Path) -> None:
    """Gives a whole file its name. Raises FileExistsError if another one has it."""
    try:
        path.hardlink_to(made)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with _locked(path.parent):
            if path.exists():
                raise FileExistsError(errno.EEXIST, "it was made meanwhile", str(path)) from error
            made.rename(path)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Among those who ask for this, one at a time is in the folder, where it can be locked."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

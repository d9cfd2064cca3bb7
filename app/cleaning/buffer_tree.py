"""What lies below the roots of the buffer: sessions' folders, and what is in them. All block.

In one of the two somebody else writes: no link is followed, and of a folder only so much is looked
at.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import structlog

from app import metrics
from app.buffer.paths import BUFFER_ROOT, FRAGMENTS_ROOT, instance_of
from app.storage.foreign import ENTRIES, LIFTED, ForeignFolder, NotRegular

ROOTS = (BUFFER_ROOT, FRAGMENTS_ROOT)
_ENTRIES = {BUFFER_ROOT: ENTRIES, FRAGMENTS_ROOT: sys.maxsize}
_EMPTY_FOR_SECONDS = 60.0
REMOVAL_SECONDS = 20.0
"""For all that a pass removes of one kind; the rest goes the next time."""

log = structlog.get_logger()


class Stray(NamedTuple):
    """A file, or whatever it is, of any name in a folder."""

    folder: ForeignFolder
    name: str

    def __str__(self) -> str:
        return f"{self.folder}/{self.name}"


def session_folders(media_root: Path, instance: str) -> list[ForeignFolder]:
    """The session folders of our installation: {root}/{room}/{user}/{session}."""
    return [
        session
        for root in ROOTS
        for room in _within(ForeignFolder(media_root, (root,)))
        for user in _within(room)
        for session in _within(user)
        if instance_of(session.name) == instance
    ]


def is_lifted(folder: ForeignFolder) -> bool:
    """Whether it is left of the removal of another folder, which was interrupted."""
    return folder.name.startswith(LIFTED)


def names_in(folder: ForeignFolder) -> set[str]:
    """The names in a folder, empty if it is none. A later pass sees those that are too many."""
    try:
        return set(folder.names(_ENTRIES[folder.parts[0]]))
    except (FileNotFoundError, NotRegular):
        return set()


def older(folder: ForeignFolder, names: Iterable[str], before: float) -> list[Stray]:
    """Those that were last written before then, in seconds since 1970."""
    try:
        return [Stray(folder, name) for name in folder.older(names, before)]
    except (FileNotFoundError, NotRegular):
        return []


def remove(strays: Iterable[Stray], seconds: float = REMOVAL_SECONDS) -> int:
    """Removes files, and says of each folder which one refuses first. Returns how many are gone.

    What is not gone within `seconds` stays for the next time.
    """
    gone, told = 0, set[ForeignFolder]()
    until = time.monotonic() + seconds
    for stray in strays:
        if time.monotonic() > until:
            break
        try:
            with suppress(FileNotFoundError):
                stray.folder.remove(stray.name)
            gone += 1
        except OSError as error:
            metrics.ERRORS.labels("file_not_deletable").inc()
            if stray.folder not in told:
                told.add(stray.folder)
                why = error.strerror or str(error)
                log.warning("file_not_deletable", path=str(stray), error=why)
    return gone


def remove_empty(media_root: Path, known: frozenset[str], instance: str) -> None:
    """Removes folders that have been empty for a while: of users, rooms, unknown sessions."""
    for session in session_folders(media_root, instance):
        if session.name not in known:
            _remove_if_empty(session)
    for root in ROOTS:
        for room in _within(ForeignFolder(media_root, (root,))):
            for user in _within(room):
                remove(Stray(user, each.name) for each in _within(user) if is_lifted(each))
                _remove_if_empty(user)
            _remove_if_empty(room)


def _within(folder: ForeignFolder) -> Iterator[ForeignFolder]:
    """The folders in a folder that may be ours."""
    try:
        yield from folder.folders(_ENTRIES[folder.parts[0]])
    except (FileNotFoundError, NotRegular):
        return


def _remove_if_empty(folder: ForeignFolder) -> None:
    # Somebody may have been first, or have put something in: then it is not ours to remove.
    with suppress(OSError):
        if folder.outer.older([folder.name], time.time() - _EMPTY_FOR_SECONDS):
            folder.remove_empty()

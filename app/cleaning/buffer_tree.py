"""What lies below the roots of the buffer: sessions' folders, and what is in them. All block.

The roots are that of fragments, that in the media root where egress writes or once wrote, and that
of its place elsewhere, if it has one. In all but the first somebody else writes: no link is
followed, and only so much is looked at, of a folder and of a root.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

import structlog

from app import metrics
from app.buffer.paths import BUFFER_ROOT, FRAGMENTS_ROOT, instance_of
from app.models.metric_words import ErrorKind
from app.storage.confined import PathRefused
from app.storage.egress_store import EgressFolder, EgressStore
from app.storage.foreign import ENTRIES, ForeignFolder, NotRegular
from app.storage.foreign_removal import LIFTED
from app.work import rounds

_ENTRIES = {BUFFER_ROOT: ENTRIES, FRAGMENTS_ROOT: sys.maxsize}
_SESSION_DEPTH = 4
"""{root}/{room}/{user}/{session}"""
_EMPTY_FOR_SECONDS = 60.0
FOLDERS = 50_000
LOOK_SECONDS = 5.0
"""For the folders of rooms, users and sessions that somebody else may have made: so many, so long.
Another look begins with others."""
REMOVAL_SECONDS = 20.0
"""For all that a pass removes of one kind; the rest goes the next time."""

_MOST_TOLD = 100
"""Folders that can't be looked at, each of which is logged once by a process."""
_told: set[EgressFolder] = set()

log = structlog.get_logger()


class Stray(NamedTuple):
    """A file, or whatever it is, of any name in a folder."""

    folder: EgressFolder
    name: str

    def __str__(self) -> str:
        return f"{self.folder}/{self.name}"


def session_folders(
    egress: EgressStore, instance: str, seconds: float = LOOK_SECONDS, most: int = FOLDERS
) -> list[EgressFolder]:
    """The session folders of our installation: {root}/{room}/{user}/{session}.

    Of each root where egress writes, what is found within `seconds`, among `most` folders.
    """
    written = dict.fromkeys((_on_disk(egress), egress.folder(BUFFER_ROOT)))  # which may be one
    return [
        folder
        for folder in _folders(egress, written, seconds, most)
        if len(folder.parts) == _SESSION_DEPTH and instance_of(folder.name) == instance
    ]


def is_lifted(folder: EgressFolder) -> bool:
    """Whether it is left of the removal of another folder, which was interrupted."""
    return folder.name.startswith(LIFTED)


def names_in(folder: EgressFolder) -> set[str]:
    """The names in a folder, empty if it is none. A later pass sees those that are too many."""
    try:
        return set(folder.names(_ENTRIES[folder.parts[0]]))
    except OSError as error:
        _pass_by(folder, error)
        return set()


def is_there(folder: EgressFolder, name: str) -> bool:
    """Whether a folder has this name in it. Raises OSError if nobody knows."""
    try:
        folder.stamp(name)
    except (FileNotFoundError, NotRegular, PathRefused):
        return False
    return True


def older(folder: EgressFolder, names: Iterable[str], before: float) -> list[Stray]:
    """Those that were last written before then, in seconds since 1970."""
    try:
        return [Stray(folder, name) for name in folder.older(names, before)]
    except OSError as error:
        _pass_by(folder, error)
        return []


def remove(strays: Iterable[Stray], seconds: float = REMOVAL_SECONDS) -> int:
    """Removes files, and says of each folder which one refuses first. Returns how many are gone.

    What is not gone within `seconds` stays for the next time.
    """
    gone, told = 0, set[EgressFolder]()
    for stray in rounds.within(strays, seconds):
        try:
            with suppress(FileNotFoundError):
                stray.folder.remove(stray.name)
            gone += 1
        except OSError as error:
            metrics.ERRORS.labels(ErrorKind.FILE_NOT_DELETABLE).inc()
            if stray.folder not in told:
                told.add(stray.folder)
                why = error.strerror or str(error)
                log.warning("file_not_deletable", path=str(stray), error=why)
    return gone


def remove_empty(
    egress: EgressStore,
    known: frozenset[str],
    instance: str,
    seconds: float = LOOK_SECONDS,
    most: int = FOLDERS,
) -> None:
    """Removes folders that have been empty for a while: of users, rooms, unknown sessions.

    And what is left of removals; on disk alone, as a bucket has none of these. `seconds`, `most`:
    as for `session_folders`.
    """
    folders = [*_folders(egress, [_on_disk(egress)], seconds, most)]
    sessions = [each for each in folders if len(each.parts) == _SESSION_DEPTH]
    remove((Stray(each.outer, each.name) for each in sessions if is_lifted(each)), seconds)
    kept = {each for each in sessions if instance_of(each.name) != instance or each.name in known}
    for folder in folders:
        if folder not in kept:
            _remove_if_empty(folder)


def _on_disk(egress: EgressStore) -> EgressFolder:
    """The root in the media root where egress writes, or wrote before it had a place elsewhere."""
    return ForeignFolder(egress.media_root, (BUFFER_ROOT,))


def _folders(
    egress: EgressStore, written: Iterable[EgressFolder], seconds: float, most: int
) -> Iterator[EgressFolder]:
    """Those of rooms, users and sessions, each after those that are in it.

    `written`: the roots where egress writes, each of which has its own `seconds` and `most`.
    """
    yield from _below(ForeignFolder(egress.media_root, (FRAGMENTS_ROOT,)))
    for root in written:
        yield from rounds.within(islice(_below(root), most), seconds)


def _below(folder: EgressFolder) -> Iterator[EgressFolder]:
    inner = [*_within(folder)]
    random.shuffle(inner)  # what there is no time for is not always the same
    for each in inner:
        if len(each.parts) < _SESSION_DEPTH:
            yield from _below(each)
        yield each


def _within(folder: EgressFolder) -> Iterator[EgressFolder]:
    """The folders in a folder that may be ours."""
    try:
        yield from folder.folders(_ENTRIES[folder.parts[0]])
    except OSError as error:
        _pass_by(folder, error)


def _pass_by(folder: EgressFolder, error: OSError) -> None:
    """Counts a folder that can't be looked at, and logs it once; not one that is none, or gone."""
    if isinstance(error, FileNotFoundError | NotRegular):
        return
    metrics.ERRORS.labels(ErrorKind.FOLDER_UNREADABLE).inc()
    if len(_told) < _MOST_TOLD and folder not in _told:
        _told.add(folder)
        log.warning("folder_unreadable", path=str(folder), error=error.strerror or str(error))


def _remove_if_empty(folder: EgressFolder) -> None:
    # Somebody may have been first, or have put something in: then it is not ours to remove.
    with suppress(OSError):
        if folder.outer.older([folder.name], time.time() - _EMPTY_FOR_SECONDS):
            folder.remove_empty()

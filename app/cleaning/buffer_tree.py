"""What lies below the root of the buffer: sessions' folders, and the files in them. All block."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import structlog

from app import metrics
from app.buffer.paths import instance_of

_EMPTY_FOR_SECONDS = 60.0

log = structlog.get_logger()


def session_folders(root: Path, instance: str) -> list[Path]:
    """The session folders of our installation: {root}/{room}/{user}/{session}."""
    return [
        session
        for room in _folders(root)
        for user in _folders(room)
        for session in _folders(user)
        if instance_of(session.name) == instance
    ]


def _folders(path: Path) -> Iterator[Path]:
    try:
        with os.scandir(path) as entries:
            yield from [Path(each) for each in entries if each.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return


def entries(folder: Path) -> dict[str, Path]:
    """What is in a folder, by name. A name that a directory tells leads nowhere else."""
    try:
        with os.scandir(folder) as listed:
            return {entry.name: Path(entry) for entry in listed}
    except FileNotFoundError:
        return {}


def older(paths: Iterable[Path], before: float) -> list[Path]:
    """Those that were last written before then, in seconds since 1970."""
    old: list[Path] = []
    for path in paths:
        try:
            if path.lstat().st_mtime < before:
                old.append(path)
        except FileNotFoundError:
            continue
    return old


def unlink(paths: Iterable[Path]) -> int:
    """Unlinks files, and says which of them refuse. Returns how many are gone."""
    gone = 0
    for path in paths:
        try:
            path.unlink(missing_ok=True)
            gone += 1
        except OSError as error:
            metrics.ERRORS.labels("file_not_deletable").inc()
            log.warning("file_not_deletable", path=str(path), error=error.strerror)
    return gone


def remove_empty(root: Path, known: frozenset[str], instance: str) -> None:
    """Removes folders that have been empty for a while: of users, rooms, unknown sessions."""
    for room in _folders(root):
        for user in _folders(room):
            for session in _folders(user):
                if instance_of(session.name) == instance and session.name not in known:
                    _remove_if_empty(session)
            _remove_if_empty(user)
        _remove_if_empty(room)


def _remove_if_empty(folder: Path) -> None:
    # Somebody may have been first, or have put something in: then it is not ours to remove.
    with suppress(OSError):
        if time.time() - folder.stat().st_mtime > _EMPTY_FOR_SECONDS and not entries(folder):
            folder.rmdir()

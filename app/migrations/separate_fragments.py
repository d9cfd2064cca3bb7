"""Fragments, init segments and tiles leave the folders of egress for a tree of our own."""

from __future__ import annotations

import asyncio
import errno
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from pymongo.asynchronous.database import AsyncDatabase

from app.errors import ConfigurationError
from app.storage.confined import PathRefused, inside
from app.storage.foreign import ForeignFolder, NotRegular

_SHARED, _OURS = "replay-buffer", "fragments"
_MADE_BY_US = re.compile(r"\d{8,}\.(m4s|jpg)|init-[0-9a-f]+\.mp4")

log = structlog.get_logger()


async def migrate(database: AsyncDatabase[dict[str, Any]], media_root: Path) -> None:
    """Renames them, from `replay-buffer/…` to `fragments/…` with the same folders behind it.

    What egress has written, or writes at this moment, stays where it is. Raises ConfigurationError
    if the two are on different file systems.
    """
    for session in await database["sessions"].find({}, {"folder": 1}).to_list(None):
        try:
            await asyncio.to_thread(_move, media_root, session.get("folder"))
        except PathRefused as error:
            log.warning("folder_refused", session=session["_id"], error=str(error))


def _move(media_root: Path, folder: object) -> None:
    shared, _, rest = folder.partition("/") if isinstance(folder, str) else ("", "", "")
    if shared != _SHARED:
        raise PathRefused(f"{folder!r:.200} is no folder of {_SHARED}")
    parts = tuple(rest.split("/"))
    old = ForeignFolder(media_root, (_SHARED, *parts))
    new = ForeignFolder(media_root, (_OURS, *parts))
    try:
        names = [name for name in old.names(sys.maxsize) if _MADE_BY_US.fullmatch(name)]
    except (FileNotFoundError, NotRegular):
        return  # it was never made, or is gone
    if not names:
        return
    (media_root / _OURS).mkdir(mode=0o700, exist_ok=True)
    inside(media_root, f"{_OURS}/{rest}").mkdir(parents=True, exist_ok=True)
    try:
        for name in names:
            with suppress(FileNotFoundError):  # another process moves them, too
                old.hand_over(name, new)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        raise ConfigurationError(
            f"{old} can't be moved to {new}: {_SHARED} and {_OURS} must be on one file system, as "
            f"two folders of one mount. If the media of the last minutes may go, remove {_SHARED}"
        ) from error
    # The version is written down next: what it tells must be on the disk.
    new.sync()
    old.sync()

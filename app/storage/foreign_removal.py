"""A folder of somebody else's, removed with all that is in it: however deep it is, in several goes.

All calls block.
"""

from __future__ import annotations

import errno
import os
import secrets
from itertools import islice

LIFTED = ".removed-"
"""Begins the names of folders that are being removed, beside the one that they were in."""
REMOVED_AT_ONCE = 20_000
"""How many entries of a folder go in one go: 4 s, if they are folders. Whoever writes in it may add
as fast as they go."""
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""How such a folder is opened."""


class FolderTooLarge(OSError):
    """A folder has more entries than are removed in one go: the rest goes the next time."""


def remove_folder(outer: int, name: str, most: int) -> None:
    """Removes a folder with all that is in it, however deep it is.

    shutil.rmtree calls itself, and holds a descriptor, for each folder on the way down. Here each
    that is not empty is lifted out of the one that it is in. A name that one has then is nobody's
    else. A folder of somebody else's, with something in it, may refuse that: then all else goes.

    Raises FolderTooLarge, PermissionError.
    """
    waiting, left = [name], most
    refused: PermissionError | None = None
    while waiting:
        emptied = waiting.pop()
        is_refused: PermissionError | None = None
        folder = os.open(emptied, FOLDER, dir_fd=outer)
        try:
            with os.scandir(folder) as listed:
                entries = list(islice(listed, left + 1))
            for entry in entries[:left]:
                try:
                    lifted = _removed_or_lifted(entry, folder, outer)
                except PermissionError as error:
                    refused = is_refused = error
                else:
                    waiting += lifted
        finally:
            os.close(folder)
        if len(entries) > left:
            raise FolderTooLarge(f"{name!r:.100} has more than {most} entries")
        left -= len(entries)
        if is_refused is None:
            os.rmdir(emptied, dir_fd=outer)
    if refused is not None:
        raise refused


def _removed_or_lifted(entry: os.DirEntry[str], folder: int, outer: int) -> list[str]:
    """Removes an entry of a folder, or moves it into another one: its name there."""
    if not entry.is_dir(follow_symlinks=False):
        os.unlink(entry.name, dir_fd=folder)
        return []
    try:
        os.rmdir(entry.name, dir_fd=folder)
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:
            raise
        lifted = f"{LIFTED}{secrets.token_hex(8)}"
        os.rename(entry.name, lifted, src_dir_fd=folder, dst_dir_fd=outer)
        return [lifted]
    return []

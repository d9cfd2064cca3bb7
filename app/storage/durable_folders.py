"""Folders whose names are to be on the disk."""

from __future__ import annotations

import errno
import os

_SYNCS_NONE = frozenset({errno.EINVAL, errno.ENOTSUP, errno.ENOSYS})


def sync_folder(descriptor: int) -> None:
    """Returns when what an open folder names is on the disk. Raises OSError.

    Some file systems, as SMB, sync no folder, and say so: there nothing more can be done.
    """
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _SYNCS_NONE:
            raise

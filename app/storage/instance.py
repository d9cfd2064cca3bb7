"""The instance id: which installation a session folder belongs to."""

from __future__ import annotations

import errno
import re
import secrets
from pathlib import Path

from app.errors import ConfigurationError
from app.storage.confined import member

_INSTANCE = re.compile(r"[0-9a-f]{8}")
_NAME = ".instance"
_REFUSED = frozenset({errno.ENOTDIR, errno.EEXIST})
"""What waiting does not mend. A disk that is not mounted yet looks like one that is forbidden."""


def instance_id(media_root: Path) -> str:
    """The id of this installation, 8 hex digits, kept in the media root.

    Made by whoever asks first; link() decides between several that start at once. Every session
    folder bears it, so that installations that share an egress or a disk leave each other alone.

    Raises ConfigurationError if that is no folder, OSError if nothing can be read or written there.
    """
    try:
        found = _instance_id(media_root)
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
        raise ConfigurationError(
            f"FILE_UPLOAD_DEST={str(media_root)!r}: {error.strerror}: {error.filename}: name a "
            "folder in which this service may make files and folders"
        ) from error
    if not _INSTANCE.fullmatch(found):
        raise ConfigurationError(
            f"{media_root / _NAME} holds {found!r:.100}, not an instance id of 8 hex digits: "
            "restore it, or remove it if this media root is to start as a new installation"
        )
    return found


def _instance_id(media_root: Path) -> str:
    media_root.mkdir(parents=True, exist_ok=True)
    path = media_root / _NAME
    if not path.exists():
        fresh = member(media_root, f"{_NAME}.{secrets.token_hex(4)}")
        try:
            fresh.write_text(secrets.token_hex(4) + "\n")
            path.hardlink_to(fresh)
        except FileExistsError:
            pass  # another process was first; its id holds
        finally:
            fresh.unlink(missing_ok=True)
    return path.read_text(errors="replace").strip()

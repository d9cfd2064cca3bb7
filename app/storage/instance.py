"""The instance id: which installation a session folder belongs to."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from app.errors import ConfigurationError
from app.storage.confined import member

_INSTANCE = re.compile(r"[0-9a-f]{8}")


def instance_id(media_root: Path) -> str:
    """The id of this installation, 8 hex digits, kept in the media root.

    Made by whoever asks first; link() decides between several that start at once. Every session
    folder bears it, so that installations that share an egress or a disk leave each other alone.
    """
    media_root.mkdir(parents=True, exist_ok=True)
    path = media_root / ".instance"
    if not path.exists():
        fresh = member(media_root, f".instance.{secrets.token_hex(4)}")
        fresh.write_text(secrets.token_hex(4) + "\n")
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            pass  # another process was first; its id holds
        finally:
            fresh.unlink()
    found = path.read_text().strip()
    if not _INSTANCE.fullmatch(found):
        raise ConfigurationError(
            f"{path} holds {found!r}, not an instance id of 8 hex digits: restore it, or remove it "
            "if this media root is to start as a new installation"
        )
    return found

"""Where the files of a session lie. Its row says so, and is believed only as far as it can be."""

from __future__ import annotations

from pathlib import Path

from app.buffer.paths import BUFFER_ROOT
from app.models import SessionRow
from app.storage.confined import PathRefused, checked, inside
from app.storage.foreign import ForeignFolder

_DEPTH = 4
"""replay-buffer, room, user, session."""


def session_path(media_root: Path, session: SessionRow) -> Path:
    """The folder of a session, absolute. The row has at least `_id` and `folder`.

    Raises PathRefused if the row names anything else than a session's folder of this id.
    """
    return inside(media_root, "/".join(_parts(session)))


def egress_folder(media_root: Path, session: SessionRow) -> ForeignFolder:
    """The folder that egress writes a session's segments and playlists into.

    The row has at least `_id` and `folder`. Raises PathRefused as `session_path` does.
    """
    return ForeignFolder(media_root, _parts(session))


def _parts(session: SessionRow) -> tuple[str, ...]:
    folder = session["folder"]
    parts = tuple(folder.split("/")) if isinstance(folder, str) else ()
    if len(parts) != _DEPTH or parts[0] != BUFFER_ROOT or parts[-1] != session["_id"]:
        raise PathRefused(
            f"{folder!r:.200} is not the folder of session {session['_id']}: it would be "
            f"{BUFFER_ROOT}/room/user/{session['_id']}"
        )
    return tuple(map(checked, parts))

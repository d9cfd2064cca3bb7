"""Where the files of a session lie. Its row says so, and is believed only as far as it can be."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.buffer.paths import BUFFER_ROOT, FRAGMENTS_ROOT, SESSION_DEPTH
from app.models import SessionRow
from app.storage.confined import PathRefused, checked, inside
from app.storage.egress_store import EgressFolder, EgressStore
from app.storage.foreign import ForeignFolder

SEGMENT_SUFFIX = ".ts"
QUARANTINED_SUFFIX = ".bad"
"""Follows the other one: of a segment that can't be used."""

WRITTEN_MODE = 0o2770
"""The mode of a folder that egress writes in: both may write and unlink there, new files take the
folder's group, and other users of the machine see nothing of it."""

OUTER_MODE = 0o2750
"""Of the folders around it: egress passes through, and neither takes nor renames what others have
there."""


@dataclass(frozen=True, slots=True)
class SessionFolders:
    """`written`: what egress has written. `fragments`: what was made of it; nobody else is there,
    but it is reached with the same care. `left`: of an egress that writes elsewhere, what it wrote
    in the media root before."""

    written: EgressFolder
    fragments: ForeignFolder
    left: ForeignFolder | None = None

    @property
    def of_egress(self) -> tuple[EgressFolder, ...]:
        """Those in which egress writes, or once wrote."""
        return (self.written,) if self.left is None else (self.left, self.written)

    def remove(self, name: str) -> None:
        """Removes the file of a segment. Raises OSError, of egress's IsADirectoryError, too."""
        if is_of_egress(name):
            if self.left is not None:
                with suppress(FileNotFoundError):
                    self.left.unlink(name)
            self.written.unlink(name)
        else:
            self.fragments.unlink(name)


def close_outer(egress: EgressStore) -> None:
    """Lets egress into the folder of all rooms, and no more, whoever made it, and how. Blocks.

    Where it could write it would make a room's folder before us. Raises OSError.
    """
    egress.folder(BUFFER_ROOT).make(OUTER_MODE, OUTER_MODE)


def is_of_egress(name: str) -> bool:
    """Whether a segment's file is the one that egress wrote, and no fragment."""
    return checked(name).removesuffix(QUARANTINED_SUFFIX).endswith(SEGMENT_SUFFIX)


def folders_of(egress: EgressStore, session: SessionRow) -> SessionFolders:
    """The folders of a session, where egress writes and in the media root.

    The row has at least `_id` and `folder`.

    Raises PathRefused if the row names anything else than a session's folder of this id.
    """
    written = _parts(session)
    return SessionFolders(
        egress.folder(*written),
        ForeignFolder(egress.media_root, (FRAGMENTS_ROOT, *written[1:])),
        None if egress.is_file_system else ForeignFolder(egress.media_root, written),
    )


def fragment_path(media_root: Path, session: SessionRow) -> Path:
    """The folder of a session's fragments, absolute. Raises PathRefused as `folders_of` does."""
    return inside(media_root, "/".join((FRAGMENTS_ROOT, *_parts(session)[1:])))


def _parts(session: SessionRow) -> tuple[str, ...]:
    folder = session["folder"]
    parts = tuple(folder.split("/")) if isinstance(folder, str) else ()
    if len(parts) != SESSION_DEPTH or parts[0] != BUFFER_ROOT or parts[-1] != session["_id"]:
        raise PathRefused(
            f"{folder!r:.200} is not the folder of session {session['_id']}: it would be "
            f"{BUFFER_ROOT}/room/user/{session['_id']}"
        )
    return tuple(map(checked, parts))

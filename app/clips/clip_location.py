"""Where the file of a clip lies, known before there is one."""

from __future__ import annotations

from app.buffer import paths
from app.models import CaptureRow
from app.storage.clip_store import ClipStore


def storage_path(clips: ClipStore, capture: CaptureRow) -> str:
    """Where the clip of a capture lies in its store; the same for every process.

    Where URLs show it, it has no name in it.
    """
    if clips.origin is None:
        return parts_path(capture)
    return str(paths.nameless_clip_path(capture["clip_id"]))


def parts_path(capture: CaptureRow) -> str:
    """Beside what, on this machine, attempts write: the clip itself if it is kept here."""
    return str(paths.clip_path(capture["caller"], capture["accepted_at"], capture["clip_id"]))


def clean_path(storage_path: str) -> str:
    """Where the copy of a clip lies that hides nothing: beside the clip."""
    return f"{storage_path.removesuffix('.mp4')}.clean.mp4"


def rendition_path(storage_path: str, rendition_id: str, suffix: str) -> str:
    """Where a rendition of a clip lies: beside the clip. `suffix`: such as `.gif`."""
    return f"{storage_path.removesuffix('.mp4')}.{rendition_id}{suffix}"

"""Where the file of a clip lies, known before there is one."""

from __future__ import annotations

from app.buffer import paths
from app.models import CaptureRow


def storage_path(capture: CaptureRow) -> str:
    """Where the clip of a capture lies, below the media root; the same for whoever asks."""
    return str(paths.clip_path(capture["caller"], capture["accepted_at"], capture["clip_id"]))


def clean_path(storage_path: str) -> str:
    """Where the copy of a clip lies that hides nothing: beside the clip."""
    return f"{storage_path.removesuffix('.mp4')}.clean.mp4"

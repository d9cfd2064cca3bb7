"""The media root as the place where egress writes: it sees it, too, by whatever path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.storage.foreign import ForeignFolder


@dataclass(frozen=True, slots=True)
class SharedFolder:
    """An EgressStore that is the media root."""

    media_root: Path

    @property
    def is_file_system(self) -> bool:
        return True

    def folder(self, *parts: str) -> ForeignFolder:
        return ForeignFolder(self.media_root, parts)

"""What the formats of renditions are: their files, how large their pictures may be. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from app.models import ClipRow, RenditionFormat, RenditionRow

MOST_BESIDE = 3
"""Clips that a side by side shows besides the first."""


@dataclass(frozen=True)
class RenditionKind:
    """A format: its file, the box that its pictures fit in, about how many bytes a second has."""

    suffix: str
    media_type: str
    file_type: str
    width: int
    height: int
    bytes_per_second: int

    @property
    def is_film(self) -> bool:
        """Whether it is as long as what it is made of, and has its sound."""
        return self.file_type == "VIDEO"


KINDS = {
    RenditionFormat.GIF: RenditionKind(".gif", "image/gif", "IMAGE", 480, 480, 500_000),
    RenditionFormat.WEBP: RenditionKind(".webp", "image/webp", "IMAGE", 480, 480, 150_000),
    RenditionFormat.MP4_720P: RenditionKind(".mp4", "video/mp4", "VIDEO", 1280, 720, 300_000),
    RenditionFormat.SIDE_BY_SIDE: RenditionKind(".mp4", "video/mp4", "VIDEO", 1920, 1080, 600_000),
}


def size_of(row: RenditionRow, clip: ClipRow) -> tuple[int, int]:
    """Width and height, even: those of the clip, or smaller ones that fit."""
    kind = KINDS[row["format"]]
    return fitted(clip, kind.width, kind.height)


def fitted(clip: ClipRow, most_width: int, most_height: int) -> tuple[int, int]:
    """Width and height, even, of a clip's pictures in a box: as they are, or smaller."""
    width, height = max(2, clip["width"]), max(2, clip["height"])
    scale = min(1.0, most_width / width, most_height / height)
    return max(2, int(width * scale) // 2 * 2), max(2, int(height * scale) // 2 * 2)


def estimated_bytes(row: RenditionRow, clip: ClipRow, clip_bytes: int) -> int:
    """About how large it will be; an MP4 no larger than the part of the clip."""
    seconds = row["end_seconds"] - row["start_seconds"]
    estimate = ceil(KINDS[row["format"]].bytes_per_second * seconds)
    if row["format"] != RenditionFormat.MP4_720P or clip["duration_seconds"] <= 0:
        return estimate
    return min(estimate, ceil(clip_bytes * min(1.0, seconds / clip["duration_seconds"])))

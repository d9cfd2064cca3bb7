"""What a clip is made into besides: the closed list of formats."""

from __future__ import annotations

from enum import StrEnum


class RenditionFormat(StrEnum):
    """A format that a clip can be had in, too."""

    GIF = "gif"
    WEBP = "webp"
    MP4_720P = "mp4-720p"
    SIDE_BY_SIDE = "mp4-side-by-side"

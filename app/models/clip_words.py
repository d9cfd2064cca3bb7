"""In which orders clips are listed, as `app.models.words` has other closed lists."""

from __future__ import annotations

from enum import StrEnum


class ClipOrder(StrEnum):
    """Which clips of a list come first."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LARGEST = "largest"

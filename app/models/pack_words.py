"""How far a pack of fragments is."""

from __future__ import annotations

from enum import StrEnum


class PackState(StrEnum):
    """How far a pack is. What is not told here is in no bucket."""

    WRITING = "writing"
    """It is about to be there."""
    WRITTEN = "written"
    """It is there whole, and clips are put together of it."""
    CONDEMNED = "condemned"
    """It goes, or is about to come and goes then: something in it was deleted."""

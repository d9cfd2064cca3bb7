"""What `Buffer.told` says."""

from __future__ import annotations

from enum import StrEnum


class ShareNews(StrEnum):
    """What events have said last of a share; nothing yet is the empty text."""

    STARTED = "started"
    """It is being recorded."""
    ENDED = "ended"
    """It is over."""
    REFUSED = "refused"
    """It is not recorded: a colon and the reason follow, a word of `Why`."""

"""Why a capture could not be made, as errors; others are beside what raises them.

The closed list of their slugs is FailureReason. The console has words for each.
"""

from __future__ import annotations

from typing import ClassVar

from app.errors import CaptureFailed
from app.models import FailureReason


class NothingRecorded(CaptureFailed):
    """No picture in the window when its time was over."""

    slug: ClassVar[str] = FailureReason.NOTHING_RECORDED


class SizesDiffer(CaptureFailed):
    """The picture's size or coding changed within the window."""

    slug: ClassVar[str] = FailureReason.SIZES_DIFFER


class NotAsPlanned(CaptureFailed):
    """The file that was written is not what it was meant to be."""

    slug: ClassVar[str] = FailureReason.VERIFICATION_FAILED


class MediaDeleted(CaptureFailed):
    """A part of it, or the clip that it is trimmed from, was deleted while it was being made."""

    slug: ClassVar[str] = FailureReason.MEDIA_DELETED


class GaveUp(CaptureFailed):
    """Several workers began it and none came to an end."""

    slug: ClassVar[str] = FailureReason.GAVE_UP

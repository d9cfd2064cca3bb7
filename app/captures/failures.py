"""Why a capture could not be made: the closed list of slugs that its `reason` may hold.

Besides these: the slugs of `app.captures.ffmpeg_process`, `segment-changed` of
`app.viewing.fragment_sources`, and `storage-full`. The console has words for each.
"""

from __future__ import annotations

from typing import ClassVar

from app.errors import CaptureFailed


class NothingRecorded(CaptureFailed):
    """No picture in the window when its time was over."""

    slug: ClassVar[str] = "nothing-recorded"


class SizesDiffer(CaptureFailed):
    """The picture's size or coding changed within the window."""

    slug: ClassVar[str] = "sizes-differ"


class NotAsPlanned(CaptureFailed):
    """The file that was written is not what it was meant to be."""

    slug: ClassVar[str] = "verification-failed"


class GaveUp(CaptureFailed):
    """Several workers began it and none came to an end."""

    slug: ClassVar[str] = "gave-up"

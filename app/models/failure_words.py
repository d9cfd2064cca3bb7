"""Why a capture has failed: the closed list of words that its `reason` may hold."""

from __future__ import annotations

from enum import StrEnum


class FailureReason(StrEnum):
    """Why a capture has failed. Each is the slug of an error, which says it in words."""

    FFMPEG_FAILED = "ffmpeg-failed"
    FFMPEG_MISSING = "ffmpeg-missing"
    FFMPEG_STALLED = "ffmpeg-stalled"
    GAVE_UP = "gave-up"
    MEDIA_DELETED = "media-deleted"
    NOTHING_RECORDED = "nothing-recorded"
    SEGMENT_CHANGED = "segment-changed"
    SIZES_DIFFER = "sizes-differ"
    STORAGE_FULL = "storage-full"
    VERIFICATION_FAILED = "verification-failed"

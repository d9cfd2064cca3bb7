"""Closed lists of words that are labels of metrics, and nothing else."""

from __future__ import annotations

from enum import StrEnum

from app.models.words import FaultSlug


class WebhookResult(StrEnum):
    """What became of one of LiveKit's events."""

    IGNORED = "ignored"
    STORED = "stored"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    FAILED = "failed"


class StartOutcome(StrEnum):
    """What came of asking for an egress."""

    OK = "ok"
    NO_WORKER = "no_worker"
    REFUSED = "refused"
    UNCLEAR = "unclear"
    GONE = "gone"
    NO_FOLDER = "no_folder"


class ConnectionRefusal(StrEnum):
    """What a connection took too much of."""

    CONNECTIONS = "connections"
    HEAD = "head"
    BODY = "body"
    SYNTAX = "syntax"
    AHEAD = "ahead"
    STALLED = "stalled"


class StoreName(StrEnum):
    """A store of rows or of the queue."""

    MONGO = "mongo"
    REDIS = "redis"


class StoreTrouble(StrEnum):
    """What is wrong with a store."""

    AWAY = "away"
    SLOW = "slow"
    STARTING = "starting"
    CHANGING = "changing"
    READ_ONLY = "read_only"
    FULL = "full"
    UNSAVED = "unsaved"
    FORBIDDEN = "forbidden"
    FAILING = "failing"


class ErrorKind(StrEnum):
    """What went wrong."""

    CLEAN_COPY_FAILED = "clean_copy_failed"
    CLEANUP_ASKS = "cleanup_asks"
    CLIP_FILE_WRONG = "clip_file_wrong"
    CLIP_STORE_AWAY = "clip_store_away"
    CLIP_STORE_REFUSES = "clip_store_refuses"
    COMMUNITY_UNKNOWN = "community_unknown"
    CONNECTIONS_TOO_MANY = "connections_too_many"
    DRAWING_FAILED = "drawing_failed"
    EGRESS_FAILED = "egress_failed"
    EVENT_DEAD = "event_dead"
    EVENT_TARGET_SLOW = "event_target_slow"
    FILE_NOT_DELETABLE = "file_not_deletable"
    FOLDER_PUT_ASIDE = "folder_put_aside"
    FOLDER_UNREADABLE = "folder_unreadable"
    INDEXING_FAILED = "indexing_failed"
    JOB_FAILED = "job_failed"
    JOB_INTERRUPTED = "job_interrupted"
    MEDIA_PROCESS_ENDED = "media_process_ended"
    PATH_REFUSED = "path_refused"
    QUOTA_DRIFT = "quota_drift"
    REFUSALS_TOO_MANY = "refusals_too_many"
    SEGMENT_UNWRITABLE = "segment_unwritable"
    SIZE_NOT_WHOLE = "size_not_whole"
    SOURCE_SUSPECTED = "source_suspected"
    TRACKS_TOO_MANY = "tracks_too_many"
    WINDOWS_SHRUNK = "windows_shrunk"
    # of segments that can't be used, by their fault
    SEGMENT_CODEC = "segment_codec"
    SEGMENT_CORRUPT = "segment_corrupt"
    SEGMENT_EMPTY = "segment_empty"
    SEGMENT_MISSING = "segment_missing"
    SEGMENT_NO_KEYFRAME = "segment_no_keyframe"
    SEGMENT_NO_VIDEO = "segment_no_video"
    SEGMENT_NOT_A_FILE = "segment_not_a_file"
    SEGMENT_TIMESTAMPS = "segment_timestamps"
    SEGMENT_TOO_LARGE = "segment_too_large"
    SEGMENT_TRUNCATED = "segment_truncated"
    SEGMENT_UNREADABLE = "segment_unreadable"
    # of captures that were not accepted, or could not be made, by their error's slug
    FFMPEG_FAILED = "ffmpeg_failed"
    FFMPEG_MISSING = "ffmpeg_missing"
    FFMPEG_STALLED = "ffmpeg_stalled"
    GAVE_UP = "gave_up"
    MEDIA_DELETED = "media_deleted"
    NOT_PERMITTED = "not_permitted"
    NOTHING_RECORDED = "nothing_recorded"
    QUOTA_EXCEEDED = "quota_exceeded"
    SEGMENT_CHANGED = "segment_changed"
    SIZES_DIFFER = "sizes_differ"
    STORAGE_FULL = "storage_full"
    TOO_MANY_CAPTURES = "too_many_captures"
    UNAVAILABLE = "unavailable"
    VERIFICATION_FAILED = "verification_failed"
    CAPTURE_ERROR = "capture_error"
    """Another one."""

    @classmethod
    def of_fault(cls, fault: FaultSlug) -> ErrorKind:
        """That of a segment with this fault."""
        return cls(f"segment_{fault.replace('-', '_')}")

    @classmethod
    def of_capture(cls, slug: str) -> ErrorKind:
        """That of a capture that an error with this slug has ended."""
        word = slug.replace("-", "_")
        return next((each for each in cls if each == word), cls.CAPTURE_ERROR)

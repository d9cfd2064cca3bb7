"""The words of the service's closed lists: `python -m tests.client_types` writes this."""

from __future__ import annotations

from typing import Literal

AccessModeChoice = Literal["open", "rbac"]
ActionChoice = Literal["enable_replay_buffer", "capture_replay", "manage_community_replay_config"]
BufferStateChoice = Literal[
    "waiting", "starting", "recording", "lagging", "stalled", "ended", "refused"
]
CapturePolicyChoice = Literal["self", "room", "role"]
CaptureStageChoice = Literal[
    "", "waiting for media", "copying", "encoding", "finishing", "waiting for storage"
]
ClipNoteChoice = Literal[
    "start-clamped",
    "end-clamped",
    "share-ended",
    "clock-approximate",
    "while-present",
    "permission-ended",
]
ClipOrderChoice = Literal["newest", "oldest", "largest"]
ClockKindChoice = Literal["exact", "approximate"]
CutChoice = Literal["precise", "segment", "exact"]
EncodingWhyChoice = Literal["egress-behind", "egress-overloaded", "stepped-before"]
FailureReasonChoice = Literal[
    "ffmpeg-failed",
    "ffmpeg-missing",
    "ffmpeg-stalled",
    "gave-up",
    "media-deleted",
    "nothing-recorded",
    "segment-changed",
    "sizes-differ",
    "storage-full",
    "verification-failed",
]
GapWhyChoice = Literal["no-picture", "lost", "not-recorded", "not-present"]
GapsChoice = Literal["skip", "keep"]
LinkFactChoice = Literal["who", "when", "chapters"]
RoleChoice = Literal["member", "moderator", "admin"]
TailChoice = Literal["include", "skip"]
VisibilityChoice = Literal["private", "room", "link"]
WhyChoice = Literal[
    "opted-out",
    "stopped-by-sharer",
    "stopped-by-admin",
    "encrypted",
    "codec",
    "no-worker",
    "user-limit",
    "limit",
    "too-often",
    "quota",
    "disk",
    "not-permitted",
    "community-off",
    "egress-failed",
    "starting",
]

"""The rows: what is known (facts), what is recorded, what is kept, who may.

Rows are created with ODMantic; every change of state is one atomic update on the collection, never
a whole-document save, which would undo what another process wrote in between. All datetimes are
aware, UTC, and cut to milliseconds by MongoDB. Ids are named by their owner: `*_sid` and
`egress_id` are LiveKit's, everything else is ours.
"""

from __future__ import annotations

from odmantic import Model

from app.models.access_rows import AuditEntry, Community, Member, UserReplayQuota
from app.models.buffer_rows import Buffer, EgressSession, Marker, MediaRange, Pin, Segment
from app.models.clip_rows import Capture, CaptureStatus, File, ReplayClip
from app.models.event_rows import OutgoingEvent
from app.models.fact_rows import Participant, Room, Track

MODELS: tuple[type[Model], ...] = (
    Room,
    Participant,
    Track,
    Buffer,
    EgressSession,
    Segment,
    Pin,
    Marker,
    Capture,
    ReplayClip,
    File,
    Community,
    Member,
    UserReplayQuota,
    OutgoingEvent,
    AuditEntry,
)

__all__ = [
    "MODELS",
    "AuditEntry",
    "Buffer",
    "Capture",
    "CaptureStatus",
    "Community",
    "EgressSession",
    "File",
    "Marker",
    "MediaRange",
    "Member",
    "OutgoingEvent",
    "Participant",
    "Pin",
    "ReplayClip",
    "Room",
    "Segment",
    "Track",
    "UserReplayQuota",
]

"""The models: what makes rows, the collections that they are in, and the indexes of these."""

from __future__ import annotations

from odmantic import Model

from app.models.access_schema import (
    AssignedRoom,
    AuditEntry,
    Community,
    Deed,
    Member,
    NotedRules,
    Rights,
    UserReplayQuota,
)
from app.models.buffer_schema import (
    Buffer,
    EgressSession,
    EncodingStep,
    Marker,
    Pin,
    Segment,
    Summary,
)
from app.models.clip_schema import Capture, ClipOwner, File, Rendition, ReplayClip
from app.models.condition_schema import Sample
from app.models.event_schema import EventNumber, OutgoingEvent
from app.models.fact_schema import Participant, Room, Track
from app.models.pack_schema import Pack

MODELS: tuple[type[Model], ...] = (
    Room,
    Participant,
    Track,
    Buffer,
    EgressSession,
    EncodingStep,
    Segment,
    Summary,
    Pack,
    Pin,
    Marker,
    Capture,
    ReplayClip,
    ClipOwner,
    File,
    Rendition,
    Community,
    NotedRules,
    AssignedRoom,
    Member,
    UserReplayQuota,
    Rights,
    Deed,
    OutgoingEvent,
    EventNumber,
    AuditEntry,
    Sample,
)

__all__ = [
    "MODELS",
    "AssignedRoom",
    "AuditEntry",
    "Buffer",
    "Capture",
    "ClipOwner",
    "Community",
    "Deed",
    "EgressSession",
    "EncodingStep",
    "EventNumber",
    "File",
    "Marker",
    "Member",
    "NotedRules",
    "OutgoingEvent",
    "Pack",
    "Participant",
    "Pin",
    "Rendition",
    "ReplayClip",
    "Rights",
    "Room",
    "Sample",
    "Segment",
    "Summary",
    "Track",
    "UserReplayQuota",
]

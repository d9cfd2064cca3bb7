"""What entries of the audit tell of."""

from __future__ import annotations

from enum import StrEnum


class AuditAction(StrEnum):
    """What an entry of the audit tells of."""

    BUFFER_FORGOTTEN = "buffer_forgotten"
    CAPTURED = "captured"
    CAPTURE_CANCELLED = "capture_cancelled"
    CLIP_CHANGED = "clip_changed"
    CLIP_CONVERTED = "clip_converted"
    CLIP_DELETED = "clip_deleted"
    CLIP_EXPIRED = "clip_expired"
    CLIP_RESTORED = "clip_restored"
    CLIP_SHARED = "clip_shared"
    COMMUNITY_CONFIGURED = "community_configured"
    DELETION_REQUESTED = "deletion_requested"
    EVENT_SENT_AGAIN = "event_sent_again"
    EVENTS_TRIED = "events_tried"
    MARKER_DELETED = "marker_deleted"
    MEMBER_REMOVED = "member_removed"
    MEMBER_SET = "member_set"
    OPTED_OUT = "opted_out"
    QUOTA_REPAIRED = "quota_repaired"
    QUOTA_SET = "quota_set"
    RECORDING_RESUMED = "recording_resumed"
    RECORDING_STOPPED = "recording_stopped"
    RENDITION_DELETED = "rendition_deleted"
    ROOM_ASSIGNED = "room_assigned"
    ROOM_RELEASED = "room_released"
    SESSIONS_ENDED = "sessions_ended"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere"

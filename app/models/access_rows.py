"""Rows of who may do what, and how much."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired, TypedDict

from app.models.audit_words import AuditAction
from app.models.words import AccessMode, CapturePolicy, Role, SharerRights


class CommunityRow(TypedDict):
    """A row of `Community`. A rule that was never set is missing, and means None."""

    _id: str
    title: NotRequired[str | None]
    enabled: bool
    max_concurrent: NotRequired[int | None]
    max_concurrent_per_user: NotRequired[int | None]
    access: NotRequired[AccessMode | None]
    capture_policy: NotRequired[CapturePolicy | None]
    sharer_rights: NotRequired[SharerRights | None]
    retention_minutes: NotRequired[float | None]
    slots: list[str]
    sharers: dict[str, list[str]]


class NotedRulesRow(TypedDict):
    """A row of `NotedRules`."""

    _id: str
    access: AccessMode
    capture_policy: CapturePolicy


class AssignedRoomRow(TypedDict):
    """A row of `AssignedRoom`."""

    _id: str
    community: str


class MemberRow(TypedDict):
    """A row of `Member`."""

    _id: str
    community: str
    identity: str
    role: Role
    grants: list[str]
    leaves: str | None


class QuotaEntries(TypedDict):
    """What the clips of a user take, and its sums."""

    charges: dict[str, int]
    reservations: dict[str, int]
    turns: dict[str, int]
    used_bytes: int
    held_bytes: int


class QuotaRow(QuotaEntries):
    """A row of `UserReplayQuota`."""

    _id: str
    quota_bytes: int | None


class RightsRow(TypedDict):
    """A row of `Rights`."""

    _id: str
    watching: int
    sharing: int
    sessions: int
    holders: list[str]
    ended_at: datetime | None


class AuditRow(TypedDict):
    """A row of `AuditEntry`."""

    _id: str
    at: datetime
    identity: str
    action: AuditAction
    subject: str
    room: str
    data: dict[str, Any]


class DeedRow(AuditRow):
    """A row of `Deed`."""

    due_at: datetime

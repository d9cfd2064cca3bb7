"""Who may do what, and how much."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from odmantic import Field, Index, Model
from pymongo import ASCENDING, IndexModel

from app.models.access_rows import (
    AssignedRoomRow,
    AuditRow,
    CommunityRow,
    DeedRow,
    MemberRow,
    NotedRulesRow,
    QuotaRow,
    RightsRow,
)
from app.models.audit_words import AuditAction
from app.models.stored import Stored
from app.models.words import AccessMode, CapturePolicy, Role, SharerRights


class Community(Model, Stored[CommunityRow]):
    """A community's own rules, None where the instance's settings hold, and its limit slots.

    `title` is what people are shown of it, None where that is its name, which is its id.

    `slots` are the ids of the buffers that are recorded, or about to be: never more than the
    limit, because each is taken by one update that checks the length. `sharers` {sharer: ids} are
    the same slots by whose shares they are, for the limit of one user.
    """

    model_config = {
        "collection": "communities",
        "indexes": lambda: [IndexModel([("capture_policy", ASCENDING)])],
    }

    id: str = Field(primary_field=True)
    title: str | None = None
    enabled: bool = True
    max_concurrent: int | None = None
    max_concurrent_per_user: int | None = None
    access: AccessMode | None = None
    capture_policy: CapturePolicy | None = None
    sharer_rights: SharerRights | None = None
    retention_minutes: float | None = None
    slots: list[str] = []
    sharers: dict[str, list[str]] = {}


class NotedRules(Model, Stored[NotedRulesRow]):
    """Who may do what, as it was when rights were last ended for it: of the instance, by ACCESS and
    CAPTURE_POLICY (`id` is `instance`), or of a community that has changed its rules."""

    model_config = {"collection": "instance_rules"}

    id: str = Field(primary_field=True)
    access: AccessMode
    capture_policy: CapturePolicy


class AssignedRoom(Model, Stored[AssignedRoomRow]):
    """The community that an admin of the instance has assigned rooms to. `id` is their name."""

    model_config = {
        "collection": "assigned_rooms",
        "indexes": lambda: [Index(AssignedRoom.community, AssignedRoom.id)],
    }

    id: str = Field(primary_field=True)
    community: str


class Member(Model, Stored[MemberRow]):
    """Somebody's role and single grants in a community. Only its admins write it.

    `leaves`: of an admin who is about to be none, as soon as another one is found who stays; it
    names the attempt.
    """

    model_config = {
        "collection": "members",
        "indexes": lambda: [
            Index(Member.community, Member.identity, unique=True),
            Index(Member.identity),
        ],
    }

    id: str = Field(primary_field=True)
    community: str
    identity: str
    role: Role = Role.MEMBER
    grants: list[str] = []
    leaves: str | None = None


class UserReplayQuota(Model, Stored[QuotaRow]):
    """What one user's clips, and captures on their way, take of the quota. `id` is the identity.

    `quota_bytes` None: QUOTA_BYTES. `charges` {clip id: bytes} are clips, `reservations`
    {clip id: bytes} captures that are not finished. `used_bytes` is the sum of the charges,
    `held_bytes` the sum of both. `turns` {clip id: turn} tell of which change of a clip's row its
    charge, or its want of one, comes; of what was never promised, that nothing is to be reserved
    for it. All change in one update of this document, guarded by the entries of the clip in it:
    whatever is repeated after a crash happens once.
    """

    model_config = {"collection": "quotas"}

    id: str = Field(primary_field=True)
    quota_bytes: int | None = None
    used_bytes: int = 0
    held_bytes: int = 0
    charges: dict[str, int] = {}
    reservations: dict[str, int] = {}
    turns: dict[str, int] = {}


class Rights(Model, Stored[RightsRow]):
    """The generation of what somebody is given, by kind: 0 if none was ended. `id` is the identity.

    `holders`: how URLs name them, for each of the keys that have signed one since. `ended_at`: when
    something was last ended; None: not known yet, of a row of an earlier release.
    """

    model_config = {
        "collection": "rights",
        "indexes": lambda: [Index(Rights.holders), IndexModel([("ended_at", ASCENDING)])],
    }

    id: str = Field(primary_field=True)
    watching: int = 0
    sharing: int = 0
    sessions: int = 0
    holders: list[str] = []
    ended_at: datetime | None = None


class Deed(Model, Stored[DeedRow]):
    """What somebody is about to do, and what is not all done yet that follows of it.

    Its audit has the same `id`, and the same words. `due_at`: from then on whoever began it counts
    as killed.
    """

    model_config = {
        "collection": "deeds",
        "indexes": lambda: [IndexModel([("due_at", ASCENDING)])],
    }

    id: str = Field(primary_field=True)
    at: datetime
    due_at: datetime
    identity: str
    action: AuditAction
    subject: str
    room: str = ""
    data: dict[str, Any] = {}


class AuditEntry(Model, Stored[AuditRow]):
    """Who did what to what, and when."""

    model_config = {
        "collection": "audit",
        # Ascending, though lists go back in time: see ReplayClip.
        "indexes": lambda: [
            IndexModel([(field, ASCENDING) for field in (*which, "at", "_id")])
            for which in (("subject",), ("identity",), ("action",), ())
        ],
    }

    id: str = Field(primary_field=True)
    at: datetime
    identity: str
    action: AuditAction
    subject: str
    room: str = ""
    data: dict[str, Any] = {}

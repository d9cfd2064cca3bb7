"""What admins of the instance set: a user's quota, and whose rooms of a name are.

It stands in the audit whoever is killed.
"""

from __future__ import annotations

from app.access import assigned_rooms, deeds, quota
from app.models import AuditAction, DeedRow
from app.models.schema import UserReplayQuota
from app.store import Store


async def set_quota(store: Store, by: str, identity: str, quota_bytes: int | None) -> None:
    """As `quota.set_limit`."""
    action = AuditAction.QUOTA_SET
    async with deeds.audited(store, by, action, identity, quota_bytes=quota_bytes):
        await quota.set_limit(store, identity, quota_bytes)


async def assign_room(store: Store, by: str, room: str, community: str) -> None:
    """As `assigned_rooms.assign`."""
    async with deeds.audited(store, by, AuditAction.ROOM_ASSIGNED, community, room=room):
        await assigned_rooms.assign(store, room, community)


async def release_room(store: Store, by: str, room: str, community: str) -> bool:
    """As `assigned_rooms.release`."""
    async with deeds.audited(store, by, AuditAction.ROOM_RELEASED, community, room=room) as doing:
        doing.is_done = await assigned_rooms.release(store, room, community)
    return doing.is_done


async def is_quota_set(store: Store, deed: DeedRow) -> bool:
    """Whether a user has the quota that somebody was about to give them."""
    row = await store.rows(UserReplayQuota).find_one({"_id": deed["subject"]}, {"quota_bytes": 1})
    return row is not None and row["quota_bytes"] == deed["data"]["quota_bytes"]


async def is_room_assigned(store: Store, deed: DeedRow) -> bool:
    """Whether a room belongs to the community that somebody was about to assign it to."""
    return await assigned_rooms.community_of(store, deed["room"]) == deed["subject"]


async def is_room_released(store: Store, deed: DeedRow) -> bool:
    """Whether a room belongs no more to the community that somebody was about to take it from."""
    return not await is_room_assigned(store, deed)

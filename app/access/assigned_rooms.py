"""Rooms that an admin of the instance has assigned to a community, by their names.

It goes before what the room or its people say of themselves.
"""

from __future__ import annotations

from app.models.schema import AssignedRoom, Community
from app.store import Store


async def assign(store: Store, room: str, community: str) -> None:
    """Assigns rooms of this name to a community, in place of the one they had. That makes it."""
    await store.create(Community(id=community))
    change = {"$set": {"community": community}}
    while not await store.create(AssignedRoom(id=room, community=community)):
        if (await store.rows(AssignedRoom).update_one({"_id": room}, change)).matched_count:
            return  # otherwise it was released at the same moment


async def release(store: Store, room: str, community: str) -> bool:
    """Leaves it to others again where rooms of this name belong. False if it was not assigned."""
    released = await store.rows(AssignedRoom).delete_one({"_id": room, "community": community})
    return bool(released.deleted_count)


async def community_of(store: Store, room: str) -> str | None:
    """The community that rooms of this name are assigned to."""
    row = await store.rows(AssignedRoom).find_one({"_id": room})
    return row["community"] if row else None

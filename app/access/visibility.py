"""Who may see which buffer. Pure."""

from __future__ import annotations

from app.access.tokens import Caller


def scope(caller: Caller) -> dict[str, str]:
    """What a buffer must match, field by field, for the caller to see it; {} is: all of them.

    The one rule, for lists (as a filter of rows) as for single buffers (`may_see`). One's own
    share; a room admin: all of the room; an instance admin: all.
    """
    if caller.instance_admin:
        return {}
    matching = {} if caller.room is None else {"room": caller.room}
    if caller.room is not None and caller.room_admin and caller.can_subscribe:
        return matching
    return matching | {"identity": caller.identity}


def may_see(caller: Caller, *, room: str, identity: str) -> bool:
    """Whether the caller may see the buffer of `identity`'s share in `room`."""
    found = {"room": room, "identity": identity}
    return all(found[field] == value for field, value in scope(caller).items())


def may_forget(caller: Caller, *, room: str, identity: str) -> bool:
    """Whether the caller may have the buffer deleted: the sharer, or an instance admin."""
    return may_see(caller, room=room, identity=identity) and (
        caller.identity == identity or caller.instance_admin
    )

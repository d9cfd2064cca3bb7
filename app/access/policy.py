"""Who may see and capture a share, who may see and change a clip: the rules. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import IntEnum

from app.access.permissions import allowed
from app.access.tokens import Caller
from app.models import (
    AccessMode,
    Action,
    CapturePolicy,
    Role,
    SharerRights,
    Stopper,
    Visibility,
)


class Right(IntEnum):
    """What somebody may do with a share; each includes those before it.

    `SEE`: that it is there, and in which state. `WITNESS`: the pictures and sound of what happened
    while they were in the room, too. `CAPTURE`: all pictures and sound, as a clip or served; to
    watch and to keep are the same right, because whoever is shown a film has it.
    """

    NONE = 0
    SEE = 1
    WITNESS = 2
    CAPTURE = 3


@dataclass(frozen=True)
class Share:
    """Whose screen share it is, and where."""

    room: str
    room_sid: str
    identity: str
    community: str


@dataclass(frozen=True)
class Standing:
    """What is known of a caller with regard to a share.

    `actions`: what they may do in its community, `held`: those of them that are theirs by role or
    grant, not everybody's. `in_room`: they are or were in the room of this share (its sid: a later
    room of the same name is another); `live`: that room is the one that bears its name now.
    """

    policy: str
    actions: Collection[Action]
    held: Collection[Action]
    in_room: bool
    live: bool


def administers(caller: Caller, *, in_room: bool, live: bool) -> bool:
    """Whether somebody whose token is good for a room's name acts as its admin.

    In the live room of that name, and in an earlier one if they were in it: a name may come again,
    and who administrates it then has no part in what was before.
    """
    return caller.room_admin and (live or in_room)


def right(caller: Caller, share: Share, standing: Standing) -> Right:
    """What the caller may do with the share, under its community's CAPTURE_POLICY."""
    if caller.instance_admin:
        return Right.CAPTURE
    if caller.room not in (None, share.room):
        return Right.NONE
    most = Right.CAPTURE if Action.CAPTURE_REPLAY in standing.actions else Right.SEE
    if caller.identity == share.identity:
        return most
    if not caller.can_subscribe:
        return Right.NONE
    if administers(caller, in_room=standing.in_room, live=standing.live):
        return Right.CAPTURE
    if standing.policy == CapturePolicy.ROLE and Action.CAPTURE_REPLAY in standing.held:
        return Right.CAPTURE
    if standing.policy == CapturePolicy.ROOM and standing.in_room:
        return min(most, Right.WITNESS)
    # Who answers for a community's limits sees what takes them up.
    return Right.SEE if Action.MANAGE_REPLAY_LIMITS in standing.held else Right.NONE


class ClipRight(IntEnum):
    """What somebody may do with a clip; each includes those before it.

    `READ`: watch it. `ASK`: ask its owner to delete it. `CLOSE`: make it private. `DELETE`: delete
    it for good. `CHANGE`: all that its owner may.
    """

    NONE = 0
    READ = 1
    ASK = 2
    CLOSE = 3
    DELETE = 4
    CHANGE = 5


_OF_SHARER: dict[str, ClipRight] = {
    SharerRights.SEE: ClipRight.ASK,
    SharerRights.CLOSE: ClipRight.CLOSE,
    SharerRights.DELETE: ClipRight.DELETE,
}


@dataclass(frozen=True)
class OwnedClip:
    """Whose clip it is, of whose screen, in which room, to whom it is open.

    `opened`: it is open to others, or was until somebody else than its owner closed it.
    """

    owner: str
    sharer: str
    room: str
    visibility: str
    opened: bool


def clip_right(
    caller: Caller, clip: OwnedClip, *, in_room: bool, live: bool, sharer_rights: str
) -> ClipRight:
    """What the caller may do with a clip.

    `in_room`: the caller is or was in the room that the clip was made in (its sid); `live`: it is
    the one that bears its name now. `sharer_rights`: the rule of the clip's community. A `link` is
    a credential of its own: it changes nothing for callers.
    """
    if caller.instance_admin:
        return ClipRight.CHANGE
    if caller.room not in (None, clip.room):
        return ClipRight.NONE
    if caller.identity == clip.owner:
        return ClipRight.CHANGE
    if not clip.opened:
        return ClipRight.NONE
    if caller.identity == clip.sharer:
        return _OF_SHARER.get(sharer_rights, ClipRight.ASK)
    if not caller.can_subscribe:
        return ClipRight.NONE
    if administers(caller, in_room=in_room, live=live):  # who need not have been there
        return _OF_SHARER.get(sharer_rights, ClipRight.ASK)
    if clip.visibility == Visibility.ROOM and in_room:
        return ClipRight.READ
    return ClipRight.NONE


def may_let_rest(caller: Caller, owner: str) -> bool:
    """Whether somebody may have a clip of `owner`'s deleted, so that it rests and can be restored.

    Whichever room their token is for: all of an owner's clips count in one quota. It shows them
    nothing, and brings nothing back.
    """
    return caller.identity == owner


@dataclass(frozen=True)
class ClipsSeen:
    """Which clips a list shows somebody: those that they may read, as far as no row tells.

    `room`: only those made in rooms of this name, None: in any. `everybodys`: whosever they are;
    otherwise their own, of those that were opened the ones of their screen, and these: `visited`,
    open to a room where they are or were; `administered`, opened, in the live room of that name,
    wherever they were, and in earlier ones where they were.
    """

    room: str | None
    everybodys: bool
    visited: bool
    administered: bool


def clips_seen(caller: Caller) -> ClipsSeen:
    """Which clips a list shows the caller: as `clip_right` has it, of one after another."""
    return ClipsSeen(
        room=caller.room,
        everybodys=caller.instance_admin,
        visited=caller.can_subscribe,
        administered=caller.can_subscribe and caller.room_admin,
    )


def may_see_link(caller: Caller, owner: str) -> bool:
    """Whether somebody is shown the link of a clip of `owner`'s, which opens it to anybody."""
    return caller.identity == owner or caller.instance_admin


def may_reopen(caller: Caller, closed_by: str) -> bool:
    """Whether somebody may let a clip be opened again that `closed_by` has closed.

    Its owner may not, even if they administrate the room: their own word it is not.
    """
    return caller.identity == closed_by or caller.instance_admin


def may_erase(standing: Collection[Stopper]) -> bool:
    """Whether somebody who sees the share may have what is kept of it, or a part, deleted.

    `standing`: as whom they may stop its recording, of which this is the stronger form.
    """
    return bool(standing)


def may_see_capture(caller: Caller, *, by: str, room: str) -> bool:
    """Whether somebody sees, and may cancel, a capture of a share in `room` that `by` asked for."""
    return (caller.instance_admin or caller.identity == by) and caller.room in (None, room)


def may_operate(caller: Caller) -> bool:
    """Whether somebody administrates the instance, and all of its communities."""
    return caller.instance_admin


def may_change_rights(caller: Caller, identity: str) -> bool:
    """Whether somebody who may change people's roles, grants or quotas may change `identity`'s."""
    return caller.identity != identity


def may_manage(caller: Caller, actions: Collection[Action]) -> bool:
    """Whether somebody may see the rules and the members of a community, and change its limits.

    `actions`: what they may do there.
    """
    return caller.instance_admin or Action.MANAGE_REPLAY_LIMITS in actions


def may_administrate(caller: Caller, role: str) -> bool:
    """Whether somebody with a role in a community may say there who may do what."""
    return caller.instance_admin or role == Role.ADMIN


def may_give(
    caller: Caller, own: tuple[str, Iterable[str]], given: tuple[str, Iterable[str]]
) -> bool:
    """Whether somebody may give another a role and grants: never one they do not hold themselves.

    `own`, `given`: a role and grants in the community.
    """
    held, wanted = (allowed(AccessMode.RBAC, *each) for each in (own, given))
    return may_administrate(caller, own[0]) and (caller.instance_admin or wanted <= held)


def may_see_marker(caller: Caller, by: str, *, captures: bool) -> bool:
    """Whether somebody sees a marker that `by` has set: who set it, and who may capture there.

    `captures`: whether they may capture the moment that it marks.
    """
    return captures or caller.identity == by


def may_delete_marker(caller: Caller, share: Share, by: str, *, room_admin: bool) -> bool:
    """Whether somebody who sees a marker that `by` has set may delete it.

    `room_admin`: they administrate the room of the share.
    """
    return caller.instance_admin or room_admin or caller.identity in (by, share.identity)


def may_stop(
    caller: Caller, share: Share, held: Collection[Action], *, room_admin: bool
) -> frozenset[Stopper]:
    """As whom somebody who sees the share may stop its recording; empty: not at all.

    `held`: what they may do in its community by role or grant; `room_admin`: they administrate its
    room.
    """
    found: set[Stopper] = set()
    if caller.identity == share.identity:
        found.add(Stopper.SHARER)
    if caller.instance_admin or room_admin or Action.MANAGE_REPLAY_LIMITS in held:
        found.add(Stopper.ADMIN)
    return frozenset(found)

"""Who may see and capture a share, who may see and change a clip: the rules. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import IntEnum

from app.access.permissions import allowed
from app.access.tokens import Caller
from app.models import AccessMode, Action, CapturePolicy, Role, Stopper, Visibility


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
    """What somebody may do with a clip; `CHANGE` is to share and to delete, too."""

    NONE = 0
    READ = 1
    CHANGE = 2


def clip_right(
    caller: Caller, *, owner: str, room: str, visibility: str, in_room: bool, live: bool
) -> ClipRight:
    """What the caller may do with a clip of `owner`'s, made in `room`.

    `in_room`: the caller is or was in the room that the clip was made in (its sid); `live`: it is
    the one that bears its name now. A `link` is a credential of its own: it changes nothing for
    callers.
    """
    if caller.instance_admin:
        return ClipRight.CHANGE
    if caller.room not in (None, room):
        return ClipRight.NONE
    if caller.identity == owner:
        return ClipRight.CHANGE
    # What is open to a room is to its admin, who need not have been there; what is private is not.
    there = in_room or administers(caller, in_room=in_room, live=live)
    if visibility == Visibility.ROOM and there and caller.can_subscribe:
        return ClipRight.READ
    return ClipRight.NONE


@dataclass(frozen=True)
class ClipsSeen:
    """Which clips a list shows somebody: those that they may read, as far as no row tells.

    `room`: only those made in rooms of this name, None: in any. `everybodys`: whosever they are;
    otherwise their own, and of those that are open to a room: `visited`, where they are or were;
    `administered`, in the live room of that name, wherever they were.
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

"""What a caller may do with which share, looked up: `policy` decides, here is what it has to know.

For single shares, for the rows of a list (as a filter), and for windows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from app.access import communities, policy, presence
from app.access.communities import Rules
from app.access.policy import Right, Share, Standing
from app.access.tokens import Caller
from app.errors import NotPermitted
from app.models import AccessMode, CapturePolicy, MemberRow, Row, Stopper, intervals
from app.models.intervals import Interval
from app.settings import Settings
from app.store import Store

_STRANGER = Standing(CapturePolicy.SELF, (), (), in_room=False, live=False)


@dataclass(frozen=True)
class Permit:
    """What somebody may do with a share.

    `stays`: of a WITNESS, when they were in its room: in order and apart, the last one perhaps
    without an end. None: the right has no such limit. `by_rules`: it is the share of somebody else,
    and the community's rules and the caller's role there give the right, not their token.
    """

    right: Right
    stays: tuple[Interval, ...] | None
    by_rules: bool = False

    def of(self, start: datetime, end: datetime) -> list[Interval]:
        """What of [start, end), which is not empty, may be watched and captured."""
        if self.stays is None:
            return [(start, end)] if self.right >= Right.CAPTURE else []
        return intervals.within(self.stays, start, end)


def share_of(row: Mapping[str, Any]) -> Share:
    """The share of a buffer's row."""
    return Share(row["room"], row["room_sid"], row["identity"], row["community"])


class Shared(Protocol):
    """What knows whose share it is about: a timeline."""

    @property
    def room(self) -> str: ...
    @property
    def room_sid(self) -> str: ...
    @property
    def identity(self) -> str: ...
    @property
    def community(self) -> str: ...


def share_in(line: Shared) -> Share:
    """The share that something is about."""
    return Share(line.room, line.room_sid, line.identity, line.community)


async def permit(store: Store, settings: Settings, caller: Caller, share: Share) -> Permit:
    """What the caller may do with a share."""
    return (await permits(store, settings, caller, [share]))[0]


async def permits(
    store: Store, settings: Settings, caller: Caller, meant: Sequence[Share]
) -> list[Permit]:
    """What the caller may do with each of these shares. Four reads, however many there are."""
    of = {share.community for share in meant}
    rules, members, live = await asyncio.gather(
        communities.rules_of(store, settings, of),
        communities.memberships(store, caller.identity, of),
        presence.live_for(store, caller),
    )
    by_presence = {
        share.room_sid
        for share in meant
        if caller.room_admin or rules[share.community].capture_policy == CapturePolicy.ROOM
    }
    stays = await presence.stays(store, caller.identity, by_presence) if by_presence else []
    plain = replace(caller, room_admin=False, instance_admin=False)

    def permitted(share: Share) -> Permit:
        row = members.get(share.community)
        there = [stay.interval for stay in stays if stay.room_sid == share.room_sid]
        standing = Standing(
            policy=rules[share.community].capture_policy,
            actions=communities.actions_by(rules[share.community].access, row),
            held=communities.actions_by(AccessMode.RBAC, row),
            in_room=bool(there),
            live=share.room_sid == live,
        )
        right = policy.right(caller, share, standing)
        stays_in_it = tuple(intervals.joined(there)) if right == Right.WITNESS else None
        by_rules = (
            caller.identity != share.identity and policy.right(plain, share, standing) >= right
        )
        return Permit(right, stays_in_it, by_rules)

    return [permitted(share) for share in meant]


async def check(
    store: Store, settings: Settings, caller: Caller, share: Share, start: datetime, end: datetime
) -> None:
    """Raises NotPermitted unless the caller, who sees the share, may capture something of
    [start, end)."""
    if not (await permit(store, settings, caller, share)).of(start, end):
        raise refusal(caller, share.identity, share.room)


def refusal(caller: Caller, identity: str, room: str) -> NotPermitted:
    """The error of somebody who may not capture a share, or not the part of it that is meant."""
    if caller.room not in (None, room):
        return NotPermitted(
            f"the token is for the room {caller.room!r}, and the share that is meant is in "
            f"{room!r}: send a token for that room, or name a share in this one"
        )
    return NotPermitted(
        f"{caller.identity!r} may not capture this of the share of {identity!r} in {room!r}: "
        "its community's access and capture_policy say who may"
    )


async def may_stop(store: Store, caller: Caller, share: Share) -> frozenset[Stopper]:
    """As whom the caller, who sees the share, may stop its recording; empty: not at all."""
    row, room_admin = await asyncio.gather(
        communities.member(store, share.community, caller.identity),
        administers(store, caller, share),
    )
    held = communities.actions_by(AccessMode.RBAC, row)
    return policy.may_stop(caller, share, held, room_admin=room_admin)


async def may_erase(store: Store, caller: Caller, share: Share) -> bool:
    """Whether the caller, who sees the share, may have it deleted."""
    return policy.may_erase(await may_stop(store, caller, share))


async def administers(store: Store, caller: Caller, share: Share) -> bool:
    """Whether the caller acts as the admin of the share's room."""
    if not caller.room_admin or caller.room != share.room:
        return False
    live, stays = await asyncio.gather(
        presence.live_for(store, caller), presence.stays(store, caller.identity, [share.room_sid])
    )
    return policy.administers(caller, in_room=bool(stays), live=share.room_sid == live)


def sees_all_of(caller: Caller, room: str, identity: str) -> bool:
    """Whether the caller would see any share of `identity` in the room that bears a name now."""
    anything = Share(room, "", identity, communities.DEFAULT)
    return policy.right(caller, anything, replace(_STRANGER, live=True)) > Right.NONE


async def scope(store: Store, settings: Settings, caller: Caller) -> Row:
    """What a buffer's row must match for the caller to see it; {} is: all of them."""
    if caller.instance_admin:
        return {}
    here: Row = {} if caller.room is None else {"room": caller.room}
    seen: list[Row] = [{"identity": caller.identity}]
    if caller.can_subscribe:
        seen += await _others(store, settings, caller)
    return here | (seen[0] if len(seen) == 1 else {"$or": seen})


def _trusts(of: Rules, row: MemberRow, caller: Caller) -> bool:
    """Whether the caller sees the shares of others in a community, for their role there alone."""
    somebodys = Share(caller.room or "", "", "", of.community)
    held = communities.actions_by(AccessMode.RBAC, row)
    known = Standing(of.capture_policy, (), held, in_room=False, live=False)
    return policy.right(caller, somebodys, known) > Right.NONE


async def _others(store: Store, settings: Settings, caller: Caller) -> list[Row]:
    """What is seen beside one's own.

    Of rooms one was in the shares of communities that open them to these, or all if one is their
    admin; the live room that one administrates, communities where one holds CAPTURE, and those
    whose limits one manages. It costs nothing of what was shared there.
    """
    sids, members, opened, live = await asyncio.gather(
        presence.rooms_of(store, caller.identity, caller.room),
        communities.all_memberships(store, caller.identity),
        communities.opened_to_rooms(store, settings),
        presence.live_for(store, caller),
    )
    rules = await communities.rules_of(store, settings, members)
    trusted = [each for each, row in members.items() if _trusts(rules[each], row, caller)]
    others: list[Row] = []
    if sids and caller.room_admin:
        others.append({"room_sid": {"$in": sids}})
    elif sids and opened is not None:
        # Shares of one room may be of several communities: see `app.recording.belonging`.
        others.append({"room_sid": {"$in": sids}, "community": opened})
    if live is not None:
        others.append({"room_sid": live})
    if trusted:
        others.append({"community": {"$in": trusted}})
    return others

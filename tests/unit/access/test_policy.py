"""Who sees and who captures whose share: one table."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from app.access.permissions import allowed
from app.access.policy import (
    ClipRight,
    OwnedClip,
    Right,
    Share,
    Standing,
    clip_right,
    clips_seen,
    may_change_rights,
    may_delete_marker,
    may_erase,
    may_manage,
    may_operate,
    may_reopen,
    may_see_capture,
    may_see_link,
    may_see_marker,
    may_stop,
    right,
)
from app.access.tokens import Caller
from app.models import Action, Stopper

SHARE = Share("standup", "RM_1", "ann", "default")
NONE, SEE, WITNESS, CAPTURE = Right.NONE, Right.SEE, Right.WITNESS, Right.CAPTURE

ANN = Caller("ann", room="standup")
BOB = Caller("bob", room="standup")
MODERATOR = Caller("mod", room="standup", room_admin=True)
OPERATOR = Caller("ops", instance_admin=True)


def standing(
    policy: str = "self",
    access: str = "open",
    role: str = "member",
    grants: Collection[str] = (),
    in_room: bool = False,
    live: bool = True,
) -> Standing:
    """Of somebody with this role and these grants, under this access mode and policy."""
    return Standing(
        policy=policy,
        actions=allowed(access, role, grants),
        held=allowed("rbac", role, grants),
        in_room=in_room,
        live=live,
    )


GRANT = (Action.CAPTURE_REPLAY,)
THERE: dict[str, Any] = {"in_room": True}


@pytest.mark.parametrize(
    ("caller", "known", "expected"),
    [
        # One's own share: by access alone, whatever the policy.
        *((ANN, standing(policy), CAPTURE) for policy in ("self", "room", "role")),
        *((ANN, standing(policy, "rbac"), SEE) for policy in ("self", "room", "role")),
        (ANN, standing("self", "rbac", "moderator"), CAPTURE),
        (ANN, standing("self", "rbac", grants=GRANT), CAPTURE),
        (ANN, standing("self", "rbac", grants=(Action.ENABLE_REPLAY_BUFFER,)), SEE),
        (replace(ANN, room=None), standing(), CAPTURE),
        (replace(ANN, room="retro"), standing(), NONE),
        (replace(ANN, can_subscribe=False), standing(), CAPTURE),
        # self: nobody else's, whoever one is in the community.
        (BOB, standing("self", **THERE), NONE),
        (BOB, standing("self", "rbac", "moderator", **THERE), NONE),
        # Who manages the limits of a community sees, and no more, what takes them up.
        (BOB, standing("self", "rbac", "admin", **THERE), SEE),
        (replace(BOB, room=None), standing("self", role="admin"), SEE),
        (replace(BOB, room="retro"), standing("self", role="admin"), NONE),
        (replace(BOB, can_subscribe=False), standing("self", role="admin"), NONE),
        # room: who was there, of the time that they were.
        (BOB, standing("room"), NONE),
        (BOB, standing("room", role="moderator"), NONE),
        (BOB, standing("room", **THERE), WITNESS),
        (BOB, standing("room", "rbac", **THERE), SEE),
        (BOB, standing("room", "rbac", "moderator", **THERE), WITNESS),
        (replace(BOB, room="retro"), standing("room", **THERE), NONE),
        (replace(BOB, room=None), standing("room", **THERE), WITNESS),
        (replace(BOB, can_subscribe=False), standing("room", **THERE), NONE),
        # role: who holds CAPTURE_REPLAY by role or grant; that access is open is not enough.
        (BOB, standing("role", **THERE), NONE),
        (BOB, standing("role", role="moderator"), CAPTURE),
        (BOB, standing("role", "rbac", "moderator"), CAPTURE),
        (BOB, standing("role", "rbac", "admin"), CAPTURE),
        (BOB, standing("role", "rbac", grants=GRANT), CAPTURE),
        (BOB, standing("role", "rbac", grants=(Action.MANAGE_REPLAY_LIMITS,)), SEE),
        (replace(BOB, room="retro"), standing("role", role="admin"), NONE),
        (replace(BOB, can_subscribe=False), standing("role", role="admin"), NONE),
        # An unknown policy opens nothing.
        (BOB, standing("everybody", role="moderator", **THERE), NONE),
        # A room's admin, in that room only: the live one of the name, an earlier one if they were
        # in it. The operator of the instance, everywhere.
        (MODERATOR, standing("self", "rbac"), CAPTURE),
        (MODERATOR, standing("self", live=False), NONE),
        (MODERATOR, standing("self", "rbac", live=False, in_room=True), CAPTURE),
        (MODERATOR, standing("role", live=False, grants=GRANT), CAPTURE),
        (replace(MODERATOR, can_subscribe=False), standing(live=False, in_room=True), NONE),
        (replace(MODERATOR, room="retro"), standing("self"), NONE),
        (replace(MODERATOR, can_subscribe=False), standing("self"), NONE),
        (OPERATOR, standing("self", "rbac"), CAPTURE),
        (replace(OPERATOR, room="retro"), standing("self", "rbac"), CAPTURE),
        (replace(OPERATOR, can_subscribe=False), standing("self", "rbac"), CAPTURE),
    ],
)
def test_who_may_do_what_with_anns_share(caller: Caller, known: Standing, expected: Right) -> None:
    assert right(caller, SHARE, known) is expected


def test_who_may_stop_a_share_may_erase_it() -> None:
    assert not may_erase([])
    assert may_erase([Stopper.SHARER])
    assert may_erase([Stopper.ADMIN])


@pytest.mark.parametrize(
    ("caller", "role", "standing"),
    [
        (ANN, "member", {"sharer"}),
        (BOB, "member", set()),
        (BOB, "moderator", set()),
        (BOB, "admin", {"admin"}),
        (MODERATOR, "member", {"admin"}),
        (OPERATOR, "member", {"admin"}),
        (ANN, "admin", {"sharer", "admin"}),
    ],
)
def test_the_sharer_and_admins_stop_a_recording_each_as_who_they_are(
    caller: Caller, role: str, standing: set[str]
) -> None:
    held = allowed("rbac", role, ())
    assert may_stop(caller, SHARE, held, room_admin=caller.room_admin) == standing


def test_an_admin_of_a_later_room_of_the_name_stops_and_deletes_nothing() -> None:
    assert may_stop(MODERATOR, SHARE, (), room_admin=False) == frozenset()
    assert not may_delete_marker(MODERATOR, SHARE, "zoe", room_admin=False)


NO, READ, CLOSE, CHANGE = ClipRight.NONE, ClipRight.READ, ClipRight.CLOSE, ClipRight.CHANGE
ZOE = Caller("zoe", room="standup")
"""Whose screen ann's clip shows."""


def clip_of(
    visibility: str,
    *,
    owner: str = "ann",
    sharer: str = "zoe",
    room: str = "standup",
    opened: bool | None = None,
) -> OwnedClip:
    """As it is opened by its visibility, unless it is said."""
    is_open = visibility != "private" if opened is None else opened
    return OwnedClip(owner, sharer, room, visibility, is_open)


def right_with(
    caller: Caller, clip: OwnedClip, *, in_room: bool, live: bool = True, rights: str = "close"
) -> ClipRight:
    return clip_right(caller, clip, in_room=in_room, live=live, sharer_rights=rights)


@pytest.mark.parametrize(
    ("caller", "visibility", "in_room", "expected"),
    [
        *((ANN, visibility, False, CHANGE) for visibility in ("private", "room", "link")),
        (replace(ANN, room=None), "private", False, CHANGE),
        (replace(ANN, can_subscribe=False), "private", False, CHANGE),
        (replace(ANN, room="retro"), "link", True, NO),
        (BOB, "private", True, NO),
        (BOB, "link", True, NO),
        (BOB, "room", False, NO),
        (BOB, "room", True, READ),
        (replace(BOB, room=None), "room", True, READ),
        (replace(BOB, room="retro"), "room", True, NO),
        (replace(BOB, can_subscribe=False), "room", True, NO),
        (ZOE, "private", True, NO),
        (ZOE, "room", False, CLOSE),
        (ZOE, "link", False, CLOSE),
        (replace(ZOE, room=None, can_subscribe=False), "link", False, CLOSE),
        (replace(ZOE, room="retro"), "link", True, NO),
        (MODERATOR, "private", True, NO),
        (MODERATOR, "room", True, CLOSE),
        (MODERATOR, "room", False, CLOSE),
        (MODERATOR, "link", False, CLOSE),
        (replace(MODERATOR, can_subscribe=False), "room", False, NO),
        (replace(MODERATOR, room="retro"), "room", False, NO),
        (OPERATOR, "private", False, CHANGE),
        (replace(OPERATOR, room="retro"), "private", False, CHANGE),
    ],
)
def test_who_may_do_what_with_anns_clip_of_zoes_screen(
    caller: Caller, visibility: str, in_room: bool, expected: ClipRight
) -> None:
    """Neither the sharer nor a room's admin has a key to what others keep for themselves."""
    assert right_with(caller, clip_of(visibility), in_room=in_room) is expected


@pytest.mark.parametrize(
    ("rights", "expected"),
    [("see", ClipRight.ASK), ("close", CLOSE), ("delete", ClipRight.DELETE), ("?", ClipRight.ASK)],
)
def test_the_rule_says_what_a_sharer_and_a_rooms_admin_may_do(
    rights: str, expected: ClipRight
) -> None:
    """And nobody else; a word that nobody knows gives no more than the least."""
    for caller in (ZOE, MODERATOR):
        assert right_with(caller, clip_of("link"), in_room=False, rights=rights) is expected
    assert right_with(BOB, clip_of("room"), in_room=True, rights=rights) is READ
    assert right_with(ANN, clip_of("private"), in_room=False, rights=rights) is CHANGE


def test_what_somebody_has_closed_they_go_on_seeing_and_the_room_does_not() -> None:
    closed = clip_of("private", opened=True)
    found = [right_with(each, closed, in_room=True) for each in (ZOE, MODERATOR, BOB)]
    assert found == [CLOSE, CLOSE, NO]


@pytest.mark.parametrize(
    ("caller", "expected"), [(ZOE, True), (ANN, False), (MODERATOR, False), (OPERATOR, True)]
)
def test_only_who_has_closed_a_clip_and_the_operator_let_it_be_opened_again(
    caller: Caller, expected: bool
) -> None:
    assert may_reopen(caller, "zoe") == expected


@pytest.mark.parametrize(("in_room", "expected"), [(True, READ), (False, NO)])
def test_an_earlier_rooms_clip_is_open_to_those_who_were_there(
    in_room: bool, expected: ClipRight
) -> None:
    """Its admin too: a later room of the same name has another one, perhaps."""
    assert right_with(BOB, clip_of("room"), in_room=in_room, live=False) is expected
    found = right_with(MODERATOR, clip_of("room"), in_room=in_room, live=False)
    assert found is (CLOSE if in_room else NO)


@pytest.mark.parametrize(
    ("caller", "expected"), [(ANN, True), (BOB, False), (MODERATOR, False), (OPERATOR, True)]
)
def test_only_the_owner_and_the_operator_see_a_clips_link(caller: Caller, expected: bool) -> None:
    assert may_see_link(caller, "ann") == expected


@pytest.mark.parametrize(
    ("caller", "captures", "expected"),
    [
        (BOB, True, True),
        (BOB, False, False),
        (Caller("zoe", room="standup"), False, True),  # who set it
    ],
)
def test_a_marker_is_seen_by_who_may_capture_there_and_by_who_set_it(
    caller: Caller, captures: bool, expected: bool
) -> None:
    assert may_see_marker(caller, "zoe", captures=captures) == expected


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        (ANN, True),
        (Caller("zoe", room="standup"), True),
        (MODERATOR, True),
        (OPERATOR, True),
        (BOB, False),
    ],
)
def test_a_marker_is_deleted_by_who_set_it_the_sharer_and_admins(
    caller: Caller, expected: bool
) -> None:
    found = may_delete_marker(caller, SHARE, "zoe", room_admin=caller.room_admin)
    assert found == expected


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        (ANN, True),
        (replace(ANN, room=None), True),
        (replace(ANN, room="retro"), False),
        (BOB, False),
        (MODERATOR, False),
        (OPERATOR, True),
        (replace(OPERATOR, room="retro"), False),
    ],
)
def test_a_capture_is_seen_by_who_asked_for_it_and_the_operator(
    caller: Caller, expected: bool
) -> None:
    """With a token that is good for its room."""
    assert may_see_capture(caller, by="ann", room="standup") == expected


@pytest.mark.parametrize(
    ("caller", "actions", "expected"),
    [
        (BOB, set(), False),
        (BOB, {Action.CAPTURE_REPLAY}, False),
        (BOB, {Action.MANAGE_REPLAY_LIMITS}, True),
        (MODERATOR, set(), False),
        (OPERATOR, set(), True),
    ],
)
def test_a_community_is_managed_by_who_holds_the_right_and_the_operator(
    caller: Caller, actions: set[Action], expected: bool
) -> None:
    assert may_manage(caller, actions) == expected


def test_only_the_operator_operates() -> None:
    assert [each for each in (ANN, BOB, MODERATOR, OPERATOR) if may_operate(each)] == [OPERATOR]


def test_nobody_changes_their_own_rights() -> None:
    """Nor does an operator, whose quota another one sets."""
    assert not may_change_rights(OPERATOR, OPERATOR.identity)
    assert may_change_rights(OPERATOR, BOB.identity)


@pytest.mark.parametrize("room", [None, "standup", "retro"])
@pytest.mark.parametrize("room_admin", [True, False])
@pytest.mark.parametrize("can_subscribe", [True, False])
def test_a_list_shows_the_clips_that_may_be_read_one_by_one(
    room: str | None, room_admin: bool, can_subscribe: bool
) -> None:
    caller = Caller(
        "bob", room=room, room_admin=room_admin and room is not None, can_subscribe=can_subscribe
    )
    seen = clips_seen(caller)
    either = (True, False)
    clips = product(("ann", "bob"), ("zoe", "bob"), ("standup", "retro"),
                    ("private", "room", "link"), either, either, either)  # fmt: skip
    for owner, sharer, of, visibility, closed, in_room, live in clips:
        clip = clip_of(visibility, owner=owner, sharer=sharer, room=of)
        if closed:
            clip = replace(clip, visibility="private", opened=True)
        visited = seen.visited and in_room and clip.visibility == "room"
        administered = seen.administered and (live or in_room) and clip.opened
        shared = visited or administered or (sharer == "bob" and clip.opened)
        listed = seen.room in (None, of) and (seen.everybodys or owner == "bob" or shared)
        one = right_with(caller, clip, in_room=in_room, live=live)
        assert listed == (one >= READ), (clip, in_room, live)
    assert not seen.everybodys
    assert clips_seen(OPERATOR).everybodys

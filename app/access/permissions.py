"""What a role allows. Pure.

Actions keep the wire values of the design they come from, so that an app that knows them by these
names need not translate.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from app.models import AccessMode, Role


class Action(StrEnum):
    """What somebody may do in a community."""

    ENABLE_REPLAY_BUFFER = "enable_replay_buffer"
    CAPTURE_REPLAY = "capture_replay"
    MANAGE_REPLAY_LIMITS = "manage_community_replay_config"


OF_ROLE: dict[str, frozenset[Action]] = {
    Role.MEMBER: frozenset(),
    Role.MODERATOR: frozenset({Action.ENABLE_REPLAY_BUFFER, Action.CAPTURE_REPLAY}),
    Role.ADMIN: frozenset(Action),
}
# Under ACCESS=open everybody buffers and captures their own shares; limits are never everybody's.
OF_EVERYBODY_WHEN_OPEN = frozenset({Action.ENABLE_REPLAY_BUFFER, Action.CAPTURE_REPLAY})


def allowed(access: str, role: str, grants: Iterable[str]) -> frozenset[Action]:
    """The actions of somebody with a role and single grants, under an access mode.

    Unknown roles and grants allow nothing.
    """
    granted = {action for action in Action if action in set(grants)}
    of_access = OF_EVERYBODY_WHEN_OPEN if access == AccessMode.OPEN else frozenset()
    return OF_ROLE.get(role, frozenset()) | granted | of_access

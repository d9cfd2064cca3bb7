"""What a role allows. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from app.models import AccessMode, Action, Role

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

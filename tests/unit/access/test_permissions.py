"""The permission table."""

from __future__ import annotations

import pytest

from app.access.permissions import allowed
from app.models import Action

ENABLE, CAPTURE, MANAGE = Action


@pytest.mark.parametrize(
    ("access", "role", "grants", "actions"),
    [
        ("open", "member", [], {ENABLE, CAPTURE}),
        ("rbac", "member", [], set()),
        ("rbac", "member", [CAPTURE], {CAPTURE}),
        ("rbac", "moderator", [], {ENABLE, CAPTURE}),
        ("rbac", "admin", [], {ENABLE, CAPTURE, MANAGE}),
        ("open", "admin", [], {ENABLE, CAPTURE, MANAGE}),
        ("open", "moderator", [], {ENABLE, CAPTURE}),
        ("rbac", "emperor", [], set()),
        ("rbac", "member", ["everything"], set()),
        ("rbac", "member", [MANAGE], {MANAGE}),
    ],
)
def test_allows(access: str, role: str, grants: list[str], actions: set[Action]) -> None:
    """What a role and grants allow under each access mode; what is unknown allows nothing."""
    assert allowed(access, role, grants) == actions


def test_manage_keeps_its_wire_value() -> None:
    """Apps that know the permission by its older name still do."""
    assert MANAGE == "manage_community_replay_config"

"""Whether somebody may manage a community, or the instance, looked up."""

from __future__ import annotations

from collections.abc import Collection

from app.access import communities, policy
from app.access.tokens import Caller
from app.errors import NotPermitted
from app.models import Action, Role
from app.settings import Settings
from app.store import Store


async def check(store: Store, settings: Settings, caller: Caller, community: str) -> None:
    """Raises NotPermitted unless the caller may manage the limits of the community."""
    rules = await communities.rules(store, settings, community)
    actions = await communities.actions(store, rules, caller.identity)
    if not policy.may_manage(caller, actions):
        raise NotPermitted(
            f"{caller.identity!r} does not hold {Action.MANAGE_REPLAY_LIMITS.name} in this "
            "community: ask somebody who does"
        )


async def check_administrates(store: Store, caller: Caller, community: str) -> None:
    """Raises NotPermitted unless the caller may say who may do what in the community."""
    role, _ = await _own(store, caller, community)
    if not policy.may_administrate(caller, role):
        raise NotPermitted(
            f"{caller.identity!r} is no admin of this community: only one may change its members, "
            "its `access`, its `capture_policy` and its `sharer_rights`"
        )


async def check_gives(
    store: Store, caller: Caller, community: str, role: str, grants: Collection[str]
) -> None:
    """Raises NotPermitted unless the caller may give this role and these grants there."""
    own = await _own(store, caller, community)
    if not policy.may_give(caller, own, (role, grants)):
        raise NotPermitted(
            f"{caller.identity!r} can't give the role {str(role)!r} with {sorted(grants)}: nobody "
            "gives what they do not hold"
        )


def check_anothers(caller: Caller, identity: str) -> None:
    """Raises NotPermitted if somebody's role, grants or quota are the caller's own."""
    if not policy.may_change_rights(caller, identity):
        raise NotPermitted(f"{identity!r} can't change their own rights: ask another admin")


async def _own(store: Store, caller: Caller, community: str) -> tuple[str, list[str]]:
    """The caller's role and grants in a community."""
    row = await communities.member(store, community, caller.identity)
    return (row["role"], row["grants"]) if row else (Role.MEMBER, [])


def check_admin(caller: Caller) -> None:
    """Raises NotPermitted unless the caller administrates the instance."""
    if not policy.may_operate(caller):
        raise NotPermitted("only an administrator of the instance may do this")

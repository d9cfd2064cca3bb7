"""Whether somebody may manage a community, or the instance, looked up."""

from __future__ import annotations

from app.access import communities, policy
from app.access.permissions import Action
from app.access.tokens import Caller
from app.errors import NotPermitted
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


def check_admin(caller: Caller) -> None:
    """Raises NotPermitted unless the caller administrates the instance."""
    if not caller.instance_admin:
        raise NotPermitted("only an administrator of the instance may do this")

"""What somebody is in which community: their role, their grants, whether they manage it."""

from __future__ import annotations

from dataclasses import dataclass

from app.access import communities, policy
from app.access.tokens import Caller
from app.models import Role
from app.models.schema import Community
from app.settings import Settings
from app.store import Store

AT_MOST = 200
"""Communities that are told of."""


@dataclass(frozen=True)
class CommunityStanding:
    """What somebody is in a community.

    `manages`: may change its limits, `administrates`: who may do what there, too.
    """

    id: str
    role: str
    grants: tuple[str, ...]
    manages: bool
    administrates: bool


async def standings(store: Store, settings: Settings, caller: Caller) -> list[CommunityStanding]:
    """The caller in each community that has given them a role or a grant, by its id, AT_MOST.

    Of an instance admin, who manages them all, in every community that has rules of its own, and in
    the one of rooms without any.
    """
    rows = await communities.all_memberships(store, caller.identity)
    names = set(rows)
    if caller.instance_admin:
        own = await store.rows(Community).find({}, {"_id": 1}).to_list(AT_MOST)
        names |= {communities.DEFAULT, *(row["_id"] for row in own)}
    wanted = sorted(names)[:AT_MOST]
    rules = await communities.rules_of(store, settings, wanted)
    found: list[CommunityStanding] = []
    for name in wanted:
        row = rows.get(name)
        actions = communities.actions_by(rules[name].access, row)
        manages = policy.may_manage(caller, actions)
        role, grants = (row["role"], tuple(row["grants"])) if row else (Role.MEMBER, ())
        administrates = policy.may_administrate(caller, role)
        found.append(CommunityStanding(name, role, grants, manages, administrates))
    return found

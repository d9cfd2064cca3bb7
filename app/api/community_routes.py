"""The rules and members of communities: /communities/{community}/…"""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.routing import BaseRoute

from app.access import communities, management
from app.access.communities import LastAdmin
from app.api import gates
from app.api.call import Call
from app.api.community_views import (
    CeilingsView,
    ConfigRequest,
    ConfigView,
    DefaultsView,
    MemberRequest,
    MemberView,
)
from app.api.operation import Answer, endpoint
from app.api.token_buckets import Kept
from app.buffer import refused_shares
from app.captures import role_changes, withdrawal
from app.context import Context
from app.errors import NotFound, Unavailable
from app.models import Row
from app.settings.ceilings import check_ceilings

_endpoint = partial(endpoint, may=gates.managers)
_OF_ADMINS = {"access", "capture_policy", "sharer_rights", "title"}
"""What says who may do what, and the title; the others are limits."""
_ABOUT_OTHERS = (
    "For admins of the community and of the instance, about others than themselves. The last admin "
    "of a community stays one. "
)


async def _config(ctx: Context, community: str) -> ConfigView:
    rules = await communities.rules(ctx.store, ctx.settings, community)
    ceilings = CeilingsView(
        max_concurrent=ctx.settings.max_concurrent_top,
        max_concurrent_per_user=ctx.settings.max_concurrent_top,
        retention_minutes=ctx.settings.retention_minutes_top,
    )
    defaults = DefaultsView.model_validate(
        vars(communities.rules_by(ctx.settings, community, None))
    )
    told = vars(rules) | {"ceilings": ceilings, "defaults": defaults}
    return ConfigView.model_validate(told)


@_endpoint(
    "GET /communities/{community}/config",
    "The rules of a community",
    description="Its own rules where it has any, the instance's where it has not. For those who "
    "manage its limits.",
    answers={HTTPStatus.OK: Answer("The rules in force.")},
)
async def get_community_config(call: Call[None]) -> ConfigView:
    """Gives the rules in force in a community: its own, or else the instance's."""
    return await _config(call.ctx, call.name("community"))


@_endpoint(
    "PUT /communities/{community}/config",
    "Change the rules of a community",
    description="They act at once on shares that are waiting, refused or being recorded. Another "
    "`access` or `capture_policy` ends the URLs of the community's shares. Limits "
    "need MANAGE_REPLAY_LIMITS and stay below the ceilings of the instance (422 with `ceiling`); "
    "`access`, `capture_policy`, `sharer_rights` and `title` need an admin of the community.",
    answers={HTTPStatus.OK: Answer("The rules in force now.")},
    kept=Kept.RULE,
)
async def set_community_config(call: Call[ConfigRequest]) -> ConfigView:
    """Changes the community's rules that are given; asks for its shares again."""
    ctx, community = call.ctx, call.name("community")
    change = call.input.model_dump(exclude_unset=True)
    if change.keys() & _OF_ADMINS:
        await management.check_administrates(ctx.store, call.caller, community)
    check_ceilings(ctx.settings, **change)
    if change:
        await _configure(call, community, change)
        await refused_shares.ask_again(ctx, {"community": community})
    return await _config(ctx, community)


async def _configure(call: Call[Any], community: str, change: Row) -> None:
    """Changes the rules. If they say otherwise who may do what, URLs of before are good no more."""
    ended = await withdrawal.change_rules(call.ctx, call.caller.identity, community, change)
    call.state.generations.forget(ended.sharers)
    if not ended.whole:
        raise Unavailable(
            "the rules are changed, but not all URLs of before ended: send them again"
        )


@_endpoint(
    "GET /communities/{community}/members/{identity}",
    "Somebody's role",
    description="404 for somebody who was never given a role there: they count as a member.",
    answers={HTTPStatus.OK: Answer("Role and grants.")},
)
async def get_community_member(call: Call[None]) -> MemberView:
    """Gives a member's role and grants."""
    community, identity = call.name("community"), call.name("identity")
    row = await communities.member(call.ctx.store, community, identity)
    if row is None:
        raise NotFound(f"{identity!r} has no role of their own in {community!r}")
    return MemberView.model_validate(row)


@endpoint(
    "PUT /communities/{community}/members/{identity}",
    "Give somebody a role",
    description=_ABOUT_OTHERS + "Nobody gives a role or a grant that they do not hold.",
    answers={HTTPStatus.OK: Answer("Role and grants.")},
    problems=[LastAdmin],
    may=gates.community_admins,
    kept=Kept.RULE,
)
async def set_community_member(call: Call[MemberRequest]) -> MemberView:
    """Gives somebody a role and grants as a member, in place of those they had."""
    member = MemberView(
        community=call.name("community"),
        identity=call.name("identity"),
        role=call.input.role,
        grants=sorted({str(grant) for grant in call.input.grants}),
    )
    ctx, community = call.ctx, member.community
    await management.check_gives(ctx.store, call.caller, community, member.role, member.grants)
    await role_changes.give(ctx, call.caller.identity, **member.model_dump())
    await _ask_again(call)
    return member


@endpoint(
    "DELETE /communities/{community}/members/{identity}",
    "Take somebody's role away",
    description=_ABOUT_OTHERS,
    answers={HTTPStatus.NO_CONTENT: Answer("They have none now.")},
    problems=[LastAdmin],
    may=gates.community_admins,
    kept=Kept.RULE,
)
async def remove_community_member(call: Call[None]) -> None:
    """Takes a member's role and grants away, if they have any."""
    community, identity = call.name("community"), call.name("identity")
    await role_changes.take_away(call.ctx, call.caller.identity, community, identity)
    await _ask_again(call)


async def _ask_again(call: Call[Any]) -> None:
    """Asks again for what somebody's role decides."""
    community, identity = call.name("community"), call.name("identity")
    call.state.generations.forget([identity])
    await refused_shares.ask_again(call.ctx, {"community": community, "identity": identity})


routes: list[BaseRoute] = [
    get_community_config,
    set_community_config,
    get_community_member,
    set_community_member,
    remove_community_member,
]

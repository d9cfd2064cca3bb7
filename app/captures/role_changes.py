"""Giving somebody a role in a community, or taking it away, with all that follows of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app.access import communities, deeds, generations
from app.access.generations import Endable
from app.captures import withdrawal
from app.context import Context
from app.events import outbox
from app.events.contents import RoleChangedContent
from app.models import AuditAction, DeedRow, Role


async def give(
    ctx: Context, by: str, community: str, identity: str, role: str, grants: list[str]
) -> None:
    """Gives somebody a role and single grants, in place of those they had. Raises LastAdmin."""
    given = {"role": role, "grants": grants}
    async with _changed(ctx, by, AuditAction.MEMBER_SET, community, identity, **given):
        await communities.set_member(ctx.store, community, identity, role, grants)


async def take_away(ctx: Context, by: str, community: str, identity: str) -> None:
    """Takes somebody's role and grants away, if they have any. Raises LastAdmin."""
    async with _changed(ctx, by, AuditAction.MEMBER_REMOVED, community, identity):
        await communities.remove_member(ctx.store, community, identity)


async def go_on(ctx: Context, deed: DeedRow) -> None:
    """Goes on after whoever was killed while they changed a role, or just before."""
    if await _role(ctx, deed["data"]["community"], deed["subject"]) == _given(deed):
        await _follow(ctx, deed)
    else:  # it was not done; or it was changed again, by a deed of its own
        await deeds.over(ctx.store, deed)


@asynccontextmanager
async def _changed(
    ctx: Context, by: str, action: AuditAction, community: str, identity: str, **given: Any
) -> AsyncIterator[None]:
    """A role is changed in the block; then what follows of it is done."""
    role, grants = await _role(ctx, community, identity)
    given |= {"community": community, "had": {"role": role, "grants": grants}}
    async with deeds.meant(ctx.store, by, action, identity, **given) as deed:
        yield
    await _follow(ctx, deed)


async def _follow(ctx: Context, deed: DeedRow) -> None:
    """Ends what the role of before gave, writes the audit, and tells whose role is another one."""
    identity, community = deed["subject"], deed["data"]["community"]
    await generations.end(ctx.store, ctx.settings, ctx.instance, identity, [Endable.WATCHING])
    await withdrawal.of_captures(ctx, {"community": community, "caller": identity})
    await deeds.note(ctx.store, deed)
    role, grants = _given(deed)
    if deed["data"]["had"] != {"role": role, "grants": grants}:
        await outbox.tell(
            ctx,
            RoleChangedContent(
                community=community, role=role, grants=grants, changed_by=deed["identity"]
            ),
            deed["_id"],
            room="",
            room_sid="",
            identity=identity,
        )
    await deeds.over(ctx.store, deed)


async def _role(ctx: Context, community: str, identity: str) -> tuple[str, list[str]]:
    row = await communities.member(ctx.store, community, identity)
    return (row["role"], row["grants"]) if row else (Role.MEMBER, [])


def _given(deed: DeedRow) -> tuple[str, list[str]]:
    return deed["data"].get("role", Role.MEMBER), deed["data"].get("grants", [])

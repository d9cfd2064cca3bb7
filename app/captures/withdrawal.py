"""What somebody was permitted and is no longer: it ends at that moment.

URLs of shares end by their generation. A capture that was accepted goes on, and holds nothing of
what came after: its row says until when its caller was permitted it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from app.access import communities, deeds, generations, visibility
from app.access.communities import Rules
from app.access.generations import Endable
from app.access.policy import Right
from app.access.tokens import Caller
from app.access.visibility import share_of
from app.context import Context
from app.models import (
    AccessMode,
    AuditAction,
    CapturePolicy,
    CaptureRow,
    CaptureStatus,
    ClipNote,
    Cut,
    DeedRow,
    Row,
)
from app.models.schema import Buffer, Capture, Community, NotedRules
from app.store import after, dated, row_of
from app.work import rounds

log = structlog.get_logger()


@dataclass(frozen=True)
class Withdrawn:
    """Of whose shares URLs were ended, and whether all was ended that there was to end."""

    sharers: Collection[str] = ()
    whole: bool = True


async def of_rules(ctx: Context, shares: Row) -> Withdrawn:
    """Rules have changed that say who may do what with these shares, which are a filter."""
    ended_all = True
    sharers: list[str] = await ctx.store.rows(Buffer).distinct("identity", shares)
    for sharer in sharers:
        with rounds.item(sharer=sharer) as attempt:
            await generations.end(ctx.store, ctx.settings, ctx.instance, sharer, [Endable.SHARING])
        ended_all &= attempt.error is None
    return Withdrawn(sharers, await of_captures(ctx, shares) and ended_all)


async def of_captures(ctx: Context, which: Row) -> bool:
    """Captures may be of what their callers may capture no longer: those that `which` matches.

    False if one of them could not be looked at.
    """
    looked_at_all = True
    now = datetime.now(UTC)
    # What is not finished is leased to somebody, or waits for them: these are few.
    leased = {"lease_until": dated()}
    open_ones = {"window_end": after(now), "status": {"$in": CaptureStatus.unfinished()}}
    of_others = {"by_rules": True, "permitted_until": None}
    for row in await ctx.store.matching(Capture, leased, which | open_ones | of_others):
        with rounds.item(capture=row["_id"]) as attempt:
            await of_capture(ctx, row, now)
        looked_at_all &= attempt.error is None
    return looked_at_all


async def of_capture(ctx: Context, row: CaptureRow, now: datetime) -> CaptureRow:
    """Ends what a capture may hold, at `now`, if its caller may capture it no longer."""
    # By rules, it was nothing of their token that permitted it but who they are.
    caller = Caller(row["caller"], room=row["room"])
    had = Right.WITNESS if ClipNote.WHILE_PRESENT in row["notes"] else Right.CAPTURE
    permit = await visibility.permit(ctx.store, ctx.settings, caller, share_of(row))
    if permit.right >= had:
        return row
    cut = to_the_frame(row["cut"])
    await ctx.store.rows(Capture).update_one(
        {"_id": row["_id"], "permitted_until": None}, {"$set": {"permitted_until": now, "cut": cut}}
    )
    log.info("capture_cut_short", capture=row["_id"], by=row["caller"])
    return {**row, "permitted_until": now, "cut": cut}


def to_the_frame(cut: Cut) -> Cut:
    """The cut of a window of which no more may be shown than it holds, as whole segments do."""
    return Cut.PRECISE if cut == Cut.SEGMENT else cut


async def of_settings(ctx: Context) -> None:
    """Ends what ACCESS and CAPTURE_POLICY gave, if they are others than at the last start.

    They are noted when that is done: if it is killed meanwhile, the next start does it.
    """
    given = ctx.settings
    rules = NotedRules(id="instance", access=given.access, capture_policy=given.capture_policy)
    if await ctx.store.rows(NotedRules).find_one({"_id": rules.id}) != row_of(rules):
        await _end(ctx, rules, {})
        log.info(
            "rules_of_instance_changed", access=rules.access, capture_policy=rules.capture_policy
        )


async def change_rules(ctx: Context, by: str, community: str, change: Row) -> Withdrawn:
    """Changes a community's own rules, by somebody's word, and ends what those of before gave.

    `change` holds fields of `Community`, None to fall back.
    """
    action = AuditAction.COMMUNITY_CONFIGURED
    async with deeds.meant(ctx.store, by, action, community, **change) as deed:
        before = await communities.rules(ctx.store, ctx.settings, community)
        await note(ctx, before)
        await communities.configure(ctx.store, community, change)
    now = await communities.rules(ctx.store, ctx.settings, community)
    ended = await of_community(ctx, before, now)
    await deeds.note(ctx.store, deed)
    await deeds.over(ctx.store, deed)
    return ended


async def note(ctx: Context, before: Rules) -> None:
    """Notes the rules of a community that is about to change them, unless some are noted."""
    await ctx.store.create(_noted(before))


async def of_community(ctx: Context, before: Rules, now: Rules) -> Withdrawn:
    """Ends what a community's rules gave, if they are others now than before, or than noted.

    Those of now are noted when that is done. After a process that was killed meanwhile a worker
    does it, see `go_on`; what could not be ended is left to the next change.
    """
    rules = _noted(now)
    found = await ctx.store.rows(NotedRules).find_one({"_id": rules.id})
    if row_of(_noted(before)) == row_of(rules) == found:
        return Withdrawn()
    return await _end(ctx, rules, {"community": now.community})


async def go_on(ctx: Context, deed: DeedRow) -> None:
    """Goes on after whoever was killed while they changed a community's rules, or just before."""
    community = deed["subject"]
    rules = await communities.rules(ctx.store, ctx.settings, community)
    if await ctx.store.rows(NotedRules).find_one({"_id": _noted(rules).id}):  # else it was not done
        await of_community(ctx, rules, rules)
    row = await ctx.store.rows(Community).find_one(
        {"_id": community}, dict.fromkeys(deed["data"], 1)
    )
    if row is not None and deed["data"].items() <= {**row}.items():
        await deeds.note(ctx.store, deed)
    await deeds.over(ctx.store, deed)


def _noted(of: Rules) -> NotedRules:
    return NotedRules(
        id=f"community/{of.community}",
        access=AccessMode(of.access),
        capture_policy=CapturePolicy(of.capture_policy),
    )


async def _end(ctx: Context, rules: NotedRules, shares: Row) -> Withdrawn:
    ended = await of_rules(ctx, shares)
    if ended.whole:
        row = row_of(rules)
        await ctx.store.rows(NotedRules).replace_one({"_id": rules.id}, row, upsert=True)
    return ended

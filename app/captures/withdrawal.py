"""What somebody was permitted and is no longer: it ends at that moment.

URLs of shares end by their generation. A capture that was accepted goes on, and holds nothing of
what came after: its row says until when its caller was permitted it.
"""

from __future__ import annotations

from datetime import UTC, datetime

import structlog

from app.access import generations, visibility
from app.access.generations import Endable
from app.access.policy import Right
from app.access.tokens import Caller
from app.access.visibility import share_of
from app.context import Context
from app.models import CaptureRow, CaptureStatus, ClipNote, Cut, Row
from app.models.schema import Buffer, Capture, InstanceRules
from app.store import after
from app.work import rounds

log = structlog.get_logger()

_INSTANCE = "instance"


async def of_rules(ctx: Context, shares: Row) -> None:
    """Rules have changed that say who may do what with these shares, which are a filter."""
    for sharer in await ctx.store.rows(Buffer).distinct("identity", shares):
        await generations.end(ctx.store, ctx.settings, ctx.instance, sharer, [Endable.SHARING])
    await of_captures(ctx, shares)


async def of_captures(ctx: Context, which: Row) -> None:
    """Captures may be of what their callers may capture no longer: those that `which` matches."""
    now = datetime.now(UTC)
    open_ones = {"window_end": after(now), "status": {"$in": CaptureStatus.unfinished()}}
    of_others = {"by_rules": True, "permitted_until": None}
    for row in await ctx.store.rows(Capture).find(which | open_ones | of_others).to_list(None):
        with rounds.item(capture=row["_id"]):
            await of_capture(ctx, row, now)


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

    They are noted when that is done: whoever is killed meanwhile leaves it to the next start.
    """
    rules = {"access": ctx.settings.access, "capture_policy": ctx.settings.capture_policy}
    noted = ctx.store.rows(InstanceRules)
    row = await noted.find_one({"_id": _INSTANCE})
    if row is not None and all(row[name] == value for name, value in rules.items()):  # type: ignore[literal-required]
        return
    await of_rules(ctx, {})
    await noted.update_one({"_id": _INSTANCE}, {"$set": rules}, upsert=True)
    log.info("rules_of_instance_changed", **rules)

"""Looks captures up as their callers may see them: a stranger's is the same as none."""

from __future__ import annotations

from app.access.tokens import Caller
from app.context import Context
from app.errors import NotFound
from app.models import CaptureStatus, Row
from app.models.schema import Capture


async def find(ctx: Context, caller: Caller, capture_id: str) -> Row:
    """A capture of the caller's. Raises NotFound, also for somebody else's."""
    mine = {"_id": capture_id}
    mine |= {} if caller.instance_admin else {"caller": caller.identity}
    mine |= {} if caller.room is None else {"room": caller.room}
    row = await ctx.store.rows(Capture).find_one(mine)
    if row is None or row["status"] == CaptureStatus.ACCEPTING:
        raise NotFound("there is no such capture, or it is not yours")
    return row

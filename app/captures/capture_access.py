"""Looks captures up as their callers may see them: a stranger's is the same as none."""

from __future__ import annotations

from app.access import policy
from app.access.tokens import Caller
from app.context import Context
from app.errors import Gone, NotFound
from app.models import CaptureRow, CaptureStatus
from app.models.schema import Capture


async def find(ctx: Context, caller: Caller | None, capture_id: str) -> CaptureRow:
    """A capture of the caller's. `caller` None: a signature has allowed it.

    Raises NotFound, also for somebody else's; Gone if a signature says that it once was there.
    """
    row = await ctx.store.rows(Capture).find_one({"_id": capture_id})
    if caller is None:
        if row is None:
            raise Gone("nothing is known of this capture any more")
        return row
    if row is None or row["status"] == CaptureStatus.ACCEPTING or not _sees(caller, row):
        raise NotFound("there is no such capture, or it is not yours")
    return row


def _sees(caller: Caller, row: CaptureRow) -> bool:
    return policy.may_see_capture(caller, by=row["caller"], room=row["room"])

"""Which share a request means, if its sender may see it, and watch it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.access import visibility
from app.access.policy import Right, Share
from app.access.tokens import Caller
from app.api import auth
from app.buffer import timeline
from app.buffer.timeline import Timeline
from app.context import Context
from app.errors import Gone, NotFound
from app.models import Buffer

_NO_BUFFER = "there is no such buffer, or it is not yours to see"


async def seen(ctx: Context, caller: Caller, buffer_id: str) -> dict[str, Any]:
    """A buffer's row. Raises NotFound if there is none, or none that the caller may see."""
    row = await ctx.store.rows(Buffer).find_one({"_id": buffer_id})
    if row is None or not await _sees(ctx, caller, visibility.share_of(row)):
        raise NotFound(_NO_BUFFER)
    return row


async def seen_timeline(
    ctx: Context, reader: auth.Reader, buffer_id: str, now: datetime
) -> Timeline:
    """A buffer's timeline.

    Raises NotFound as `seen` does; Gone if a signature says that the buffer once was there.
    """
    line = await timeline.read(ctx.store, buffer_id, now, ctx.settings)
    caller = reader.caller
    if caller is None:
        if line is None:
            raise Gone("nothing is kept of this share any more")
        return line
    if line is None or not await _sees(ctx, caller, visibility.share_in(line)):
        raise NotFound(_NO_BUFFER)
    return line


async def check_window(
    ctx: Context, reader: auth.Reader, share: Share, start: datetime, end: datetime
) -> None:
    """Raises NotPermitted unless the reader, who sees the share, may watch this window of it."""
    if reader.caller is not None:
        await visibility.check(ctx.store, ctx.settings, reader.caller, share, (start, end))


async def _sees(ctx: Context, caller: Caller, share: Share) -> bool:
    return await visibility.right(ctx.store, ctx.settings, caller, share) >= Right.SEE

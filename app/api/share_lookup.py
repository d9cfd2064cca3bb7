"""Which share a request means, if its sender may see it, and watch it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from app.access import visibility
from app.access.policy import Right, Share
from app.access.tokens import Caller
from app.api import auth, wire
from app.captures.requests import Instant, Seconds
from app.context import Context
from app.errors import BufferEmpty, Gone, NotFound
from app.models import MediaRange, Tail
from app.models.schema import Buffer
from app.viewing import timeline, windows
from app.viewing.timeline import Timeline

_NO_BUFFER = "there is no such buffer, or it is not yours to see"


class WindowQuery(wire.Input):
    """Which part of a buffer: `last` seconds, or from `start` to `end`."""

    last: Annotated[Seconds, Field(gt=0)] | None = None
    start: Instant | None = None
    end: Instant | None = None


@dataclass(frozen=True)
class SeenWindow:
    """The window [start, end) of a buffer, as far as there is media, and where that lies."""

    start: datetime
    end: datetime
    spans: tuple[MediaRange, ...]


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


async def seen_window(
    ctx: Context, reader: auth.Reader, buffer_id: str, asked: WindowQuery, now: datetime
) -> SeenWindow:
    """The part of a buffer that is asked for, all that is there by default, if it may be watched.

    Raises NotFound, NotPermitted, BufferEmpty, Gone, Invalid, WindowTooLong.
    """
    line = await seen_timeline(ctx, reader, buffer_id, now)
    if asked.model_fields_set:
        if asked.start is not None and asked.end is not None:
            oldest = line.oldest or timeline.offered_from(now, ctx.settings)
            windows.refuse_gone(line, asked.start, asked.end, oldest)
        window = windows.resolve(
            line,
            now,
            ctx.settings,
            last=asked.last,
            start=asked.start,
            end=asked.end,
            tail=Tail.SKIP,
        )
        seen = SeenWindow(window.start, window.end, window.spans)
    elif line.oldest is not None and line.newest is not None:
        spans = windows.spans_between(line, line.oldest, line.newest)
        seen = SeenWindow(line.oldest, line.newest, spans)
    else:
        raise BufferEmpty(f"nothing is recorded yet; the share is {line.state}", retry_after=5)
    await check_window(ctx, reader, visibility.share_in(line), seen.start, seen.end)
    return seen


async def check_window(
    ctx: Context, reader: auth.Reader, share: Share, start: datetime, end: datetime
) -> None:
    """Raises NotPermitted unless the reader, who sees the share, may watch this window of it."""
    if reader.caller is not None:
        await visibility.check(ctx.store, ctx.settings, reader.caller, share, (start, end))


async def _sees(ctx: Context, caller: Caller, share: Share) -> bool:
    return await visibility.right(ctx.store, ctx.settings, caller, share) >= Right.SEE

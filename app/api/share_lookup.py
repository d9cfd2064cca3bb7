"""Which share a request means, if its sender may see it, and watch it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from app.access import visibility
from app.access.policy import Right, Share
from app.access.tokens import Caller
from app.api import wire
from app.api.call import Call
from app.captures.requests import Instant, Seconds
from app.context import Context
from app.errors import BufferEmpty, Gone, NotFound
from app.models import BufferRow, MediaRange, Tail
from app.models.schema import Buffer
from app.viewing import timeline, timelines, windows
from app.viewing.timeline import Timeline
from app.viewing.windows import Window

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


async def seen(call: Call[Any], buffer_id: str) -> BufferRow:
    """A buffer's row. Raises NotFound if there is none, or none that the caller may see."""
    row = await call.ctx.store.rows(Buffer).find_one({"_id": buffer_id})
    if row is None or not await _sees(call.ctx, call.caller, visibility.share_of(row)):
        raise NotFound(_NO_BUFFER)
    return row


async def seen_timeline(call: Call[Any]) -> Timeline:
    """The timeline of the buffer in the path.

    Raises NotFound as `seen` does; Gone if a signature says that the buffer once was there.
    """
    ctx, caller = call.ctx, call.reader.caller
    line = await timelines.read(ctx.store, call.path["buffer_id"], call.now, ctx.settings)
    if caller is None:
        if line is None:
            raise Gone("nothing is kept of this share any more")
        return line
    if line is None or not await _sees(ctx, caller, visibility.share_in(line)):
        raise NotFound(_NO_BUFFER)
    return line


async def seen_window(call: Call[WindowQuery]) -> SeenWindow:
    """The part of a buffer that is meant, all that is there by default, if it may be watched.

    Raises NotFound, NotPermitted, BufferEmpty, Gone, Invalid, WindowTooLong.
    """
    line = await seen_timeline(call)
    if call.input.model_fields_set:
        start, end, settings = call.input.start, call.input.end, call.ctx.settings
        if start is not None and end is not None:
            oldest = line.oldest or timeline.offered_from(call.now, settings)
            windows.refuse_gone(line, start, end, oldest)
        window = resolved(call, line)
        found = SeenWindow(window.start, window.end, window.spans)
    elif line.oldest is not None and line.newest is not None:
        spans = windows.spans_between(line, line.oldest, line.newest)
        found = SeenWindow(line.oldest, line.newest, spans)
    else:
        raise BufferEmpty(f"nothing is recorded yet; the share is {line.state}", retry_after=5)
    await check_window(call, visibility.share_in(line), found.start, found.end)
    return found


def resolved(call: Call[WindowQuery], line: Timeline) -> Window:
    """The window that is meant, in a timeline. Raises BufferEmpty, Invalid, WindowTooLong."""
    last, start, end = call.input.last, call.input.start, call.input.end
    settings = call.ctx.settings
    return windows.resolve(
        line, call.now, settings, last=last, start=start, end=end, tail=Tail.SKIP
    )


async def check_window(call: Call[Any], share: Share, start: datetime, end: datetime) -> None:
    """Raises NotPermitted unless the reader, who sees the share, may watch this window of it."""
    ctx, caller = call.ctx, call.reader.caller
    if caller is not None:
        await visibility.check(ctx.store, ctx.settings, caller, share, (start, end))


async def _sees(ctx: Context, caller: Caller, share: Share) -> bool:
    return await visibility.right(ctx.store, ctx.settings, caller, share) >= Right.SEE

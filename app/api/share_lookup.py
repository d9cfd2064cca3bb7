"""Which share a request means, if its sender may see it, and watch it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from app.access import visibility
from app.access.policy import Right, Share
from app.access.tokens import Caller
from app.access.visibility import Permit
from app.api import auth, wire
from app.api.auth import Reader
from app.api.call import Call
from app.context import Context
from app.errors import BufferEmpty, Gone, NotFound
from app.models import BufferRow, MediaRange, Tail, instants
from app.models.input_types import Instant, Seconds
from app.models.intervals import Interval
from app.models.schema import Buffer
from app.viewing import stored_timelines, timeline, windows, witness_view
from app.viewing.timeline import Timeline
from app.viewing.windows import Window

_STAYS = r"^[0-9]{1,15}-[0-9]{1,15}(,[0-9]{1,15}-[0-9]{1,15})*$"
"""Stretches of time: Unix times in milliseconds."""
MOST_STAYS = 100
"""Of one URL: the newest ones."""
_NO_BUFFER = "there is no such buffer, or it is not yours to see"


class WindowQuery(wire.Input):
    """Which part of a buffer: `last` seconds, or from `start` to `end`."""

    last: Seconds | None = Field(
        None,
        description="The last so many seconds of what is there; a number, or `30s`, `2m`. Without "
        "a window: all of it.",
    )
    start: Instant | None = Field(
        None, description="Where the window begins, with `end`; in place of `last`."
    )
    end: Instant | None = Field(None, description="Where it ends.")
    stays: Annotated[str, Field(pattern=_STAYS, max_length=4000)] | None = Field(
        None,
        description="Of URLs of ours: the only parts of it that they open. Unix times in "
        "milliseconds.",
        examples=["1793704500000-1793704530000"],
    )


@dataclass(frozen=True)
class SeenWindow:
    """The window [start, end) of `sharer`'s buffer, as far as there is media, and where that is."""

    sharer: str
    start: datetime
    end: datetime
    ranges: tuple[MediaRange, ...]


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
    line = await stored_timelines.read(ctx.store, call.path["buffer_id"], call.now, ctx.settings)
    if caller is None:
        if line is None:
            raise Gone("nothing is kept of this share any more")
        return line
    if line is None or not await _sees(ctx, caller, visibility.share_in(line)):
        raise NotFound(_NO_BUFFER)
    return line


async def seen_window(call: Call[WindowQuery]) -> SeenWindow:
    """What may be watched of the part of a buffer that is meant, by default of all that is there.

    Raises NotFound, NotPermitted, BufferEmpty, Gone, Invalid, WindowTooLong.
    """
    line = await seen_timeline(call)
    permit = await permitted(call, visibility.share_in(line))
    if call.input.model_fields_set - {"stays"}:
        start, end, settings = call.input.start, call.input.end, call.ctx.settings
        if start is not None and end is not None:
            oldest = line.oldest or timeline.offered_from(call.now, settings)
            windows.refuse_gone(line, start, end, oldest)
        window = resolved(call, line, permit)
        return SeenWindow(line.identity, window.start, window.end, window.ranges)
    if line.oldest is None or line.newest is None:
        raise BufferEmpty(f"nothing is recorded yet; the share is {line.state}", retry_after=5)
    pieces = permit.of(line.oldest, line.newest)
    if not pieces:
        raise witness_view.refusal(line.oldest, line.newest)
    ranges = windows.ranges_within(line, pieces)
    return SeenWindow(line.identity, pieces[0][0], pieces[-1][1], ranges)


def resolved(call: Call[WindowQuery], line: Timeline, permit: Permit) -> Window:
    """What of the window that is meant may be watched, in a timeline.

    Raises BufferEmpty, Invalid, NotPermitted, WindowTooLong.
    """
    last, start, end = call.input.last, call.input.start, call.input.end
    return windows.resolve(
        line,
        call.now,
        call.ctx.settings,
        last=last,
        start=start,
        end=end,
        tail=Tail.SKIP,
        stays=permit.stays,
    )


async def permitted(call: Call[Any], share: Share) -> Permit:
    """What of a share the reader, who sees it, may watch. Raises NotPermitted if nothing."""
    ctx, caller = call.ctx, call.reader.caller
    if caller is None:
        return signed(call)
    permit = await visibility.permit(ctx.store, ctx.settings, caller, share)
    if permit.right < Right.WITNESS:
        raise visibility.refusal(caller, share.identity, share.room)
    return permit


async def check_window(call: Call[Any], share: Share, start: datetime, end: datetime) -> None:
    """Raises NotPermitted unless the reader, who sees the share, may watch something of [start,
    end)."""
    if not (await permitted(call, share)).of(start, end):
        raise witness_view.refusal(start, end)


async def reader_of(call: Call[Any], sharer: str) -> Reader:
    """The reader, to make URLs of a share of `sharer`'s for."""
    return (await auth.readers_of_shares(call.state, call.reader, [sharer]))[sharer]


def query_of(pieces: Sequence[Interval]) -> dict[str, str]:
    """The query of a URL that opens these pieces of time, at least one: the newest of very many."""
    newest = pieces[-MOST_STAYS:]
    query = {"start": instants.written(newest[0][0]), "end": instants.written(newest[-1][1])}
    if len(newest) == 1:
        return query
    return query | {"stays": ",".join(f"{_unix_ms(a)}-{_unix_ms(b)}" for a, b in newest)}


def signed(call: Call[Any]) -> Permit:
    """What a signed URL opens: all that its path and query name, or the `stays` of them."""
    query = call.input
    if not isinstance(query, WindowQuery) or query.stays is None:
        return Permit(Right.CAPTURE, None)
    pairs = (piece.split("-") for piece in query.stays.split(","))
    stays = tuple((_instant(int(start)), _instant(int(end))) for start, end in pairs)
    return Permit(Right.WITNESS, stays)


def _unix_ms(instant: datetime) -> int:
    return (instant - instants.EPOCH) // timedelta(milliseconds=1)


def _instant(unix_ms: int) -> datetime:
    return instants.EPOCH + timedelta(milliseconds=unix_ms)


async def _sees(ctx: Context, caller: Caller, share: Share) -> bool:
    permit = await visibility.permit(ctx.store, ctx.settings, caller, share)
    return permit.right >= Right.SEE

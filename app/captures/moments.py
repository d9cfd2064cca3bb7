"""Moments: one window of all shares of a room, a capture of each, under one id.

Each is accepted as any other capture, by its own right and at its own cost. Which ones belong
together stands in their rows alone: the first row says for all those that follow, also when the
same is asked for again, which window is meant.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.access import visibility
from app.access.tokens import Caller
from app.captures import acceptance, idempotency
from app.captures.moment_request import MomentRequest
from app.captures.requests import CaptureRequest
from app.context import Context
from app.errors import (
    BufferEmpty,
    Conflict,
    ReplayError,
    TooManyCaptures,
    TooManyRequests,
    Unavailable,
)
from app.models import CaptureRow, CaptureStatus, instants, same_request
from app.models.schema import Capture
from app.viewing import room_shares, windows
from app.viewing.served_movies import to_milliseconds
from app.viewing.timeline import Timeline


@dataclass(frozen=True)
class RoomMoment:
    """The window [start, end) of the shares of one room."""

    id: str
    room_sid: str
    start: datetime
    end: datetime

    @classmethod
    def of(cls, row: CaptureRow, post_roll: timedelta) -> RoomMoment:
        """The moment that a capture is of."""
        end = row["requested_end"] - post_roll
        return cls(row["moment_id"] or "", row["room_sid"], row["requested_start"], end)


@dataclass(frozen=True)
class Refused:
    """A share of which there will be no clip, and why."""

    buffer_id: str
    sharer: str
    error: ReplayError


@dataclass(frozen=True)
class AcceptedMoment:
    """What becomes of a moment: the captures, at least one, and what can't be captured.

    `complete`: the room has no more shares than were tried.
    """

    moment: RoomMoment
    captures: tuple[CaptureRow, ...]
    refused: tuple[Refused, ...]
    complete: bool


async def accept(
    ctx: Context,
    caller: Caller,
    room: str,
    request: MomentRequest,
    idempotency_key: str | None = None,
    *,
    count: Callable[[], None],
) -> AcceptedMoment:
    """Captures of all shares of a room that went on in the window, as far as the caller may.

    With a key that the caller has used of late those that were accepted then are among them, and
    the others are tried again: for the window of then. `count` is called before each new one but
    the first that the caller may have; what it raises refuses that one. Raises NotFound,
    BufferEmpty, Invalid, WindowTooLong, Conflict, Unavailable; what refused the first share if each
    was refused.
    """
    request_hash = same_request.hash_of(request, "moment", room)
    post_roll = timedelta(seconds=request.post_roll)
    before = await idempotency.parts_before(ctx, caller, request_hash, idempotency_key)
    moment = RoomMoment.of(before[0], post_roll) if before else _new(ctx, request)
    room_sid = moment.room_sid or request.room_sid
    seen = await visibility.scope(ctx.store, ctx.settings, caller)
    now = datetime.now(UTC)
    found = await room_shares.read(ctx.store, ctx.settings, seen, room, room_sid, now)
    if found is None and not before:
        raise room_shares.none_seen(room)
    captures = {r["buffer_id"]: r for r in before if r["status"] != CaptureStatus.ACCEPTING}
    refused: list[Refused] = []
    full: ReplayError | None = None
    new = 0

    def count_one() -> None:
        nonlocal new
        if new:
            count()
        new += 1

    for line in _in_order(found.lines if found else ()):
        if line.buffer_id in captures or not _goes_on(line, moment, post_roll):
            continue
        part = idempotency.key_of_part(idempotency_key, line.buffer_id)
        try:
            # Anybody may publish many of which nothing is recorded: these cost the caller nothing.
            windows.refuse_empty(line, now, request.tail)
            if full:
                raise full  # nor would those that follow be let in
            row = await _capture(
                ctx, caller, line, request, moment, request_hash, part, count=count_one
            )
        except (Conflict, Unavailable):
            raise  # of the request, not of this share
        except ReplayError as error:
            if isinstance(error, TooManyCaptures | TooManyRequests):
                full = error
            refused.append(Refused(line.buffer_id, line.identity, error))
        else:
            captures[line.buffer_id] = row
            moment = RoomMoment.of(row, post_roll)  # who asked for the same at once was first
    if captures:
        complete = found is None or found.complete
        return AcceptedMoment(moment, tuple(captures.values()), tuple(refused), complete)
    if refused:
        raise refused[0].error
    raise BufferEmpty(f"nothing was shared in the room {room!r} in this window")


def _new(ctx: Context, request: MomentRequest) -> RoomMoment:
    """The moment that is asked for now, of a room that is not known yet."""
    start, end = request.start, request.end
    if request.last is not None:
        longest = ctx.settings.max_capture.total_seconds()
        windows.refuse_length(request.last, request.post_roll, longest)
        end = datetime.now(UTC)
        start = end - timedelta(seconds=request.last)
    assert start is not None
    assert end is not None
    # As rows have it: asked again, it is the same.
    return RoomMoment(secrets.token_hex(12), "", to_milliseconds(start), to_milliseconds(end))


def _in_order(lines: Sequence[Timeline]) -> list[Timeline]:
    """In an order that stays while shares begin: two that ask for the same meet at the first."""
    return sorted(lines, key=lambda line: (line.since, line.buffer_id))


def _goes_on(line: Timeline, moment: RoomMoment, post_roll: timedelta) -> bool:
    """Whether a share was there in the window, recorded or not."""
    start, end = moment.start, moment.end + post_roll
    if any(span.start < end and start < span.end for span in line.spans):
        return True
    return line.since < end and (line.ended_at is None or line.ended_at > start)


async def _capture(
    ctx: Context,
    caller: Caller,
    line: Timeline,
    request: MomentRequest,
    moment: RoomMoment,
    request_hash: str,
    key: str | None,
    *,
    count: Callable[[], None],
) -> CaptureRow:
    of_share = CaptureRequest.model_validate(
        {
            "buffer_id": line.buffer_id,
            "start": instants.written(moment.start),
            "end": instants.written(moment.end),
            **request.model_dump(include={"post_roll", "tail", "cut", "gaps", "title"}),
        }
    )

    async def asked() -> Capture:
        capture = await acceptance.permitted(ctx, caller, of_share)
        count()
        capture.moment_id = moment.id
        return capture

    return await acceptance.accept_once(ctx, caller, asked, request_hash, key)

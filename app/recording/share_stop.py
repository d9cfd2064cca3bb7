"""Ends the recording of a share that goes on, by somebody's word, until they take it back.

The word is a fact in the buffer's row, so it survives any process. It refuses the share as the
sharer's own attribute does. What was buffered stays.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from app.access import deeds, generations
from app.access.generations import Endable
from app.access.tokens import Caller
from app.buffer import retention_period
from app.context import Context
from app.errors import Conflict, NotPermitted
from app.models import AuditAction, BufferRow, BufferState, DeedRow, Stopper, Why
from app.models.schema import Buffer
from app.store import Store
from app.work import errands

_WHY: dict[Stopper, Why] = {
    Stopper.SHARER: Why.STOPPED_BY_SHARER,
    Stopper.ADMIN: Why.STOPPED_BY_ADMIN,
}


def refusal(buffer: BufferRow) -> Why | None:
    """The reason of a share whose recording somebody has stopped; None if nobody has."""
    stops = buffer["stops"]
    return next((why for who, why in _WHY.items() if who in stops), None)


def detail(buffer: BufferRow, why: Why | None) -> str:
    """The words of whoever stopped the share; none if it is refused for another reason."""
    stops = buffer["stops"]
    return next((stops[who] for who, each in _WHY.items() if each is why and who in stops), "")


async def stop(
    ctx: Context, caller: Caller, buffer: BufferRow, standing: Collection[Stopper], reason: str
) -> None:
    """Ends the recording of a share. A second stop by the same side keeps the words of the first.

    `standing`: as whom the caller may. Raises NotPermitted if that is nobody, Conflict if the share
    is over and goes on in no other track.
    """
    await _check(ctx, buffer, standing, "stop")
    who = Stopper.SHARER if Stopper.SHARER in standing else Stopper.ADMIN
    deed = await deeds.mean(
        ctx.store, caller.identity, AuditAction.RECORDING_STOPPED, buffer["_id"],
        room=buffer["room"], sharer=buffer["identity"], stopped_as=who, reason=reason,
    )  # fmt: skip
    changed = await ctx.store.rows(Buffer).update_one(
        {"_id": buffer["_id"], f"stops.{who}": {"$exists": False}},
        {"$set": {f"stops.{who}": reason}},
    )
    await _follow(ctx, deed, is_first=bool(changed.modified_count))
    await ctx.queue.ask(errands.RECONCILE, buffer["room_sid"], buffer["identity"])


async def go_on(ctx: Context, deed: DeedRow) -> None:
    """Goes on after whoever was killed while they stopped a recording, or just before."""
    of_share = {"_id": deed["subject"]}
    buffer = await ctx.store.rows(Buffer).find_one(of_share, {"stops": 1})
    told = deed["data"]
    if buffer is not None and buffer["stops"].get(told["stopped_as"]) == told["reason"]:
        await _follow(ctx, deed, is_first=True)
    else:  # it was not done, or is taken back
        await deeds.over(ctx.store, deed)


async def _follow(ctx: Context, deed: DeedRow, *, is_first: bool) -> None:
    """What follows of a stop: its audit, if nobody of that side has stopped it before; and the
    sharer's word ends the URLs of their shares."""
    if is_first:
        await deeds.note(ctx.store, deed)
    if deed["data"]["stopped_as"] == Stopper.SHARER:
        sharer = deed["data"]["sharer"]
        await generations.end(ctx.store, ctx.settings, ctx.instance, sharer, [Endable.SHARING])
    await deeds.over(ctx.store, deed)


async def resume(
    ctx: Context, caller: Caller, buffer: BufferRow, standing: Collection[Stopper]
) -> None:
    """Takes back what the caller, or others of the same standing, stopped.

    Raises Conflict as `stop` does, NotPermitted if only the other side stopped it: nobody is
    recorded against their word, and no admin is overruled by whom they stopped.
    """
    await _check(ctx, buffer, standing, "resume")
    stops = buffer["stops"]
    taken_back = sorted(who for who in standing if who in stops)
    if stops and not taken_back:
        raise NotPermitted(
            "the sharer stopped this recording, and only they can resume it"
            if Stopper.SHARER in stops
            else "an admin stopped this recording, and only an admin can resume it"
        )
    if taken_back:
        async with deeds.audited(
            ctx.store, caller.identity, AuditAction.RECORDING_RESUMED, buffer["_id"],
            room=buffer["room"], sharer=buffer["identity"], stopped_as=taken_back,
        ) as doing:  # fmt: skip
            changed = await ctx.store.rows(Buffer).update_one(
                {"_id": buffer["_id"]}, {"$unset": {f"stops.{who}": "" for who in taken_back}}
            )
            doing.is_done = bool(changed.modified_count)
    await ctx.queue.ask(errands.RECONCILE, buffer["room_sid"], buffer["identity"])


async def is_resumed(store: Store, deed: DeedRow) -> bool:
    """Whether the stops of a share that somebody was about to take back are taken back."""
    row = await store.rows(Buffer).find_one({"_id": deed["subject"]}, {"stops": 1})
    return row is not None and not row["stops"].keys() & deed["data"]["stopped_as"]


async def _check(ctx: Context, buffer: BufferRow, standing: Collection[Stopper], what: str) -> None:
    if not standing:
        raise NotPermitted(
            f"only {buffer['identity']!r}, whose share it is, and the admins of its community, its "
            f"room or the instance may {what} its recording"
        )
    if buffer["ended_at"] is None:
        return
    # As in the middle of a reconnect: see `continuation.taken_up`.
    may_go_on = await retention_period.of_buffer(ctx.store, ctx.settings, buffer["_id"])
    if datetime.now(UTC) - buffer["ended_at"] > may_go_on:
        raise Conflict(
            "the share is over: there is nothing left to record", state=BufferState.ENDED
        )

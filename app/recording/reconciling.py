"""Asks for the reconciles of many: of one room so many a second, however many it has."""

from __future__ import annotations

from collections.abc import Iterable

from app.context import Context
from app.store import chunks
from app.work import errands, rounds
from app.work.jobs import seconds

Who = tuple[str, str]
"""Room sid and identity."""
_OF_A_ROOM_PER_SECOND = 50
_AT_ONCE = 500


async def ask(ctx: Context, affected: Iterable[Who]) -> None:
    """Asks for a reconcile of each. Those of a room come one after another, beside other rooms'."""
    asked, of_room = [], dict[str, int]()
    for room_sid, identity in affected:
        place = of_room.get(room_sid, 0)
        of_room[room_sid] = place + 1
        after = seconds(place / _OF_A_ROOM_PER_SECOND)
        asked.append(errands.RECONCILE.of(room_sid, identity, after=after))
    for chunk in chunks(asked, _AT_ONCE):
        with rounds.item(reconciles=len(chunk)):
            await ctx.queue.ask_all(chunk)

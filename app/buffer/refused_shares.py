"""Live shares that are refused: looked at again where the reason may have gone."""

from __future__ import annotations

from app.context import Context
from app.models import Row
from app.models.schema import Buffer
from app.work import errands, rounds


async def ask_again(ctx: Context, which: Row) -> None:
    """Asks for a reconcile of live shares whose buffers match. Their refusal may have changed."""
    whose = {field: which[field] for field in ("community", "identity") if field in which}
    fields = {"$project": {"room_sid": 1, "identity": 1}}
    # What an index serves is asked for first: those that are over leave many rows.
    for row in await ctx.store.matching(Buffer, whose | {"ended_at": None}, which, fields):
        with rounds.item(buffer=row["_id"]):
            await ctx.queue.ask(errands.RECONCILE, row["room_sid"], row["identity"])

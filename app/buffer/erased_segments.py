"""Which segments hold what is to go of their share: their rows and files may still be there."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from app.buffer.retention import is_erased
from app.models import BufferRow, SegmentRow
from app.models.intervals import Interval
from app.models.schema import Buffer
from app.store import Store

_FIELDS = {"forget_before": 1, "forget_ranges": 1}


async def left_of(store: Store, rows: Sequence[SegmentRow]) -> list[SegmentRow]:
    """Those of these segments of which nothing is to go.

    Asked after the segments were read: whoever read them before something was to go hears of that.
    """
    going = await _marks(store, {row["buffer_id"] for row in rows})
    return [
        row
        for row in rows
        if (buffer := going.get(row["buffer_id"])) is None
        or not is_erased((row["start"], row["end"]), buffer)
    ]


async def any_of(store: Store, buffer_id: str, segments: Sequence[Interval]) -> bool:
    """Whether one of these segments of a buffer, each [start, end), holds any of what is to go."""
    buffer = (await _marks(store, [buffer_id])).get(buffer_id)
    return buffer is not None and any(is_erased(each, buffer) for each in segments)


async def _marks(store: Store, buffer_ids: Collection[str]) -> dict[str, BufferRow]:
    if not buffer_ids:
        return {}
    found = store.rows(Buffer).find({"_id": {"$in": [*buffer_ids]}}, _FIELDS)
    return {row["_id"]: row for row in await found.to_list(None)}

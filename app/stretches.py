"""Rows of a list from a position on, asked for in stretches of time that grow.

The embedded database reads all that matches before it sorts, or counts to a limit: so it is asked
for less, and a look costs the same however many rows there are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Generic

from app.models import Row, RowOf, Stored, keyset
from app.models.instants import EPOCH, FAR
from app.models.keyset import Order, Page, Position
from app.store import Store, first

LOOKED_AT = 500
"""Rows that a page is chosen from, at most."""
_AT_A_TIME = 500
FIRST_STRETCH = timedelta(minutes=10)
MOST_GROWTH = 16
"""Of a stretch, from the one before: what lies densely there is read whole."""


def latest(now: datetime) -> datetime:
    """After all that is there: an hour more than now, by other machines' clocks."""
    return now + timedelta(hours=1)


async def before(
    store: Store,
    model: type[Stored[RowOf]],
    order: Order,
    which: Row,
    begin: Position,
    since: datetime,
    count: int,
    *,
    at_once: bool = False,
    fields: Row | None = None,
) -> list[RowOf]:
    """The newest rows that match before a position, at most `count` and not older than `since`, nor
    than EPOCH.

    `at_once`: no index has the conditions before an instant, so that each look reads all rows that
    match them. `fields`, if given, has those of the order.
    """
    at, row_id = begin
    since = max(since, EPOCH)
    collection = store.rows(model)
    rows: list[RowOf] = []
    if row_id and at >= since:
        same = collection.find(which | order.beside(begin), fields).sort(order.sorting)
        rows = await first(same, count)
    # What is dated later, by another clock, is in the first stretch.
    end, near = at, min(at, latest(datetime.now(UTC)))
    stretch = near - EPOCH if at_once else FIRST_STRETCH
    while len(rows) < count and end > since:
        start = max(since, near - stretch)
        older = collection.find(which | order.beyond(None, start, end), fields)
        found = await first(older.sort(order.sorting), count - len(rows))
        rows += found
        # As far on as the rest lies if it lies as densely, and not in one leap.
        factor = min(MOST_GROWTH, (count - len(rows)) / len(found)) if found else MOST_GROWTH
        stretch = min(stretch * max(1.0, factor), near - EPOCH)
        end = near = start
    return rows


async def every(
    store: Store,
    model: type[Stored[RowOf]],
    order: Order,
    which: Row,
    *,
    until: datetime = FAR,
    fields: Row | None = None,
) -> AsyncIterator[RowOf]:
    """All rows that match, of instants before `until`, newest first: _AT_A_TIME with each look."""
    begin: Position = (until, "")
    while True:
        rows = await before(store, model, order, which, begin, EPOCH, _AT_A_TIME, fields=fields)
        for row in rows:
            yield row
        if len(rows) < _AT_A_TIME:
            return
        begin = order.position(rows[-1])


async def page(
    order: Order,
    look: Callable[[Position, int], Awaitable[tuple[Sequence[RowOf], bool]]],
    fits: Callable[[RowOf], bool],
    begin: Position,
    *,
    limit: int,
    looked_at: int = LOOKED_AT,
) -> Page[RowOf]:
    """The page of those rows that fit: what no index has is checked on a limited number of rows.

    `look(begin, count)` gives rows after a position, in order, at least `count` if there are so
    many, and whether there may be more. `looked_at`: of how many in all, and no fewer than a page
    and one.
    """
    kept: list[RowOf] = []
    left, count = max(looked_at, limit + 1), limit + 1
    while True:
        count = min(count, left)
        left -= count
        rows, more = await look(begin, count)
        kept += filter(fits, rows)
        if len(kept) > limit or not more:
            return keyset.cut(kept, limit, lambda row: keyset.written(order.position(row)))
        begin, count = order.position(rows[-1]), 2 * count
        if left == 0:
            return Page(kept, keyset.written(begin))


class Walk(Generic[RowOf]):
    """A walk through the rows of a list, newest first, some at a time; at the end it begins anew.

    Those that can't be served are passed by, however many they are, and are met again.
    """

    def __init__(self, model: type[Stored[RowOf]], field: str) -> None:
        """`field`: an instant in the rows, by which an index serves what the walk goes through."""
        self._model, self._order = model, Order(field)
        self._at: Position | None = None

    async def go_on(
        self,
        store: Store,
        which: Row,
        *,
        since: datetime = EPOCH,
        until: datetime = FAR,
        count: int,
    ) -> AsyncIterator[RowOf]:
        """The next rows of [since, until) that match, at most `count`.

        Whoever does not ask for all of them has the walk go on after the last that was given.
        """
        end: Position = (until, "")
        begin = end if self._at is None else min(self._at, end)
        rows = await before(store, self._model, self._order, which, begin, since, count)
        for row in rows:
            self._at = self._order.position(row)
            yield row
        if len(rows) < count:
            self._at = None

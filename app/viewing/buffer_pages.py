"""Pages of buffers, newest share first.

A page costs what the caller may see, or what it holds: it is looked for in as many ways as there
are reasons to see something, each of which an index serves. What no index has is checked on a
limited number of rows, and a page that found less than was asked for says where to go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from app import stretches
from app.models import BufferRow, BufferState, Row, conditions, keyset
from app.models.instants import EPOCH, FAR
from app.models.keyset import Order, Page, Position
from app.models.schema import Buffer
from app.store import Store, since
from app.viewing import buffer_states

_MOST_COMMUNITIES = 8
"""Each of so many is looked through by itself; more of them with all others."""
_NEWEST_FIRST = Order("since")
FIELDS = dict.fromkeys(("since", "room", "room_sid", "identity", "community", "ended_at", "why"), 1)
"""What is read of a buffer's row."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What of a condition an index serves. `is_little`: so that all of it is read."""

    which: Row
    is_little: bool = False


async def page(
    store: Store,
    scope: Row,
    wanted: Row,
    states: Collection[str] = frozenset(BufferState),
    *,
    limit: int,
    after: str | None = None,
    looked_at: int = stretches.LOOKED_AT,
) -> Page[BufferRow]:
    """Buffers that match `scope` and `wanted` and may be in these states: `FIELDS` of their rows.

    `looked_at`: rows of each look to look at, at most, and no fewer than a page and one more.
    Raises Invalid if `after` is not a page's `next`.
    """
    begin = (FAR, "") if after is None else keyset.read(after)
    ways = conditions.alternatives(scope, wanted)
    looks = {str(look): look for way in ways for look in _looks(way, states)}.values()
    whole = await asyncio.gather(*(_whole(store, look.which) for look in looks if look.is_little))
    return await stretches.page(
        _NEWEST_FIRST,
        partial(_newest, store, whole, [look.which for look in looks if not look.is_little]),
        lambda row: buffer_states.may_be(row, states) and conditions.matches_any(ways, row),
        begin,
        limit=limit,
        looked_at=looked_at,
    )


def _looks(way: Row, states: Collection[str]) -> list[_Look]:
    """How the rows of a condition without an `$or` are looked for."""
    equal = {field: wanted for field, wanted in way.items() if not isinstance(wanted, dict)}
    if "identity" in equal:
        own: Row = {field: equal[field] for field in ("identity", "room") if field in equal}
        return [_Look(own, is_little=True)]
    goes_on: Row = {"ended_at": None} if buffer_states.go_on(states) else {}
    if "room_sid" in equal:
        return [_Look({"room_sid": equal["room_sid"]} | goes_on)]
    if "room_sid" in way:  # rooms that somebody was in: all of a name, or a community, may be much
        return [_Look({"room_sid": way["room_sid"]}, is_little=True)]
    for field in ("room", "community"):
        if field in equal:
            return [_Look({field: equal[field]} | goes_on)]
    communities = conditions.values(way["community"]) if "community" in way else None
    if communities is not None and len(communities) <= _MOST_COMMUNITIES:
        return [_Look({"community": each} | goes_on) for each in communities]
    return [_Look(goes_on)]


async def _whole(store: Store, which: Row) -> list[BufferRow]:
    """All rows that match, newest first."""
    dated = which | {"since": since(EPOCH)}
    rows = await store.rows(Buffer).find(dated, FIELDS).to_list(None)
    return sorted(rows, key=_NEWEST_FIRST.position, reverse=True)


async def _newest(
    store: Store,
    whole: Sequence[Sequence[BufferRow]],
    served: Sequence[Row],
    begin: Position,
    count: int,
) -> tuple[list[BufferRow], bool]:
    """The newest rows before a position, of what is known whole and of what is served; whether
    there may be more."""
    found = await asyncio.gather(
        *(
            stretches.before(
                store, Buffer, _NEWEST_FIRST, which, begin, EPOCH, count, fields=FIELDS
            )
            for which in served
        )
    )
    older = ((row for row in rows if _NEWEST_FIRST.position(row) < begin) for rows in whole)
    found += [list(islice(rows, count)) for rows in older]
    # One's own share in a room that one sees comes twice.
    unique = {_NEWEST_FIRST.position(row): row for each in found for row in each}
    # Beyond the last row of a look that did not come to its end others of its rows may lie.
    ends = [_NEWEST_FIRST.position(each[-1]) for each in found if len(each) >= count]
    end = max(ends, default=(EPOCH, ""))
    return [unique[place] for place in sorted(unique, reverse=True) if place >= end], bool(ends)

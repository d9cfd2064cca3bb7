"""Pages of buffers: each that may be seen once, newest first, whatever there is of others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.context import Context
from app.models import Row, Why, conditions
from app.models.schema import Buffer
from app.store import row_of
from app.viewing import buffer_pages, buffer_states

NOW = datetime.now(UTC).replace(microsecond=0)
_SCOPES: list[Row] = [
    {},
    {"room": "a", "$or": [{"identity": "ann"}, {"community": {"$in": ["two"]}}]},
    {
        "$or": [
            {"identity": "ann"},
            {"room_sid": {"$in": ["RM_a", "RM_b"]}, "community": {"$in": ["one"]}},
            {"room_sid": "RM_c"},
            {"community": {"$in": ["two"]}},
        ]
    },
]
_WANTED: list[Row] = [{}, {"room": "b"}]


def _buffer(number: int, **given: Any) -> Buffer:
    room = "abc"[number % 3]
    fields: dict[str, Any] = dict(
        id=f"{number:024x}",
        room=room,
        room_sid=f"RM_{room}",
        identity=("ann", "bob", "eve", "ann", "zoe")[number % 5],
        participant_sid="PA",
        video_sid=f"TR_{number}",
        community=("one", "two")[number % 7 % 2],
        # several at the same instant; the last ones long ago
        since=NOW - timedelta(minutes=(number // 2) ** 2),
        ended_at=None if number % 4 else NOW,
        why=(None, Why.LIMIT, Why.NO_WORKER)[number % 11 % 3],
    )
    return Buffer(**(fields | given))


@pytest.mark.parametrize("states", ["active,ended", "active"])
async def test_pages_hold_each_buffer_once_that_may_be_seen(ctx: Context, states: str) -> None:
    """For whatever reason it is seen, however few rows are looked at for a page."""
    rows = [row_of(_buffer(number)) for number in range(25)]
    await ctx.store.rows(Buffer).insert_many(rows)
    wanted_states = buffer_states.read(states)
    newest = sorted(rows, key=lambda row: (row["since"], row["_id"]), reverse=True)
    for scope in _SCOPES:
        for wanted in _WANTED:
            seen: list[str] = []
            after: str | None = None
            while True:
                page = await buffer_pages.page(
                    ctx.store, scope, wanted, wanted_states, limit=6, after=after, looked_at=8
                )
                seen += [row["_id"] for row in page.items]
                assert len(page.items) <= 6
                if (after := page.next) is None:
                    break
            assert seen == [
                row["_id"]
                for row in newest
                if conditions.matches(scope, row)
                and conditions.matches(wanted, row)
                and buffer_states.may_be(row, wanted_states)
            ], (scope, wanted)


@pytest.mark.parametrize("here", [{}, {"room": "a"}], ids=["any room", "one name"])
async def test_newer_shares_of_others_do_not_stand_before_those_of_rooms_that_one_was_in(
    ctx: Context, here: Row
) -> None:
    """Not even where all of them are of the one community that is open to rooms, or of one name."""
    others = [
        _buffer(each, room="a", room_sid="RM_other", identity="bob", community="one", since=NOW)
        for each in range(20)
    ]
    long_ago = NOW - timedelta(days=1)
    seen = _buffer(99, room="a", room_sid="RM_a", identity="bob", community="one", since=long_ago)
    await ctx.store.rows(Buffer).insert_many([row_of(each) for each in (*others, seen)])
    there: Row = {"room_sid": {"$in": ["RM_a", "RM_b"]}, "community": {"$in": ["one"]}}
    scope = here | {"$or": [{"identity": "ann"}, there]}
    page = await buffer_pages.page(ctx.store, scope, {}, limit=6, looked_at=8)
    assert [row["_id"] for row in page.items] == [seen.id]
    assert page.next is None

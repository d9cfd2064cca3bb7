"""Whose buffers are followed: the first that somebody may see, found without those of others."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from app.models import BufferRow, Row, conditions
from app.viewing.looks import Shelves

NOW = datetime(2026, 11, 3, tzinfo=UTC)


def _row(number: int) -> BufferRow:
    room = "ab"[number % 2]
    row: dict[str, Any] = {
        "_id": f"{number}", "room": room, "room_sid": f"RM_{room}", "since": NOW,
        "identity": ("ann", "bob", "eve")[number % 3], "community": ("one", "two")[number % 5 % 2],
    }  # fmt: skip
    return cast(BufferRow, row)


ROWS = [_row(number) for number in range(30)]
WAYS: list[list[Row]] = [
    [],
    [{}],
    [{"identity": "ann"}],
    [{"identity": "ann"}, {"community": "two"}],
    [{"room": "a", "room_sid": {"$in": ["RM_a", "RM_b"]}, "community": {"$nin": ["one"]}}],
    [{"identity": {"$in": ["bob", "eve"]}}, {"room_sid": "RM_a"}],
    [{"identity": "nobody"}],
]


def test_the_first_that_somebody_sees_are_followed() -> None:
    shelves = Shelves(ROWS)
    for ways in WAYS:
        seen = [row["_id"] for row in ROWS if any(conditions.matches(way, row) for way in ways)]
        assert shelves.first(ways, 7) == seen[:7], ways
        assert shelves.first(ways, 100) == seen, ways


def test_nobody_looks_through_the_rows_of_others() -> None:
    mine: list[Row] = [
        {"room": "a", "identity": "ann"},
        {"identity": {"$in": ["ann"]}, "room": "a"},
    ]
    for way in mine:
        places = list(Shelves(ROWS).places(way))
        assert places == [at for at, row in enumerate(ROWS) if row["identity"] == "ann"]

"""Pages of lists: what follows a row, and the text that asks for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.errors import Invalid
from app.models import keyset
from app.models.keyset import Order, Page

NOON = datetime(2026, 1, 2, 12, 0, 0, 345_000, tzinfo=UTC)
BEGIN, END = NOON - timedelta(days=1), NOON + timedelta(days=1)


@pytest.mark.parametrize("position", [(NOON, "0" * 24), (NOON, "a/b 🎬"), (BEGIN, "x")])
def test_a_position_is_read_as_it_was_written(position: keyset.Position) -> None:
    text = keyset.written(position)
    assert keyset.read(text) == position
    assert text.isascii()
    assert not set(text) & set("&=/+ ")


@pytest.mark.parametrize("text", ["", "x", "abc", "é", "MjAyNg", "MjAyNi8", "9" * 40])
def test_any_other_text_is_invalid(text: str) -> None:
    with pytest.raises(Invalid, match="leave it out"):
        keyset.read(text)


def test_newest_first_goes_on_with_what_is_older() -> None:
    order = Order("at")
    assert order.sorting == [("at", -1), ("_id", -1)]
    assert order.beside((NOON, "b")) == {"at": NOON, "_id": {"$lt": "b"}}
    assert order.beyond(None, BEGIN, END) == {"at": {"$gte": BEGIN, "$lt": END}}
    assert order.beyond((NOON, "b"), BEGIN, END) == {"at": {"$gte": BEGIN, "$lt": NOON}}


def test_oldest_first_goes_on_with_what_is_newer() -> None:
    order = Order("at", newest_first=False)
    assert order.sorting == [("at", 1), ("_id", 1)]
    assert order.beside((NOON, "b")) == {"at": NOON, "_id": {"$gt": "b"}}
    assert order.beyond(None, BEGIN, END) == {"at": {"$gte": BEGIN, "$lt": END}}
    assert order.beyond((NOON, "b"), BEGIN, END) == {"at": {"$gt": NOON, "$lt": END}}


def test_a_page_says_where_the_next_begins_only_if_there_is_one() -> None:
    assert keyset.cut(["a", "b", "c"], 2, str.upper) == Page(["a", "b"], "B")
    assert keyset.cut(["a", "b"], 2, str.upper) == Page(["a", "b"], None)
    assert keyset.cut([], 2, str.upper) == Page([], None)

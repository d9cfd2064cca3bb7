"""Pages of lists: their order, and the text in which one page says where the next begins. Pure.

A page goes on after the row that the one before it ended with, so rows that come or go meanwhile
make none of the others be left out or told twice.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from app.errors import Invalid
from app.models.instants import EPOCH

Listed = TypeVar("Listed")

Position = tuple[datetime, str]
"""Where a row stands in order of time, to the millisecond, and of ids where times agree."""


@dataclass(frozen=True)
class Page(Generic[Listed]):
    """Some of a list; `next` asks for the following ones, None at the end."""

    items: list[Listed]
    next: str | None


@dataclass(frozen=True)
class Order:
    """The order of a list: by an instant in its rows, and by their ids where instants agree."""

    field: str
    newest_first: bool = True

    @property
    def sorting(self) -> list[tuple[str, int]]:
        """As the database is told."""
        direction = -1 if self.newest_first else 1
        return [(self.field, direction), ("_id", direction)]

    def beside(self, position: Position) -> dict[str, Any]:
        """Rows of a position's instant that come after it."""
        at, row_id = position
        return {self.field: at, "_id": {"$lt" if self.newest_first else "$gt": row_id}}

    def beyond(self, position: Position | None, since: datetime, until: datetime) -> dict[str, Any]:
        """Rows of [since, until) of later instants in this order."""
        if position is None:
            return {self.field: {"$gte": since, "$lt": until}}
        at, _ = position
        if self.newest_first:
            return {self.field: {"$gte": since, "$lt": at}}
        return {self.field: {"$gt": at, "$lt": until}}

    def position(self, row: Any) -> Position:
        """Where a row stands."""
        return row[self.field], row["_id"]


def cut(found: Sequence[Listed], limit: int, cursor: Callable[[Listed], str]) -> Page[Listed]:
    """The page of `limit` items, of those found: one more than that, if there are.

    `cursor` gives the text that asks for what follows an item.
    """
    items = list(found[:limit])
    return Page(items, cursor(items[-1]) if len(found) > limit else None)


def written(position: Position) -> str:
    """The text that stands for a position."""
    at, row_id = position
    return written_number((at - EPOCH) // timedelta(milliseconds=1), row_id)


def read(text: str) -> Position:
    """The position that `written` made the text of. Raises Invalid if it did not."""
    milliseconds, row_id = read_number(text)
    try:
        return EPOCH + timedelta(milliseconds=milliseconds), row_id
    except OverflowError as error:
        raise _none_of_ours(text) from error


def written_number(number: int, row_id: str) -> str:
    """The text that stands for a place in a list by numbers, and by ids where they agree."""
    return base64.urlsafe_b64encode(f"{number}/{row_id}".encode()).decode().rstrip("=")


def read_number(text: str) -> tuple[int, str]:
    """The place that `written_number` made the text of. Raises Invalid if it did not."""
    try:
        decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        number, slash, row_id = decoded.partition("/")
        if not (slash and row_id):
            raise ValueError("no place in a list")
        return int(number), row_id
    except (ValueError, binascii.Error) as error:
        raise _none_of_ours(text) from error


def _none_of_ours(text: str) -> Invalid:
    return Invalid(f"next={text[:80]!r} is not what a list gave: leave it out")

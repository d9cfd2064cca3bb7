"""Rows and ids taken some at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.models import Row
from app.store import batches, chunks

CASES = [(0, []), (1, [1]), (3, [3]), (4, [3, 1]), (7, [3, 3, 1])]


async def cursor(count: int) -> AsyncIterator[Row]:
    for number in range(count):
        yield {"_id": number}


@pytest.mark.parametrize(("count", "sizes"), CASES)
async def test_a_cursors_rows_come_in_batches(count: int, sizes: list[int]) -> None:
    """Each row once, in order; no batch is empty."""
    found = [batch async for batch in batches(cursor(count), 3)]
    assert [len(batch) for batch in found] == sizes
    assert [row["_id"] for batch in found for row in batch] == list(range(count))


@pytest.mark.parametrize(("count", "sizes"), CASES)
def test_items_come_in_chunks(count: int, sizes: list[int]) -> None:
    """Each item once, in order; no chunk is empty."""
    found = list(chunks(range(count), 3))
    assert [len(chunk) for chunk in found] == sizes
    assert [item for chunk in found for item in chunk] == list(range(count))

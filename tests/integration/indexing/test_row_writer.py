"""One session's row that can't be stored is no matter of the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from pymongo.errors import BulkWriteError
from structlog.testing import capture_logs

from app.buffer import clock
from app.context import Context
from app.indexing.follower import Follower
from app.indexing.playlist import Entry
from app.indexing.playlist_times import Before
from app.indexing.row_writer import RowWriter, Unwritable
from app.indexing.segment_rows import SegmentMaker
from app.models import SegmentRow
from app.models.schema import Segment
from tests.integration.buffer.shares import BeginShare, indexing
from tests.integration.recording.conftest import Asked
from tests.rows import document

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
UNWRITABLE: dict[str, dict[str, Any]] = {
    "an integer of 65 bits": {"size_bytes": 2**64},
    "half a character": {"name": "\ud800.ts"},
    "something else": {"samples": object()},
    "too much": {"samples": bytes(17 * 2**20)},
}


def row(session: str, sequence: int, **given: Any) -> SegmentRow:
    made = Segment(
        id=f"{session}:{sequence}",
        session_id=session,
        buffer_id="b",
        sequence=sequence,
        name=f"{sequence}.m4s",
        start=NOON,
        end=NOON,
        start_ticks=0,
        end_ticks=1,
        extinf_seconds=2.0,
        size_bytes=1,
        indexed_at=NOON,
    )
    changed: Any = document(made) | given
    return changed  # type: ignore[no-any-return]


@pytest_asyncio.fixture
async def writer(ctx: Context) -> AsyncIterator[RowWriter]:
    made = RowWriter(ctx.store)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


@pytest.mark.parametrize("kind", UNWRITABLE)
async def test_a_row_that_can_not_be_stored_is_refused_and_its_neighbours_are_written(
    ctx: Context, writer: RowWriter, kind: str
) -> None:
    async with asyncio.timeout(20):
        outcomes = await asyncio.gather(
            writer.insert(row("ann", 0)),
            writer.insert(row("eve", 0, **UNWRITABLE[kind])),
            writer.insert(row("ben", 0)),
            return_exceptions=True,
        )
        await writer.insert(row("ann", 1))
    assert [isinstance(each, Exception) for each in outcomes] == [False, True, False]
    assert isinstance(outcomes[1], Unwritable)
    found = await ctx.store.rows(Segment).find({}, {"_id": 1}).to_list()
    assert {each["_id"] for each in found} == {"ann:0", "ann:1", "ben:0"}


async def test_rows_of_several_sessions_are_one_write_and_a_refused_one_fails_alone(
    ctx: Context, asked: Asked, writer: RowWriter
) -> None:
    await writer.insert(row("ann", 0))
    asked.database.clear()
    async with asyncio.timeout(20):
        outcomes = await asyncio.gather(
            writer.insert(row("ben", 0)),
            writer.insert(row("ann", 0, _id="another row of ann's segment")),
            writer.insert(row("eve", 0)),
            return_exceptions=True,
        )
    assert [each.partition(":")[0] for each in asked.database].count("insert") == 1
    assert [isinstance(each, BulkWriteError) for each in outcomes] == [False, True, False]
    found = await ctx.store.rows(Segment).find({}, {"_id": 1}).to_list()
    assert {each["_id"] for each in found} == {"ann:0", "ben:0", "eve:0"}


async def test_a_row_is_not_rolled_back_once_its_segment_goes(writer: RowWriter) -> None:
    """A fail-over takes what only the old primary has, whatever MONGO_URL says of writes."""
    assert writer._rows.write_concern.document == {"w": "majority", "j": True}
    await writer.insert(row("ann", 0))


async def test_of_a_row_that_is_there_already_the_one_that_stands_comes_back(
    writer: RowWriter,
) -> None:
    first = await writer.insert(row("ann", 0))
    again, other = await asyncio.gather(
        writer.insert(row("ann", 0, size_bytes=2)), writer.insert(row("ben", 0))
    )
    assert (first["size_bytes"], again["size_bytes"]) == (1, 1)
    assert other["session_id"] == "ben"


async def test_a_segment_whose_row_can_not_be_stored_is_a_gap(
    ctx: Context, share: BeginShare
) -> None:
    """As of a clock by which it would end after the year 9999."""
    disk = await share(indexer="another", indexer_until=datetime.now(UTC) + timedelta(hours=1))
    disk.commit(2)
    late = datetime(9999, 12, 31, 23, 59, 57, tzinfo=UTC)
    since_1970 = late - datetime(1970, 1, 1, tzinfo=UTC)
    session = await disk.session() | {"clock_ns": int(since_1970.total_seconds()) * 10**9}
    entries = [Entry(name, place, 2.0, None) for place, name in enumerate(disk.egress.names)]
    async with indexing(ctx) as indexer:
        maker = SegmentMaker(indexer._tools, session)
        with capture_logs() as logs:
            first = await maker.make(entries[0], Before(None, 0, adjoins=True), NOON)
            second = await maker.make(entries[1], Before(first.continuity, 0, adjoins=False), NOON)
    assert (first.row["fault"], second.row["fault"]) == (None, "corrupt")
    assert second.row["end"] == clock.wall(session["clock_ns"], 180_000)
    assert [each["segment"] for each in logs if each["event"] == "segment_quarantined"] == [
        disk.egress.names[1]
    ]


async def test_a_segment_of_which_not_even_a_gap_can_be_stored_stops_nothing(
    ctx: Context, share: BeginShare
) -> None:
    disk = await share(indexer="another", indexer_until=datetime.now(UTC) + timedelta(hours=1))
    disk.commit(2)
    disk.egress.end()
    session = await disk.session() | {"clock_ns": 10**30}
    async with indexing(ctx) as indexer, asyncio.timeout(20):
        with capture_logs() as logs:
            await Follower(indexer._tools, session).run()
    assert await disk.rows() == []
    assert len([each for each in logs if each["event"] == "segment_unwritable"]) == 1

"""What an indexer writes of an egress that can't keep up, or can again."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from app.context import Context
from app.indexing.egress_pace import EgressPace
from app.models import SegmentRow, SegmentState, SessionRow
from app.models.schema import EgressSession, Segment
from app.store import row_of
from tests.integration.queued import asked_for

TICKS = 90_000


@dataclass
class Indexed:
    """A session whose segments are indexed one after the other."""

    ctx: Context
    pace: EgressPace
    row: SessionRow
    at: float = field(default_factory=time.monotonic)
    sequence: int = 0

    async def segment(self, seconds: float, *, took: float = 0.0, **fields: Any) -> None:
        """One of 2 s came so many seconds after the one before; indexing it `took` so long."""
        self.at = max(self.at + seconds, time.monotonic())  # to come: nothing is waited for here
        self.pace.unchanged(self.at)
        self.pace.indexed(self._segment(**fields))
        await self.pace.looked(self.row, time.monotonic() - took if took else self.at)

    async def behind_at(self) -> datetime | None:
        found = await self.ctx.store.rows(EgressSession).find_one({"_id": self.row["_id"]})
        assert found is not None
        return found["behind_at"]

    def _segment(self, **fields: Any) -> SegmentRow:
        self.sequence += 1
        end_ticks = self.sequence * 2 * TICKS
        made = Segment(
            id=f"s1/{self.sequence}", session_id="s1", buffer_id="b1", sequence=self.sequence,
            name="a.m4s", start=self.row["created_at"], end=self.row["created_at"],
            start_ticks=end_ticks - 2 * TICKS, end_ticks=end_ticks, extinf_seconds=2.0,
            size_bytes=1, indexed_at=self.row["created_at"], **fields,
        )  # fmt: skip
        return row_of(made)


async def followed(ctx: Context, **fields: Any) -> Indexed:
    now = datetime.now(UTC)
    made = EgressSession(
        id="s1", buffer_id="b1", room="studio", room_sid="RM_1", identity="ann", video_sid="TR_1",
        folder="studio/ann/s1", created_at=now, segment_seconds=2, active_at=now, **fields,
    )  # fmt: skip
    await ctx.store.create(made)
    row = row_of(made)
    return Indexed(ctx, EgressPace(ctx, row), row)


async def test_what_comes_later_and_later_is_told_once_and_what_catches_up_is_told(
    ctx: Context,
) -> None:
    """And a reconcile of its sharer is asked for."""
    session = await followed(ctx)
    for _ in range(5):
        await session.segment(2.0)
    assert await session.behind_at() is None
    for _ in range(10):
        await session.segment(4.0)
    first = await session.behind_at()
    assert first is not None
    assert await asked_for(ctx) == [("RM_1", "ann")]
    await session.segment(4.0)
    assert await session.behind_at() == first
    for _ in range(20):
        await session.segment(0.5)
    assert await session.behind_at() is None


@pytest.mark.parametrize(
    "fields", [{"stop_sent_at": datetime.now(UTC)}, {"ended_at": datetime.now(UTC)}]
)
async def test_what_is_to_end_is_not_measured(ctx: Context, fields: dict[str, Any]) -> None:
    session = await followed(ctx, **fields)
    for _ in range(30):
        await session.segment(4.0)
    assert await session.behind_at() is None


async def test_an_indexer_that_is_slow_itself_blames_no_egress(ctx: Context) -> None:
    """Nor one on whose disk each segment takes more than half of its length to be written."""
    session = await followed(ctx)
    for _ in range(30):
        await session.segment(4.0, took=1.2)
    assert await session.behind_at() is None


async def test_an_indexer_that_could_not_read_in_between_blames_no_egress(ctx: Context) -> None:
    session = await followed(ctx)
    for _ in range(10):
        for _ in range(3):
            await session.segment(4.0)
        session.pace.lost()
    assert await session.behind_at() is None


async def test_segments_without_times_of_their_own_are_no_measure(ctx: Context) -> None:
    session = await followed(ctx)
    for _ in range(30):
        await session.segment(4.0, state=SegmentState.QUARANTINED, fault="truncated")
    assert await session.behind_at() is None


async def test_the_next_indexer_measures_anew(ctx: Context) -> None:
    """What the one before has found stands until enough is seen to take it back."""
    session = await followed(ctx, behind_at=datetime.now(UTC))
    for _ in range(6):
        await session.segment(2.0)
    assert await session.behind_at() is not None
    for _ in range(4):
        await session.segment(2.0)
    assert await session.behind_at() is None


async def test_the_next_indexer_takes_nothing_back_of_what_stays_late(ctx: Context) -> None:
    session = await followed(ctx, behind_at=datetime.now(UTC))
    for _ in range(20):
        await session.segment(4.0)
        assert await session.behind_at() is not None

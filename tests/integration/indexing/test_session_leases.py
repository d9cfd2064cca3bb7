"""Leases of many sessions are taken together, and none that somebody else holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.context import Context
from app.indexing import session_leases
from tests.integration.buffer.shares import BeginShare
from tests.integration.recording.conftest import Asked


async def test_what_is_free_is_leased_in_one_write_and_nothing_else(
    ctx: Context, asked: Asked, share: BeginShare
) -> None:
    now = datetime.now(UTC)
    later, earlier = now + timedelta(seconds=10), now - timedelta(seconds=1)
    free = [
        await share("new"),
        await share("ours", indexer="me", indexer_until=later),
        await share("expired", indexer="dead", indexer_until=earlier),
        await share("endless", indexer="other"),
    ]
    others = await share("others", indexer="other", indexer_until=later)
    over = await share("over", indexing=None)
    asked.database.clear()
    every = [each.session_id for each in (*free, others, over)]
    rows = await session_leases.acquire(ctx.store, every, "me", now)
    assert [each.partition(":")[0] for each in asked.database] == ["update", "find"]
    assert {row["_id"] for row in rows} == {each.session_id for each in free}
    assert {row["indexer"] for row in rows} == {"me"}
    assert [(await each.session())["indexer"] for each in (others, over)] == ["other", None]

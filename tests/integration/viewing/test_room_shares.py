"""The shares of a room where somebody has begun very many: nobody else's is hidden."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app import stretches
from app.buffer.coverage import CoverageRun
from app.context import Context
from app.models.schema import Buffer, EgressSession, Summary
from app.store import row_of
from app.viewing import room_shares

SECOND = 90_000
NOW = datetime.now(UTC)


def _share(buffer_id: str, identity: str, minutes: float, *, live: bool = False) -> Buffer:
    """A share that began so many minutes ago."""
    since = NOW - timedelta(minutes=minutes)
    return Buffer(
        id=buffer_id,
        room="den",
        room_sid="RM",
        identity=identity,
        participant_sid="PA",
        video_sid=f"TR_{buffer_id}",
        since=since,
        ended_at=None if live else since,
    )


async def test_who_begins_very_many_shares_hides_nobody_elses(ctx: Context) -> None:
    """What was recorded, and what goes on, is told of however much was begun since."""
    recorded, live = _share("recorded", "ann", 6), _share("live", "cid", 30, live=True)
    many = [_share(f"{number}", "bob", number / 100) for number in range(stretches.LOOKED_AT + 9)]
    await ctx.store.rows(Buffer).insert_many(map(row_of, [recorded, live, *many]))
    session = EgressSession(
        id="session", buffer_id="recorded", room="den", room_sid="RM", identity="ann",
        video_sid="TR_recorded", role=None, indexing=None, folder="folder", segment_seconds=2,
        created_at=recorded.since, clock_ns=int(recorded.since.timestamp() * 10**9),
    )  # fmt: skip
    assert await ctx.store.create(session)
    run = CoverageRun(0, 9, 0, 20 * SECOND, False, 160, 120, 6000).document()
    await ctx.store.database[+Summary].insert_one({"_id": "session", "runs": [run]})
    for which in ({}, {"$or": [{"identity": "ann"}, {"room_sid": {"$in": ["RM"]}}]}):
        found = await room_shares.read(ctx.store, ctx.settings, which, "den", None, NOW)
        assert found is not None
        assert {line.buffer_id for line in found.lines} == {"recorded", "live"}
        assert not found.complete

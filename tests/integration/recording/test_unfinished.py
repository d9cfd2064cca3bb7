"""Which shares a reconcile looks at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.context import Context
from app.models import SessionRole
from app.models.schema import Buffer, EgressSession, Track
from app.recording import known, open_shares

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def _track(ctx: Context, sid: str, identity: str, *, live: bool, video: bool = True) -> None:
    share: dict[str, Any] = {"room_sid": "RM_1", "room": "studio", "identity": identity}
    track = Track(sid=sid, participant_sid=f"PA_{identity}", video=video, live=live, **share)
    assert await ctx.store.create(track)


async def _recorded(
    ctx: Context, sid: str, identity: str, *, role: SessionRole | None, ended_at: datetime | None
) -> None:
    share: dict[str, Any] = {
        "room_sid": "RM_1",
        "room": "studio",
        "identity": identity,
        "video_sid": sid,
    }
    buffer = Buffer(id=f"b-{sid}", participant_sid="PA", since=NOW, ended_at=ended_at, **share)
    session = EgressSession(
        id=f"s-{sid}",
        buffer_id=buffer.id,
        role=role,
        folder=sid,
        created_at=NOW,
        segment_seconds=2,
        **share,
    )
    assert await ctx.store.create(buffer)
    assert await ctx.store.create(session)


async def test_a_share_is_looked_at_until_nothing_of_it_goes_on(ctx: Context) -> None:
    """A live picture, a session with a role or an open buffer is enough; sound alone is not."""
    await _track(ctx, "TR_live", "alice", live=True)
    await _track(ctx, "TR_sound", "alice", live=True, video=False)
    await _track(ctx, "TR_over", "alice", live=False)
    await _recorded(ctx, "TR_running", "alice", role=SessionRole.NEXT, ended_at=NOW)
    await _recorded(ctx, "TR_open", "bob", role=None, ended_at=None)
    await _recorded(ctx, "TR_done", "bob", role=None, ended_at=NOW)
    hers = open_shares.of(await known.read(ctx.store, "RM_1", "alice"))
    assert set(hers) == {"TR_live", "TR_running"}
    alice = {("alice", each) for each in hers}
    assert await open_shares.shares(ctx.store, "RM_1") == alice | {("bob", "TR_open")}
    assert await open_shares.shares(ctx.store, "RM_2") == set()

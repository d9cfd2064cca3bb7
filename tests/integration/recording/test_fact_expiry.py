"""What LiveKit told of a room stays as long as there is a buffer or a clip of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.context import Context
from app.models import Row
from app.models.schema import Participant, ReplayClip, Room
from app.recording import fact_expiry
from tests.integration.clips.rows import add_clip

LONG_AGO = datetime.now(UTC) - 2 * fact_expiry.RETENTION


async def known_rooms(ctx: Context) -> set[str]:
    rooms = {row["_id"] async for row in ctx.store.rows(Room).find({})}
    assert {row["room_sid"] async for row in ctx.store.rows(Participant).find({})} == rooms
    return rooms


async def test_facts_of_a_room_stay_as_long_as_any_clip_of_it(ctx: Context) -> None:
    """Whichever of its clips goes first, by one worker that remembers what has kept them."""
    for number, sid in enumerate(("RM_kept", "RM_free")):
        room = {"sid": sid, "name": "den", "finished_at": LONG_AGO}
        assert await ctx.store.create(Room.model_validate(room))
        left: Row = {"sid": f"PA_{sid}", "room_sid": sid, "room": "den", "identity": "ann"}
        left |= {"left_at": LONG_AGO - timedelta(minutes=number)}
        assert await ctx.store.create(Participant.model_validate(left))
    for name in ("one", "two", "three"):
        await add_clip(ctx, name, room_sid="RM_kept")
    keepers = fact_expiry.Keepers()
    for name in ("one", "two", "three"):
        await fact_expiry.forget_facts(ctx.store, keepers)
        assert await known_rooms(ctx) == {"RM_kept"}
        await ctx.store.rows(ReplayClip).delete_one({"_id": name})
    await fact_expiry.forget_facts(ctx.store, keepers)
    assert await known_rooms(ctx) == set()

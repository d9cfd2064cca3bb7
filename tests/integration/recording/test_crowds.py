"""However much one room or one person has, the survey serves the others as soon and as often."""

from __future__ import annotations

from datetime import UTC, datetime

from livekit.protocol.models import ParticipantInfo, Room, TrackInfo, TrackSource

from app.context import Context
from app.models import schema
from app.recording import survey
from app.recording.track_bounds import MOST_IN_ROOM, MOST_OF_ONE
from tests.integration.queued import asked_for, empty_redis
from tests.integration.recording.conftest import Asked
from tests.integration.recording.listed import ListedLiveKit

CROWD, STUDIO = Room(sid="RM_crowd", name="crowd"), Room(sid="RM_studio", name="studio")
LONG_AGO = datetime(2026, 11, 22, tzinfo=UTC)
BUSY, PEOPLE, EACH = 500, 100, 20
MORE = 20
"""Commands to the database that they may take more than a room of one."""


def sharer(name: str, tracks: int, **attributes: str) -> ParticipantInfo:
    shared = [
        TrackInfo(sid=f"TR_{name}_{number}", source=TrackSource.SCREEN_SHARE)
        for number in range(tracks)
    ]
    return ParticipantInfo(sid=f"PA_{name}", identity=name, tracks=shared, attributes=attributes)


def crowd(**attributes: str) -> list[ParticipantInfo]:
    """One with very many tracks, and many with many: 2,500 together."""
    people = [sharer(f"p{number}", EACH, **attributes) for number in range(PEOPLE)]
    return [sharer("busy", BUSY, **attributes), *people]


async def surveyed(ctx: Context, asked: Asked, livekit: ListedLiveKit) -> int:
    """How many commands the database is sent by one survey."""
    await empty_redis(ctx)
    asked.database.clear()
    await survey.survey(ctx, livekit)
    return len(asked.database)


async def test_a_room_of_thousands_of_tracks_makes_no_survey_longer(
    ctx: Context, asked: Asked
) -> None:
    """Not as they are found, nor as all of them opt out, nor as all have gone.

    So many of its tracks count, and whoever shares elsewhere is looked at before most of the crowd.
    """
    alice, refusing = sharer("alice", 1), sharer("alice", 1, replay="off")
    steps = [(alice, crowd()), (alice, crowd()), (refusing, crowd(replay="off")), (refusing, [])]
    alone = [await surveyed(ctx, asked, ListedLiveKit([(STUDIO, [who])])) for who, _ in steps]
    tracks = ctx.store.rows(schema.Track)
    for model in (schema.Room, schema.Participant, schema.Track):
        await ctx.store.database[+model].delete_many({})
    for (who, others), without in zip(steps, alone, strict=True):
        livekit = ListedLiveKit([(CROWD, others), (STUDIO, [who])])
        await tracks.update_many({}, {"$set": {"published_at": LONG_AGO}})
        assert await surveyed(ctx, asked, livekit) <= without + MORE
        assert (await asked_for(ctx)).index((STUDIO.sid, "alice")) < 5
        row = await ctx.store.rows(schema.Participant).find_one({"_id": who.sid})
        assert row is not None
        assert row["opted_out"] is bool(who.attributes)
    assert await tracks.count_documents({"room_sid": CROWD.sid}) == MOST_IN_ROOM
    assert await tracks.count_documents({"identity": "busy"}) == MOST_OF_ONE
    assert await tracks.count_documents({"room_sid": CROWD.sid, "missing": 1}) == MOST_IN_ROOM


async def test_one_person_in_hundreds_of_rooms_makes_no_survey_longer(
    ctx: Context, asked: Asked
) -> None:
    """Once they are known, that is: each room is noted once."""
    rooms = [Room(sid=f"RM_{number}", name=f"room {number}") for number in range(200)]
    shared = [(room, [sharer(f"busy {room.sid}", 1)]) for room in rooms]
    livekit = ListedLiveKit([*shared, (STUDIO, [sharer("alice", 1)])])
    await surveyed(ctx, asked, livekit)
    assert await surveyed(ctx, asked, livekit) <= MORE


async def test_any_number_of_empty_rooms_is_not_looked_into(ctx: Context, asked: Asked) -> None:
    """Nor written of. One of which somebody is known is: LiveKit may call it empty too late."""
    rooms = [Room(sid=f"RM_{number}", name=f"room {number}") for number in range(200)]
    empty: list[tuple[Room, list[ParticipantInfo] | Exception]] = [(room, []) for room in rooms]
    livekit = ListedLiveKit([*empty, (STUDIO, [sharer("alice", 1)])])
    await survey.survey(ctx, livekit)
    assert livekit.looked_into == [STUDIO.name]
    joined = {"$set": {"joined_at": LONG_AGO}}
    await ctx.store.rows(schema.Participant).update_one({"_id": "PA_alice"}, joined)
    livekit = ListedLiveKit([*empty, (STUDIO, [])])
    await survey.survey(ctx, livekit)
    assert livekit.looked_into == [STUDIO.name]
    row = await ctx.store.rows(schema.Participant).find_one({"_id": "PA_alice"})
    assert row is not None
    assert row["unlisted_at"] is not None
    asked.database.clear()
    await survey.survey(ctx, livekit)
    assert "update:rooms" not in asked.database

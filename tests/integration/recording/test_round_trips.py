"""How often a webhook asks the stores, which LiveKit waits for; and how often a whole share."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient, monitoring

from app.access import communities
from app.context import Context
from app.models.schema import EgressSession
from app.recording import open_shares, recorder
from tests import webhooks
from tests.integration.queued import redis_of
from tests.integration.recording.conftest import Send
from tests.integration.recording.listed import ListedLiveKit
from tests.rows import document

ROOM = webhooks.room()
ALICE = webhooks.participant()
OURS = "replay-buffer/studio/alice"
SESSION = "0123abcd-01a22211d75e9c5e3c327678"
DATABASE_COMMANDS = 77
REDIS_COMMANDS = 76
"""Of a whole share, from its first webhook to its last reconcile."""


@dataclass
class Asked(monitoring.CommandListener):
    """The commands that the database was sent, and Redis."""

    database: list[str] = field(default_factory=list)
    redis: list[str] = field(default_factory=list)

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if not event.command_name.startswith("sasl"):  # one more connection of the pool
            self.database.append(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Counted when it was sent."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Counted when it was sent."""


@pytest_asyncio.fixture
async def asked(ctx: Context) -> AsyncIterator[Asked]:
    counted = Asked()
    first = ctx.store.client
    name = ctx.store.database.name
    ctx.store.client = AsyncMongoClient(
        ctx.settings.mongo_url, tz_aware=True, event_listeners=[counted]
    )
    ctx.store.database = ctx.store.client[name]
    yield counted
    await ctx.store.client.close()
    ctx.store.client, ctx.store.database = first, first[name]


@asynccontextmanager
async def watched(ctx: Context, asked: Asked) -> AsyncIterator[None]:
    """Notes what is sent meanwhile; not what a script in Redis does by itself."""
    async with redis_of(ctx) as redis, redis.monitor() as monitor:
        asked.database.clear()
        yield
        await ctx.queue.ping()
        while (command := await monitor.next_command())["command"] != "PING":
            if command["client_type"] != "lua":
                asked.redis.append(command["command"].split()[0])


def egress(name: str, status: str, **more: Any) -> dict[str, Any]:
    output = {"filenamePrefix": f"/out/{OURS}/{SESSION}/segment"}
    asked = {"videoTrackId": "TR_V", "segmentOutputs": [output]}
    info = {"egressId": "EG_1", "roomId": "RM_1", "status": status, "trackComposite": asked}
    return webhooks.event(name, egressInfo=info | more)


def about_alice(name: str, **more: Any) -> dict[str, Any]:
    return webhooks.event(name, room=ROOM, participant=ALICE, **more)


def share() -> list[tuple[dict[str, Any], int]]:
    """The webhooks of a share that is recorded now, and how many commands each takes."""
    return [
        (webhooks.event("room_started", room=ROOM), 1),
        (about_alice("participant_joined"), 1),
        (about_alice("track_published", track=webhooks.audio()), 1),
        (about_alice("track_published", track=webhooks.video()), 1),
        (egress("egress_started", "EGRESS_STARTING"), 2),
        (egress("egress_updated", "EGRESS_ACTIVE"), 2),
        # once for each egress: its clock, and what was indexed before it was known
        (
            egress(
                "egress_updated",
                "EGRESS_ACTIVE",
                segmentResults=[{"startedAt": str(time.time_ns())}],
            ),
            4,
        ),
        (about_alice("track_unpublished", track=webhooks.video()), 1),
        (egress("egress_updated", "EGRESS_ENDING"), 2),
        (egress("egress_ended", "EGRESS_COMPLETE", endedAt="1795380499000000000"), 2),
        # the one reads what is shared while the other is written
        (about_alice("participant_left"), 2),
        (webhooks.event("room_finished", room=ROOM), 1),
    ]


async def test_a_webhook_is_one_trip_to_redis_and_at_most_two_commands_to_the_database(
    ctx: Context, send: Send, asked: Asked
) -> None:
    session = EgressSession(
        id=SESSION, buffer_id="b", room="studio", room_sid="RM_1", identity="alice",
        video_sid="TR_V", folder=f"{OURS}/{SESSION}", segment_seconds=2,
        created_at=datetime.now(UTC), start_sent_at=datetime.now(UTC),
    )  # fmt: skip
    await ctx.store.rows(EgressSession).insert_one(document(session))
    await send(webhooks.event("room_started", room=webhooks.room(sid="RM_0")))  # connects
    for event, commands in share():
        async with watched(ctx, asked):
            assert (await send(event)).json() == {"status": "ok"}
        assert (asked.redis, len(asked.database)) == (["EVALSHA"], commands), (
            event["event"],
            asked.database,
        )
        asked.redis.clear()


@pytest.mark.parametrize(
    "ignored",
    [
        about_alice("track_published", track=webhooks.video(source="CAMERA")),
        webhooks.event("participant_joined", room=ROOM, participant=webhooks.participant("EG_1")),
    ],
)
async def test_what_is_about_no_share_asks_no_store(
    ctx: Context, send: Send, asked: Asked, ignored: dict[str, Any]
) -> None:
    async with watched(ctx, asked):
        assert (await send(ignored)).json() == {"status": "ok"}
    assert (asked.redis, asked.database) == ([], [])


def changed(livekit: ListedLiveKit, name: str, status: str, **more: Any) -> dict[str, Any]:
    """The webhook of the egress that was started."""
    output = {"filenamePrefix": livekit.started[0].prefix}
    info = {"egressId": "EG_1", "status": status, "trackComposite": {"segmentOutputs": [output]}}
    return webhooks.event(name, egressInfo=info | more)


async def test_a_share_that_starts_records_and_ends_asks_the_stores_so_often(
    ctx: Context, send: Send, asked: Asked
) -> None:
    livekit, told = ListedLiveKit(), list[tuple[str, int, int]]()
    await communities.configure(ctx.store, communities.DEFAULT, {"enabled": True})

    def count(what: str) -> None:
        told.append((what, len(asked.database), len(asked.redis)))
        asked.redis.clear()

    async def webhook(event: dict[str, Any]) -> None:
        async with watched(ctx, asked):
            assert (await send(event)).status_code == 200
        count(event["event"])

    async def reconcile(what: str) -> None:
        async with watched(ctx, asked):
            await recorder.reconcile(ctx, livekit, ROOM["sid"], "alice")
        count(f"reconcile: {what}")

    clock = [{"startedAt": str(time.time_ns())}]
    await webhook(webhooks.event("room_started", room=ROOM))
    await webhook(about_alice("participant_joined"))
    await webhook(about_alice("track_published", track=webhooks.audio()))
    await webhook(about_alice("track_published", track=webhooks.video()))
    await reconcile("starts")
    await webhook(changed(livekit, "egress_started", "EGRESS_STARTING"))
    await reconcile("is starting")
    await webhook(changed(livekit, "egress_updated", "EGRESS_ACTIVE", segmentResults=clock))
    await reconcile("records")
    await webhook(about_alice("track_unpublished", track=webhooks.audio()))
    await webhook(about_alice("track_unpublished", track=webhooks.video()))
    await reconcile("stops")
    await webhook(changed(livekit, "egress_updated", "EGRESS_ENDING"))
    await reconcile("is ending")
    ended = changed(livekit, "egress_ended", "EGRESS_COMPLETE", endedAt=str(time.time_ns()))
    await webhook(ended)
    await reconcile("has ended")
    await webhook(about_alice("participant_left"))
    await webhook(webhooks.event("room_finished", room=ROOM))
    async with watched(ctx, asked):
        await open_shares.reconcile_room(ctx, ROOM["sid"])
    count("reconcile_room")
    table = "\n".join(f"{database:4} {redis:4}  {what}" for what, database, redis in told)
    assert sum(database for _, database, _ in told) <= DATABASE_COMMANDS, table
    assert sum(redis for _, _, redis in told) <= REDIS_COMMANDS, table

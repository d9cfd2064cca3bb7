"""How often a webhook asks the stores, which LiveKit waits for; and how often a whole share."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from app.access import communities
from app.context import Context
from app.models import EgressStatus
from app.models.schema import EgressSession
from app.recording import open_shares, recorder
from app.work import queue_scripts
from tests import readme, webhooks
from tests.integration.queued import redis_of
from tests.integration.recording.conftest import Asked, Send
from tests.integration.recording.listed import ListedLiveKit
from tests.rows import document

ROOM = webhooks.room()
ALICE = webhooks.participant()
OURS = "replay-buffer/studio/alice"
SESSION = "0123abcd-01a22211d75e9c5e3c327678"
MOST = 15
"""Commands to the database for a share, from its first webhook to its last reconcile."""
BEFORE_8 = 26
"""The same by a MongoDB before 8."""
_PROBE = ["SET", "replay:probe"]
_WORKERS = frozenset({"ZRANGEBYSCORE", "GETDEL", "ZREM"})
"""What `work` asks Redis, in place of arq."""
README = Path(__file__).parents[3].joinpath("app/README.md").read_text()
SECTION = "What a share costs the stores"


@asynccontextmanager
async def watched(ctx: Context, asked: Asked) -> AsyncIterator[None]:
    """Notes what is sent meanwhile; not what a script in Redis does by itself."""
    async with redis_of(ctx) as redis, redis.monitor() as monitor:
        asked.database.clear()
        yield
        await ctx.queue.probe()
        while (command := await monitor.next_command())["command"].split()[:2] != _PROBE:
            if command["client_type"] != "lua" and command["command"].split()[0] not in _WORKERS:
                asked.redis.append(command["command"].split()[0])


def egress(name: str, status: str, **more: Any) -> dict[str, Any]:
    output = {"filenamePrefix": f"/out/{OURS}/{SESSION}/segment"}
    asked = {"videoTrackId": "TR_V", "segmentOutputs": [output]}
    info = {"egressId": "EG_1", "roomId": "RM_1", "status": status, "trackComposite": asked}
    return webhooks.event(name, egressInfo=info | more)


def about_alice(name: str, **more: Any) -> dict[str, Any]:
    return webhooks.event(name, room=ROOM, participant=ALICE, **more)


def share() -> list[dict[str, Any]]:
    """The webhooks of a share that is recorded, and of who shares, in the order they come in."""
    clock = [{"startedAt": str(time.time_ns())}]
    return [
        webhooks.event("room_started", room=ROOM),
        about_alice("participant_joined"),
        about_alice("track_published", track=webhooks.video()),
        about_alice("track_published", track=webhooks.audio()),
        egress("egress_updated", "EGRESS_ACTIVE"),
        egress("egress_updated", "EGRESS_ACTIVE", segmentResults=clock),
        about_alice("track_unpublished", track=webhooks.video()),
        about_alice("track_unpublished", track=webhooks.audio()),
        egress("egress_ended", "EGRESS_COMPLETE", endedAt="1795380499000000000"),
        about_alice("participant_left"),
        webhooks.event("room_finished", room=ROOM),
    ]


async def test_a_webhook_is_one_trip_to_redis_and_one_to_the_database(
    ctx: Context, send: Send, asked: Asked
) -> None:
    session = EgressSession(
        id=SESSION, buffer_id="b", room="studio", room_sid="RM_1", identity="alice",
        video_sid="TR_V", folder=f"{OURS}/{SESSION}", segment_seconds=2,
        created_at=datetime.now(UTC), start_sent_at=datetime.now(UTC),
    )  # fmt: skip
    await ctx.store.rows(EgressSession).insert_one(document(session))
    await send(webhooks.event("room_started", room=webhooks.room(sid="RM_0")))  # connects
    for event in share():
        async with watched(ctx, asked):
            assert (await send(event)).json() == {"status": "ok"}
        assert (asked.redis, len(asked.database)) == (["EVALSHA"], 1), (
            event["event"],
            asked.database,
        )
        asked.redis.clear()
    row = await ctx.store.rows(EgressSession).find_one({"_id": SESSION})
    assert row is not None
    assert (row["egress_id"], row["status"]) == ("EG_1", EgressStatus.COMPLETE)
    assert row["clock_exact"]
    assert row["active_at"] is not None


@pytest.mark.parametrize(
    "ignored",
    [
        about_alice("track_published", track=webhooks.video(source="CAMERA")),
        webhooks.event("participant_joined", room=ROOM, participant=webhooks.participant("EG_1")),
        egress("egress_started", "EGRESS_STARTING"),
        egress("egress_updated", "EGRESS_ENDING"),
    ],
)
async def test_what_changes_nothing_that_is_decided_asks_no_store(
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


async def work(ctx: Context, livekit: ListedLiveKit, redis: Redis) -> list[str]:
    """Does what the queue holds that is due, as a worker does, but deliveries. What that was."""
    done: list[str] = []
    while names := await redis.zrangebyscore("replay:queue", "-inf", time.time() * 1000):
        for name in names:
            job = json.loads(await redis.getdel(f"arq:job:{name.decode()}"))
            await redis.zrem("replay:queue", name)
            match job["f"]:
                case "reconcile":
                    await recorder.reconcile(ctx, livekit, *job["a"])
                case "reconcile_egress":
                    await recorder.reconcile_egress(ctx, livekit, *job["a"])
                case "reconcile_room":
                    await open_shares.reconcile_room(ctx, *job["a"])
                case _:
                    continue
            done.append(job["f"])
    return done


class Counted:
    """What the stores are asked, step by step."""

    def __init__(self, ctx: Context, send: Send, asked: Asked, redis: Redis) -> None:
        self.ctx, self.send, self.asked, self.redis = ctx, send, asked, redis
        self.livekit = ListedLiveKit()
        self.steps: dict[str, tuple[int, int]] = {}
        self.log: list[str] = []

    async def webhooks(self, step: str, *events: dict[str, Any]) -> None:
        """Nothing is due after any of them but the last."""
        database = redis = 0
        for event in events:
            async with watched(self.ctx, self.asked):
                assert (await self.send(event)).status_code == 200
            database += len(self.asked.database)
            redis += len(self.asked.redis)
            self._log(event["event"])
            if event is not events[-1]:
                assert await work(self.ctx, self.livekit, self.redis) == []
        self.steps[step] = database, redis

    async def job(self, step: str, expected: str) -> None:
        """What is due now is one job."""
        async with watched(self.ctx, self.asked):
            assert await work(self.ctx, self.livekit, self.redis) == [expected]
        self.steps[step] = len(self.asked.database), len(self.asked.redis)
        self._log(expected)

    def _log(self, what: str) -> None:
        self.log.append(f"{what}: {self.asked.database} {self.asked.redis}")
        self.asked.redis.clear()


@pytest.mark.parametrize("together", [True, False])
async def test_a_share_that_starts_records_and_ends_asks_the_stores_so_often(
    ctx: Context, send: Send, asked: Asked, together: bool
) -> None:
    """As is told. Without a command for rows of several collections there are more."""
    ctx.store._writes_together = together
    await communities.configure(ctx.store, communities.DEFAULT, {"enabled": True})
    told = {
        step: (int(database), int(redis))
        for step, _, database, redis in readme.rows(readme.section(README, SECTION))
    }
    async with redis_of(ctx) as redis:
        for script in (
            queue_scripts.ASK,
            queue_scripts.BEGIN,
            queue_scripts.RENEW,
            queue_scripts.END,
        ):
            await redis.script_load(script)  # else the first of a Redis's life is sent it whole
        counted = Counted(ctx, send, asked, redis)
        await a_share(counted)
    if together:
        assert counted.steps == {step: told[step] for step in counted.steps}, counted.log
    of_share = [counted.steps[step] for step in list(told)[:8]]
    share = sum(database for database, _ in of_share), sum(redis for _, redis in of_share)
    assert share == (told["in all"] if together else (BEFORE_8, share[1])), counted.log
    assert share[0] <= (MOST if together else BEFORE_8)


async def a_share(counted: Counted) -> None:
    """The order is that of a real share, with sound, and of the room that it is in."""
    clock = [{"startedAt": str(time.time_ns())}]
    await counted.webhooks(
        "its person comes into a new room",
        webhooks.event("room_started", room=ROOM),
        about_alice("participant_joined"),
    )
    await counted.webhooks(
        "its picture and its sound are published",
        about_alice("track_published", track=webhooks.video()),
        about_alice("track_published", track=webhooks.audio()),
    )
    await counted.job("it starts", "reconcile")
    livekit = counted.livekit
    await counted.webhooks(
        "its egress is starting, then active",
        changed(livekit, "egress_started", "EGRESS_STARTING"),
        changed(livekit, "egress_updated", "EGRESS_ACTIVE", segmentResults=clock),
    )
    await counted.job("it records", "reconcile_egress")
    await counted.webhooks(
        "its picture is unpublished", about_alice("track_unpublished", track=webhooks.video())
    )
    await counted.job("it is stopped", "reconcile")
    recorder_left = webhooks.participant("EG_1", kind="EGRESS")
    await counted.webhooks(
        "its sound is, its egress is ending, its recorder leaves, its egress has ended",
        about_alice("track_unpublished", track=webhooks.audio()),
        changed(livekit, "egress_updated", "EGRESS_ENDING"),
        webhooks.event("participant_left", room=ROOM, participant=recorder_left),
        changed(livekit, "egress_ended", "EGRESS_COMPLETE", endedAt=str(time.time_ns())),
    )
    await counted.job("it is over", "reconcile_egress")
    await counted.webhooks("its person leaves", about_alice("participant_left"))
    await counted.job("there is nothing left of theirs", "reconcile")
    await counted.webhooks("the room is finished", webhooks.event("room_finished", room=ROOM))
    await counted.job("there is nothing left in it", "reconcile_room")

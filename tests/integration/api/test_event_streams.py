"""Streams of events: a caller holds at most so many, and gets their slots back."""

from __future__ import annotations

import asyncio
import sys
import time

import httpx
import pytest

from app.api.event_streams import StreamSlots
from app.context import Context
from app.errors import TooManyRequests
from app.settings import Settings
from tests.integration.api.conftest import INSTANCE_ADMIN, OWNER, ROOM, MakeShare, client_in
from tests.integration.conftest import MakeSettings
from tests.integration.queued import redis_of
from tests.serving import Running
from tests.waiting import wait_for


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(streams_per_user=2)


async def is_full(slots: StreamSlots) -> bool:
    """Whether ann has no slot left."""
    try:
        async with slots.taken("ann"):
            return False
    except TooManyRequests:
        return True


async def test_a_caller_has_so_many_streams_and_their_end_makes_room(
    http: httpx.AsyncClient, app: Running, share: MakeShare, ctx: Context
) -> None:
    """Who has a URL that was made for them takes none of theirs, and all who do have as many."""

    async def both_are_held(callers: int) -> bool:
        # not by taking a third, which would be in the way of the second
        async with redis_of(ctx) as redis:
            held = [await redis.zcard(key) for key in await redis.keys("replay:streams:*")]
            return held == [2] * callers

    await share()
    body = {"room": ROOM, "last": 5, "tail": "skip"}
    told = (await http.post("/captures", json=body, headers=OWNER)).json()
    location = told["Location"]
    path = f"{location}/events"
    async with asyncio.TaskGroup() as group:
        streams = [group.create_task(http.get(path, headers=OWNER)) for _ in range(2)]
        await wait_for(lambda: both_are_held(callers=1))
        third = await http.get(path, headers=OWNER)
        assert (third.status_code, third.json()["type"]) == (429, "too-many-requests")
        assert third.headers["Retry-After"] == "5"
        clients = [client_in(app, f"192.0.2.{number}") for number in range(3)]
        by_url = [group.create_task(each.get(told["events_url"])) for each in clients[:2]]
        await wait_for(lambda: both_are_held(callers=2))
        assert (await clients[2].get(told["events_url"])).status_code == 429
        await http.delete(location, headers=OWNER)
        other = group.create_task(http.get(path, headers=INSTANCE_ADMIN))
    assert [(await each).status_code for each in (*streams, other, *by_url)] == [200] * 5
    assert (await http.get(path, headers=OWNER)).status_code == 200


HOLDER = """
import asyncio, sys
from arq.connections import ArqRedis
from app.api.event_streams import StreamSlots
from app.work.queue import Queue

async def hold():
    slots = StreamSlots(Queue(ArqRedis.from_url(sys.argv[1])), 2, 2.0)
    async with slots.taken("ann"), slots.taken("ann"):
        print("held", flush=True)
        await asyncio.sleep(60)

asyncio.run(hold())
"""


async def test_places_are_counted_over_all_processes_and_a_killed_one_gives_them_back(
    ctx: Context, settings: Settings
) -> None:
    """Their leases are renewed while the process lives, and end by themselves."""
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, settings.redis_url, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert await holder.stdout.readline() == b"held\n"
        slots = StreamSlots(ctx.queue, 2)
        began = time.monotonic()
        while time.monotonic() < began + 2.5:
            assert await is_full(slots)
            await asyncio.sleep(0.1)
        async with slots.taken("bob"):
            pass
    finally:
        holder.kill()
        await holder.wait()

    async def room_again() -> bool:
        return not await is_full(slots)

    await wait_for(room_again)

"""Stores that answer and refuse: read-only, full, not permitted, failing; and all goes on after."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from redis.asyncio import Redis
from structlog.testing import capture_logs

from app.api.versions import current
from app.buffer import markers
from app.condition import peers
from app.condition.doctor import _checked
from app.context import Context
from app.models.metric_words import StoreName, StoreTrouble
from app.models.schema import Segment
from app.settings import Settings
from app.work.store_troubles import Trouble
from tests.integration.api.conftest import INSTANCE_ADMIN, OWNER, ROOM, SHARER, MakeShare
from tests.integration.api.test_matrix import ENDLESS, MATRIX
from tests.integration.captures.checking import work_on
from tests.integration.conftest import MakeSettings
from tests.integration.work.notes import NOTE, working
from tests.mongo_front import MongoFront
from tests.valkey import Valkey, valkey
from tests.waiting import wait_for

Harm = Callable[[], Awaitable[None]]


@pytest_asyncio.fixture
async def redis(tmp_path: Path) -> AsyncIterator[Valkey]:
    async with valkey(tmp_path / "valkey") as server:
        yield server


@pytest_asyncio.fixture
async def mongo(make_settings: MakeSettings) -> AsyncIterator[MongoFront]:
    async with MongoFront(make_settings().mongo_url).served() as front:
        yield front


@pytest.fixture
def settings(make_settings: MakeSettings, redis: Valkey, mongo: MongoFront) -> Settings:
    return make_settings(redis_url=redis.url, mongo_url=mongo.url)


@asynccontextmanager
async def refusing(kind: str, redis: Valkey, mongo: MongoFront) -> AsyncIterator[None]:
    """A store that does, within the block."""
    async with redis.client() as client:
        await _harm(kind, client, mongo)
        try:
            yield
        finally:
            mongo.heal()
            await client.config_set("maxmemory", 0)
            await client.replicaof("NO", "ONE")


async def _harm(kind: str, client: Redis, mongo: MongoFront) -> None:
    match kind:
        case "redis full":
            await client.config_set("maxmemory", 1)
        case "redis read_only":
            await client.replicaof("127.0.0.1", "1")
        case "mongo full":
            mongo.refuse(14031, "OutOfDiskSpace", "no space left on the device")
        case "mongo forbidden":
            mongo.refuse(13, "Unauthorized", "not authorized on replay", frozenset())
        case "mongo failing":
            mongo.refuse(1, "InternalError", "told by a test", frozenset())
        case "mongo changing":
            mongo.refuse(10107, "NotWritablePrimary", "not primary")
        case _:
            raise AssertionError(kind)


def told(kind: str) -> float:
    """What the metric says of it."""
    store, why = kind.split()
    sample = {"store": store, "why": why}
    return REGISTRY.get_sample_value("replay_buffer_store_troubles_total", sample) or 0.0


KINDS = [
    "redis full", "redis read_only",
    "mongo full", "mongo forbidden", "mongo failing", "mongo changing",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
async def test_a_store_that_refuses_is_told_to_everybody_and_forgotten_when_it_takes_again(
    kind: str,
    http: httpx.AsyncClient,
    share: MakeShare,
    ctx: Context,
    settings: Settings,
    redis: Valkey,
    mongo: MongoFront,
) -> None:
    """No route fails by itself: it does without the store, or says when to come again."""
    store, why = kind.split()
    made = await share()
    asked = {"room": ROOM, "sharer": SHARER, "last": 3, "tail": "skip"}
    capture = (await http.post("/v1/captures", json=asked, headers=OWNER)).json()
    await work_on(ctx, capture["id"])
    clip = (await http.get(f"/v1/clips/{capture['clip_id']}", headers=OWNER)).json()
    segment = await ctx.store.rows(Segment).find_one({"session_id": made.session_id})
    assert segment is not None
    marker = await markers.make(ctx, made.buffer_id, made.start, "", SHARER)
    names = {
        "buffer": made.buffer_id,
        "marker": marker["_id"],
        "session": made.session_id,
        "init": segment["init_id"],
        "tiles": f"tiles={made.session_id}.0-1&every=1&width=160&height=120",
        "capture": capture["id"],
        "clip": clip["id"],
        "file": clip["file_id"],
    }

    async def ask(line: str, body: dict[str, Any] | None) -> httpx.Response:
        method, path = line.format(**names).split()
        given = body and {
            name: each.format(**names) if isinstance(each, str) else each
            for name, each in body.items()
        }
        method = "HEAD" if line in ENDLESS else method
        return await http.request(method, current(path), json=given, headers=INSTANCE_ADMIN)

    before = told(kind)
    began = time.monotonic()
    async with refusing(kind, redis, mongo):
        with capture_logs() as logs:
            wrong, refused = [], 0
            # Where the primary has changed, each write looks for the new one for half a second.
            writes = [each for each in MATRIX if each[0].startswith(("POST", "PUT", "PATCH"))]
            for line, body, _ in writes[::4] if why == "changing" else MATRIX:
                if line.startswith("DELETE"):
                    continue  # what is deleted here is asked for afterwards
                found = await ask(line, body)
                if found.status_code == 503:
                    refused += 1
                    assert found.headers.get("Retry-After"), line
                elif found.status_code >= 500:
                    wrong.append((line, found.status_code, found.text))
            assert wrong == []
        minutes = (time.monotonic() - began) / 60
        lines = Counter(each["why"] for each in logs if each["event"] == "store_trouble")
        assert all(number <= 1 + minutes for number in lines.values()), lines
        assert refused or store == "redis"
        trouble = Trouble(StoreName(store), StoreTrouble(why))

        async def says_why() -> bool:
            ready = await http.get("/readyz")
            assert ready.status_code == 503
            says = str(ready.json()["checks"][store])
            assert says != "ok"
            return says.startswith(trouble.says)

        # A write that looks for the new primary more than once takes as long as a check may.
        await wait_for(says_why)
        check = peers.mongo if store == "mongo" else peers.redis
        finding = await _checked(store, check(settings))
        assert finding.level == "fail"
        assert trouble.detail in finding.text
        assert trouble.advice in finding.text
        assert told(kind) > before

    async def goes_on() -> bool:
        return bool((await http.get("/readyz")).json()["checks"][store] == "ok")

    await wait_for(goes_on, 30)
    for line, body, _ in MATRIX:
        assert (await ask(line, body)).status_code < 500, line


@pytest.mark.parametrize("kind", ["redis full", "redis read_only"])
async def test_a_worker_goes_on_when_its_queue_takes_writes_again(
    kind: str, ctx: Context, redis: Valkey, mongo: MongoFront
) -> None:
    """Within 30 s, by itself: what was refused had ended what takes the jobs."""
    async with AsyncExitStack() as stack:
        async with refusing(kind, redis, mongo):
            noted = await stack.enter_async_context(working(ctx))
            before = told(kind)
            await wait_for(lambda: told(kind) > before)
        await ctx.queue.ask(NOTE, "on")
        await wait_for(lambda: noted, 30)

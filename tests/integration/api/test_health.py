"""What machines ask: alive, ready, metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.testing import capture_logs

from app import metrics
from app.condition import health, peers, pulses
from app.condition.exposition import Exposition
from app.condition.metrics_server import served
from app.context import Context
from app.errors import ConfigurationError
from app.main import create_app
from app.models import CaptureStatus, EventState, ProcessRole
from app.models.schema import EgressSession, OutgoingEvent, UserReplayQuota
from app.processes.free_ports import choose_ports
from app.recording.reaper import reap
from app.settings import Settings
from handlers import router
from tests.integration.api.conftest import OWNER, MakeShare, bearer, client_of
from tests.integration.captures.rows import add_capture
from tests.integration.conftest import LIVEKIT_API_SECRET, MakeSettings
from tests.integration.queued import redis_of
from tests.serving import serving
from tests.waiting import PATIENCE_SECONDS, wait_for

Calls = list[str] | None


@asynccontextmanager
async def livekit(
    status: int = 200, *, secret: str = LIVEKIT_API_SECRET, says: bytes = b"", calls: Calls = None
) -> AsyncIterator[str]:
    """The URL of something that answers `/`, and signed calls, as livekit-server does.

    `says`: the body of what it answers to signed calls; each is put into `calls`.
    """

    async def root(request: Request) -> Response:
        return Response("OK", status)

    async def twirp(request: Request) -> Response:
        if calls is not None:
            calls.append(request.url.path)
        token = request.headers["authorization"].removeprefix("Bearer ")
        try:
            jwt.decode(token, secret, ["HS256"])
        except jwt.InvalidSignatureError as error:
            return Response(f"invalid token: {error}", 401)
        return Response(says, media_type="application/protobuf")

    app = Starlette(
        routes=[Route("/", root), Route("/twirp/{service}/{method}", twirp, methods=["POST"])]
    )
    async with serving(app) as url:
        yield url


async def check_of(settings: Settings) -> str:
    """What `/readyz` says of LiveKit."""
    async with client_of(create_app(settings, router)) as http:
        found: str = (await http.get("/readyz")).json()["checks"]["livekit"]
        return found


async def test_alive_needs_nothing(http: httpx.AsyncClient) -> None:
    found = await http.get("/healthz")
    assert (found.status_code, found.json()) == (200, {"status": "alive"})


async def test_ready_names_what_is_missing(http: httpx.AsyncClient) -> None:
    """Here LiveKit is, and no worker and no indexer runs."""
    found = await http.get("/readyz")
    assert found.status_code == 503
    checks = found.json()["checks"]
    assert checks["mongo"] == checks["redis"] == checks["media_root"] == "ok"
    assert checks["livekit"].startswith("does not answer")
    assert checks["worker"] == checks["indexer"] == "none runs"
    assert "127.0.0.1" not in found.text


async def test_ready_when_all_is_there(ctx: Context, make_settings: MakeSettings) -> None:
    async with livekit() as url:
        app = create_app(make_settings(livekit_url=url), router)
        async with client_of(app) as http, pulses.alive(ctx, ProcessRole.WORKER):
            async with pulses.alive(ctx, ProcessRole.INDEXER):

                async def ready() -> bool:
                    return (await http.get("/readyz")).status_code == 200

                await wait_for(ready)
                assert (await http.get("/readyz")).json()["status"] == "ready"

            async def not_ready() -> bool:
                return (await http.get("/readyz")).status_code == 503

            await wait_for(not_ready, what="a stopped indexer is missed")


async def test_a_livekit_that_is_not_ready_is_told(
    ctx: Context, make_settings: MakeSettings
) -> None:
    calls: list[str] = []
    async with livekit(406, calls=calls) as url:
        assert await check_of(make_settings(livekit_url=url)) == "answers 406"
    assert calls == []


async def test_a_livekit_that_refuses_our_key_is_told(
    ctx: Context, make_settings: MakeSettings
) -> None:
    """Else all seems to be well, and nothing is recorded."""
    async with livekit(secret="another secret of at least 32 bytes") as url:
        settings = make_settings(livekit_url=url)
        assert (await check_of(settings)).startswith("refuses this key pair: ")
        found = await peers.livekit(settings)
        assert found.level == "fail"
        assert "refuses this key pair" in found.detail


async def test_what_is_no_livekit_is_told(ctx: Context, make_settings: MakeSettings) -> None:
    """Some other server that answers whatever it is asked."""
    async with livekit(says=b"<html>") as url:
        found = await check_of(make_settings(livekit_url=url))
    assert found == "does not answer (Unavailable)"


async def test_livekit_is_asked_seldom_whether_it_takes_the_key(
    ctx: Context, make_settings: MakeSettings
) -> None:
    """Anybody may ask for `/readyz`, as often as they like, at the same time."""
    calls: list[str] = []
    async with livekit(calls=calls) as url:
        readiness = health.Readiness(
            replace(ctx, settings=make_settings(livekit_url=url)),
            cache_seconds=0,
        )
        found = await asyncio.gather(*(readiness.read() for _ in range(8)))
    assert [each["livekit"] for each in found] == ["ok"] * 8
    assert calls == ["/twirp/livekit.RoomService/ListRooms"]


async def test_what_is_not_ready_is_looked_at_again_soon(ctx: Context) -> None:
    """Who waits for a start is not kept waiting by an answer of before."""
    readiness = health.Readiness(ctx, cache_seconds=3600)
    assert (await readiness.read())["worker"] == health.NONE_RUNS

    async def runs() -> bool:
        return (await readiness.read())["worker"] == health.OK

    async with pulses.alive(ctx, ProcessRole.WORKER):
        await wait_for(runs)


async def test_the_pulse_of_a_killed_process_ends_by_itself(ctx: Context) -> None:
    """Its entry says until when it counts."""
    async with redis_of(ctx) as redis:
        await redis.zadd("replay:alive:worker", {"host:1": datetime.now(UTC).timestamp() - 1})
        assert not await pulses.is_alive(ctx, ProcessRole.WORKER)
        async with pulses.alive(ctx, ProcessRole.WORKER):

            async def runs() -> bool:
                return await pulses.is_alive(ctx, ProcessRole.WORKER)

            await wait_for(runs)
            assert await redis.zcard("replay:alive:worker") == 1


def values(text: str) -> dict[str, float]:
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_the_gauges_say_what_the_rows_say(ctx: Context, share: MakeShare) -> None:
    made = await share()
    for who, used in (("ann", 1000), ("bob", 234)):
        await ctx.store.create(UserReplayQuota(id=who, used_bytes=used, held_bytes=used + 7))
    found = values((await Exposition(ctx).render()).decode())
    size = sum(path.stat().st_size for each in made.folders for path in each.iterdir())
    assert found["replay_buffer_temp_storage_bytes"] == size
    assert found["replay_buffer_saved_replays_bytes"] == 1234
    assert found["replay_buffer_active_sessions"] == 1
    assert found["replay_buffer_free_disk_bytes"] > 0
    age = (datetime.now(UTC) - made.start).total_seconds() - 20
    assert found["replay_buffer_media_lag_seconds"] == pytest.approx(age, abs=5)


async def test_captures_are_told_that_more_workers_could_make(ctx: Context) -> None:
    """Not those whose media is still to come, nor those that are over."""
    later = datetime.now(UTC) + timedelta(minutes=1)
    for status in CaptureStatus:
        until = None if status.is_final else later
        await add_capture(ctx, status, status=status, lease_until=until)
    found = values((await Exposition(ctx).render()).decode())
    assert found["replay_buffer_open_captures"] == 2


async def test_what_waits_and_what_is_late_are_told(ctx: Context) -> None:
    """LiveKit is away here, and tells no time."""
    now = datetime.now(UTC)
    for number, state in enumerate((EventState.DELIVERED, EventState.PENDING, EventState.PENDING)):
        told = now - timedelta(seconds=300 - 100 * number)
        await ctx.store.create(
            OutgoingEvent(
                id=f"EV_{number}",
                room="room",
                room_sid="RM",
                identity="ann",
                number=number + 1,
                event="buffer_started",
                data={},
                created_at=told,
                state=state,
                next_try_at=now,
            )
        )
    await ctx.queue.timetable().publish([reap], ctx.settings, now - timedelta(days=2))
    found = values((await Exposition(ctx).render()).decode())
    assert found["replay_buffer_oldest_event_seconds"] == pytest.approx(200, abs=60)
    assert found["replay_buffer_late_jobs"] == 1
    assert found["replay_buffer_free_space_min_bytes"] == ctx.settings.free_space_min_bytes
    assert "replay_buffer_livekit_clock_ahead_seconds" not in found


async def test_how_far_the_clock_of_livekit_is_off_is_told(
    ctx: Context, make_settings: MakeSettings
) -> None:
    async with livekit() as url:
        settings = make_settings(livekit_url=url)
        found = values((await Exposition(replace(ctx, settings=settings)).render()).decode())
    assert found["replay_buffer_livekit_clock_ahead_seconds"] == pytest.approx(0, abs=30)


async def test_a_ghost_and_an_ended_session_are_not_active(ctx: Context, share: MakeShare) -> None:
    ghost = await share()
    await ghost.change(ghost_at=datetime.now(UTC))
    ended = await share("bob")
    await ended.change(role=None, ended_at=datetime.now(UTC))
    found = values((await Exposition(ctx).render()).decode())
    assert found["replay_buffer_active_sessions"] == 0
    assert found["replay_buffer_media_lag_seconds"] == 0


async def test_the_media_lag_is_that_of_the_session_furthest_behind(
    ctx: Context, share: MakeShare
) -> None:
    await share()
    now = datetime.now(UTC)
    await ctx.store.create(
        EgressSession(
            id="silent",
            buffer_id="b",
            room="room",
            room_sid="RM",
            identity="carl",
            video_sid="TR",
            folder="x",
            created_at=now,
            active_at=now - timedelta(seconds=300),
            segment_seconds=2,
        )
    )
    found = values((await Exposition(ctx).render()).decode())
    assert found["replay_buffer_media_lag_seconds"] == pytest.approx(300, abs=5)


async def test_scrapes_that_follow_each_other_ask_the_rows_once(
    ctx: Context, share: MakeShare
) -> None:
    exposition = Exposition(ctx)
    before = values((await exposition.render()).decode())
    await share()
    assert (
        values((await exposition.render()).decode())["replay_buffer_active_sessions"]
        == (before["replay_buffer_active_sessions"])
    )


async def test_the_metrics_need_their_token(ctx: Context, make_settings: MakeSettings) -> None:
    async with client_of(create_app(make_settings(metrics_token="s3cret" * 6), router)) as http:
        for headers in (
            {},
            bearer("wrong"),
            bearer("s3cret" * 6 + "2"),
            OWNER,
            {"Authorization": "é"},
        ):
            encoded = {name.encode(): value.encode() for name, value in headers.items()}
            assert (await http.get("/metrics", headers=encoded)).status_code == 401
        found = await http.get("/metrics", headers=bearer("s3cret" * 6))
        assert found.status_code == 200
        assert "replay_buffer_errors_total" in found.text


async def test_without_a_token_they_are_not_served_to_anybody(http: httpx.AsyncClient) -> None:
    assert (await http.get("/metrics")).status_code == 404
    assert (await http.get("/metrics", headers=bearer(""))).status_code == 404


async def test_the_metrics_have_a_port_of_their_own(
    ctx: Context, make_settings: MakeSettings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Shared by the processes of a host; refused in words if a stranger has it."""
    folder = tmp_path_factory.mktemp("ports")
    port = choose_ports(["metrics"], folder / "ports.json")["metrics"]
    own = replace(ctx, settings=make_settings(metrics_port=port))
    url = f"http://127.0.0.1:{port}/metrics"
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS) as http:
        async with served(own):
            with capture_logs() as told:
                async with served(own):
                    pass
        assert [(line["event"], line["metrics_port"]) for line in told] == [
            ("metrics_port_shared", port)
        ]
        async with served(own), served(own):
            assert "replay_buffer_active_sessions" in (await http.get(url)).text
            assert (await http.get(url.replace("/metrics", "/buffers"))).status_code == 404
        with pytest.raises(httpx.ConnectError):
            await http.get(url)
        token, counted = "t" * 32, metrics.CREDENTIALS_REFUSED.labels("/metrics")._value.get()
        guarded = make_settings(metrics_port=port, metrics_token=token)
        async with served(replace(ctx, settings=guarded)):
            refused = await http.get(url)
            assert refused.status_code == 401
            for name in ("Cross-Origin-Resource-Policy", "X-Content-Type-Options"):
                assert refused.headers[name]
            assert refused.headers["Cache-Control"] == "no-store"
            assert metrics.CREDENTIALS_REFUSED.labels("/metrics")._value.get() == counted + 1
            assert (await http.get(url, headers=bearer(token + "t"))).status_code == 401
            assert (await http.get(url, headers=bearer(token))).status_code == 200
    stranger = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", port)
    async with stranger:
        with pytest.raises(ConfigurationError, match=f"METRICS_PORT={port}"):
            async with served(own):
                pass

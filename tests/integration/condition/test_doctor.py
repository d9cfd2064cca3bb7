"""The doctor: a line per check, what to do where something is wrong, exit 1 on a failure."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.api.operations_routes import CheckView
from app.buffer.paths import new_session_id
from app.condition import doctor, pulses
from app.condition.findings import Finding
from app.condition.process_checks import EGRESS_CHANNEL, SERVER_CHANNEL
from app.context import Context
from app.events import outbox
from app.events.contents import BufferStartedContent
from app.main import create_app
from app.models import ProcessRole
from app.models.schema import EgressSession, OutgoingEvent
from app.serving.server import Guest
from app.settings import Settings
from app.storage.instance import instance_id
from app.storage.s3_requests import S3Requests
from handlers import router
from tests.integration.conftest import LIVEKIT_API_KEY, LIVEKIT_API_SECRET, MakeSettings
from tests.integration.queued import redis_of
from tests.object_front import ObjectFront
from tests.waiting import wait_for


async def found(settings: Settings) -> dict[str, Finding]:
    return {finding.name: finding async for finding in doctor.examine(settings)}


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[int]:
    """The port on which the application is served, by this process."""
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="on", date_header=False)
    server = Guest(config)
    task = asyncio.create_task(server.serve())
    await wait_for(lambda: server.started or task.done())
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


def livekit(clock: timedelta = timedelta(0)) -> Starlette:
    """Answers as livekit-server does: its health, and ListRooms without a room."""

    async def root(request: Request) -> Response:
        now = datetime.now(UTC) + clock
        return Response("OK", headers={"Date": format_datetime(now, usegmt=True)})

    async def rooms(request: Request) -> Response:
        return Response(b"", media_type="application/protobuf")

    return Starlette(
        routes=[
            Route("/", root),
            Route("/twirp/livekit.RoomService/ListRooms", rooms, methods=["POST"]),
        ]
    )


async def test_a_bare_machine_is_told_what_is_missing(
    settings: Settings, ctx: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stores are there; LiveKit, the service and its processes are not."""
    assert await doctor.run(settings) == 1
    lines = capsys.readouterr().out.splitlines()
    levels = {line.split(":")[0].split(maxsplit=1)[1]: line.split()[0] for line in lines}
    for name in ("ffmpeg", "media root", "disk", "mongo", "redis"):
        assert levels[name] == "ok", lines
    for name in ("livekit", "clock", "webhook", "worker", "indexer"):
        assert levels[name] == "fail", lines
    assert levels["egress"] == levels["shared folder"] == "unknown"
    assert settings.livekit_api_secret.get_secret_value() not in "\n".join(lines)


async def test_a_whole_installation_has_no_failure(
    ctx: Context, make_settings: MakeSettings
) -> None:
    async with (
        serving(livekit()) as livekit_port,
        redis_of(ctx) as redis,
        redis.pubsub() as listener,
        pulses.alive(ctx, ProcessRole.WORKER),
        pulses.alive(ctx, ProcessRole.INDEXER),
    ):
        await listener.subscribe(EGRESS_CHANNEL, SERVER_CHANNEL)
        url = f"ws://127.0.0.1:{livekit_port}"
        async with serving(create_app(make_settings(livekit_url=url), router)) as port:
            settings = make_settings(livekit_url=url, public_url=f"http://127.0.0.1:{port}")
            checks = await found(settings)
    assert [finding for finding in checks.values() if finding.level == "fail"] == []
    for name in ("livekit", "clock", "webhook", "worker", "indexer", "egress", "invariants"):
        assert checks[name].level == "ok", checks[name]


async def test_a_webhook_url_that_leads_elsewhere_is_told(make_settings: MakeSettings) -> None:
    async with serving(livekit()) as port:
        url = f"http://127.0.0.1:{port}"
        settings = make_settings(livekit_url=url, public_url=url)
        webhook = (await found(settings))["webhook"]
    assert webhook.level == "fail"
    assert "404" in webhook.text


@pytest.mark.parametrize(
    ("host", "livekit_url", "level"),
    [
        ("127.0.0.1", "wss://livekit.invalid", "warn"),
        ("localhost", "wss://livekit.invalid", "warn"),
        ("0.0.0.0", "wss://livekit.invalid", "warn"),
        ("127.0.0.1", "ws://localhost:9", "ok"),
    ],
)
async def test_a_webhook_url_that_livekit_cannot_reach_is_told(
    make_settings: MakeSettings, host: str, livekit_url: str, level: str
) -> None:
    """That this machine reaches it is no proof for a LiveKit on another one."""
    async with serving(create_app(make_settings(), router)) as port:
        settings = make_settings(livekit_url=livekit_url, host=host, port=port)
        webhook = (await found(settings))["webhook"]
    assert webhook.level == level, webhook
    if level == "warn":
        assert "PUBLIC_URL" in webhook.text
        assert "HOST=0.0.0.0" in webhook.text
        assert livekit_url in webhook.text


async def test_a_service_that_does_not_know_its_url_is_told(make_settings: MakeSettings) -> None:
    """Whatever machine LiveKit is on: the links of clips would lead nowhere."""
    async with serving(create_app(make_settings(), router)) as port:
        settings = make_settings(livekit_url="ws://127.0.0.1:9", host="0.0.0.0", port=port)
        webhook = (await found(settings))["webhook"]
    assert webhook.level == "warn"
    assert "HOST=0.0.0.0" in webhook.text
    assert "set PUBLIC_URL" in webhook.text


async def test_a_clock_that_is_off_is_told(make_settings: MakeSettings) -> None:
    async with serving(livekit(clock=timedelta(seconds=-30))) as port:
        clock = (await found(make_settings(livekit_url=f"http://127.0.0.1:{port}")))["clock"]
    assert clock.level == "fail"
    assert "-30" in clock.text or "-29" in clock.text


async def test_a_bucket_for_clips_is_tried(
    make_settings: MakeSettings, in_bucket: dict[str, str], front: ObjectFront
) -> None:
    """Each right by itself; and whether whoever has the page open reaches it."""
    given: dict[str, object] = {**in_bucket, "s3_endpoint": front.endpoint}
    settings = make_settings(**given)
    told = (await found(settings))["clip store"]
    assert (told.level, told.advice) == ("ok", "")
    assert f"callers are redirected to {front.endpoint}" in told.text
    assert "trims are copied there" in told.text
    front.answer("x-amz-copy-source", 501, "NotImplemented")
    told = (await found(settings))["clip store"]
    assert (told.level, "trims are fetched and sent" in told.text) == ("ok", True)
    front.heal()
    front.answer("x-amz-copy-source", 400, "InvalidRequest")
    told = (await found(settings))["clip store"]
    assert (told.level, "could not be tried with a small object" in told.text) == ("ok", True)
    front.heal()
    far = make_settings(**given, public_url="https://replay.example.com")
    assert (await found(far))["clip store"].level == "warn"
    through_us = make_settings(**given, public_url="https://replay.example.com", clips_proxy=True)
    assert (await found(through_us))["clip store"].level == "ok"
    for lines, words in (
        ("^PUT ", "may not put there: give it s3:PutObject"),
        ("^GET .*[.]probe", "may not read there: give it s3:GetObject"),
        ("^GET .*list-type=2", "may not list there: give it s3:ListBucket"),
        ("^(DELETE|POST .*[?&]delete)", "may not delete there: give it s3:DeleteObject"),
    ):
        front.answer(lines, 403, "AccessDenied")
        told = (await found(settings))["clip store"]
        assert told.level == "fail", lines
        assert words in told.text
        front.heal()
    front.answer("^GET .*[?&]uploads", 403, "AccessDenied")
    told = (await found(settings))["clip store"]
    assert told.level == "warn"
    assert "s3:AbortMultipartUpload" in told.text
    assert "aborts incomplete uploads" in told.text
    front.heal()
    front.answer("^GET .*[?&]versioning", 403, "AccessDenied")
    assert (await found(settings))["clip store"].level == "ok"
    front.cut()
    assert (await found(settings))["clip store"].level == "fail"


async def test_a_bucket_that_keeps_what_is_deleted_is_told(
    make_settings: MakeSettings, in_bucket: dict[str, str]
) -> None:
    settings = make_settings(**in_bucket)
    place = settings.clips_place
    assert place is not None
    rule = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    requests = S3Requests(settings, place)
    assert not await requests.keeps_versions()
    signed = await requests.signed("PUT", "", {"versioning": ""}, timedelta(minutes=1))
    async with httpx.AsyncClient() as client:
        (await client.put(signed, content=rule)).raise_for_status()
    told = (await found(settings))["clip store"]
    assert told.level == "warn"
    assert "what people delete stays" in told.text
    assert "expires versions" in told.advice


async def test_a_place_for_clips_of_another_installation_is_told(
    make_settings: MakeSettings, in_bucket: dict[str, str], tmp_path: Path
) -> None:
    for given in (in_bucket, {"clips_url": f"file://{tmp_path}/clips"}):
        assert (await found(make_settings(**given)))["clip store"].level == "ok"
        others = make_settings(**given, data_dir=tmp_path / "others")
        instance_id(others.media_root)
        told = (await found(others))["clip store"]
        assert told.level == "fail"
        assert "is of installation" in told.text


async def test_livekit_without_an_egress_worker_is_told(ctx: Context, settings: Settings) -> None:
    async with redis_of(ctx) as redis, redis.pubsub() as listener:
        await listener.subscribe(SERVER_CHANNEL)
        assert (await found(settings))["egress"].level == "fail"


async def test_a_target_that_takes_no_events_is_told(ctx: Context, settings: Settings) -> None:
    """With how many wait for it, for how long, and why."""
    targets = [{"name": "chat", "url": "http://127.0.0.1:9/hook", "secret": "s" * 32}]
    told = settings.model_copy(update={"events_targets": SecretStr(json.dumps(targets))})
    for number in range(3):
        content = BufferStartedContent(buffer_id=f"b{number}", community="default")
        await outbox.tell(
            replace(ctx, settings=told),
            content,
            f"b{number}",
            room="r",
            room_sid="RM",
            identity="a",
        )
    long_ago = datetime.now(UTC) - timedelta(minutes=10)
    row = {"created_at": long_ago, "targets.chat.last_error": "HTTP 503"}
    await ctx.store.rows(OutgoingEvent).update_many({}, {"$set": row})
    events = (await found(settings))["events"]
    assert events.level == "warn"
    assert "chat: 3 wait, the first for 60" in events.detail
    assert "HTTP 503" in events.detail


async def test_an_egress_that_writes_elsewhere_is_told(ctx: Context, settings: Settings) -> None:
    """It is active, and its folder, as we see it, stays empty."""
    now = datetime.now(UTC)
    session = EgressSession(
        id="s",
        buffer_id="b",
        room="room",
        room_sid="RM",
        identity="ann",
        video_sid="TR",
        folder="replay-buffer/room/ann/s",
        created_at=now - timedelta(minutes=3),
        active_at=now - timedelta(minutes=2),
        segment_seconds=2,
    )
    await ctx.store.create(session)
    folder = settings.media_root / session.folder
    folder.mkdir(parents=True)
    shared = (await found(settings))["shared folder"]
    assert shared.level == "fail"
    assert "EGRESS_FILE_UPLOAD_DEST" in shared.text
    (folder / "segment.ts").touch()
    assert (await found(settings))["shared folder"].level == "ok"


async def test_files_that_nobody_knows_are_told_and_removed_if_a_person_says_so(
    ctx: Context, settings: Settings
) -> None:
    assert (await found(settings))["invariants"].level == "ok"
    now = datetime.now(UTC)
    folder = settings.media_root / "replay-buffer/room/ann" / new_session_id(ctx.instance, now)
    folder.mkdir(parents=True)
    stray = folder / "00000000.m4s"
    stray.touch()
    os.utime(stray, (0, 0))
    invariants = (await found(settings))["invariants"]
    assert invariants.level == "fail"
    assert "00000000.m4s" in invariants.text
    assert "--repair" in invariants.text
    assert stray.exists()
    repaired = {f.name: f async for f in doctor.examine(settings, repair=True)}
    assert "removed 1 files" in repaired["repair"].text
    assert repaired["invariants"].level == "ok"
    assert not stray.exists()


async def test_names_of_files_are_told_as_what_can_be_shown(
    ctx: Context, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Egress may name files as it likes: none moves a terminal's cursor, or spoils an answer."""
    now = datetime.now(UTC)
    folder = settings.media_root / "replay-buffer/room/ann" / new_session_id(ctx.instance, now)
    folder.mkdir(parents=True)
    for name in (b"\xff.ts", b"\x1b[2J", b"new\nline"):
        stray = folder / os.fsdecode(name)
        stray.touch()
        os.utime(stray, (0, 0))
    invariants = (await found(settings))["invariants"]
    assert invariants.level == "fail"
    for shown in (r"\udcff.ts", r"\x1b[2J", r"new\nline"):
        assert shown in invariants.detail
    CheckView(
        name="", ok=False, level="fail", detail=invariants.detail, advice=invariants.advice
    ).model_dump_json()
    assert await doctor.run(settings) == 1
    assert "\x1b" not in capsys.readouterr().out


async def test_a_check_that_a_row_breaks_is_told_and_the_others_are_made(
    ctx: Context, settings: Settings
) -> None:
    await ctx.store.database[+EgressSession].insert_one({"_id": f"{ctx.instance}-bad"})
    checks = await found(settings)
    assert checks["invariants"].level == "fail"
    assert "KeyError" in checks["invariants"].detail
    assert checks["clips"].level == "ok"


def test_what_the_doctor_logs_is_tamed_too(tmp_path: Path) -> None:
    """As all processes do: else structlog would write what it is given."""
    program = (
        "import structlog; from app.__main__ import main; main(['doctor']);"
        "structlog.get_logger().warning('told', name='\\x1b[2J')"
    )
    given = {
        "MONGO_URL": "mongodb://127.0.0.1:9/x",
        "REDIS_URL": "redis://127.0.0.1:9",
        "LIVEKIT_URL": "ws://127.0.0.1:9",
        "LIVEKIT_API_KEY": LIVEKIT_API_KEY,
        "LIVEKIT_API_SECRET": LIVEKIT_API_SECRET,
        "FILE_UPLOAD_DEST": str(tmp_path),
        "LOG_FORMAT": "json",
    }
    told = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | given,
        capture_output=True,
        text=True,
    ).stderr
    line = json.loads(told.splitlines()[-1])
    assert (line["event"], line["role"], line["name"]) == ("told", "doctor", r"\x1b[2J")


async def test_a_media_root_that_is_a_file_and_a_full_disk_are_told(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    settings = make_settings(file_upload_dest=tmp_path / "file", free_space_min_bytes=2**62)
    checks = await found(settings)
    assert checks["media root"].level == "fail"
    assert "FILE_UPLOAD_DEST" in checks["media root"].text
    assert checks["disk"].level == "fail"


async def test_stores_that_are_away_are_told_and_the_rest_is_still_examined(
    make_settings: MakeSettings,
) -> None:
    settings = make_settings(mongo_url="mongodb://127.0.0.1:9/x", redis_url="redis://127.0.0.1:9")
    began = time.monotonic()
    checks = await found(settings)
    assert time.monotonic() - began < 30
    assert checks["mongo"].level == checks["redis"].level == "fail"
    assert checks["disk"].level == "ok"
    assert "worker" not in checks

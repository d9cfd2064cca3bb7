"""Checks an installation: one line per check, with what to do where something is wrong."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sys
import time
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import redis.asyncio
from livekit.api import AccessToken
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from app.buffer.session_folders import folders_of
from app.cleaning import buffer_invariants, strays
from app.clips import clip_invariants as clips
from app.condition import health, machine, running
from app.condition.machine import CheckResult, Level
from app.context import Context, opened
from app.errors import ConfigurationError, Unavailable
from app.models import SessionRole
from app.models.schema import EgressSession, Segment
from app.recording.livekit import LiveKit
from app.settings import Settings
from app.storage.confined import PathRefused
from app.store import Store

CHECK_SECONDS = 15.0
INVARIANTS_SECONDS = 300.0
"""They read every row and look at every file."""
GLANCE_SECONDS = 5.0
SHOWN = 5
CLOCK_SECONDS = 2.0
MEDIA_AFTER = timedelta(seconds=60)
"""An egress that has been active for so long has written something."""

_FAILURES = (OSError, PyMongoError, RedisError, httpx.HTTPError, Unavailable, ConfigurationError)
_MUCH = CheckResult(
    "unknown", f"there is more than {GLANCE_SECONDS:g} s suffice for", "run `python -m app doctor`"
)


@dataclass(frozen=True)
class Finding:
    """The outcome of one check. Only `fail` is a failure."""

    name: str
    level: Level
    detail: str
    advice: str = ""

    @property
    def text(self) -> str:
        """What is so, and what to do."""
        return f"{self.detail}: {self.advice}" if self.advice else self.detail


async def run(settings: Settings, *, repair: bool = False) -> int:
    """Prints what is found; 1 if a check failed, else 0.

    `repair`: what does not match between disk and index is settled first, however much it is.
    """
    failed = False
    async for finding in examine(settings, repair=repair):
        failed = failed or finding.level == "fail"
        sys.stdout.write(f"{finding.level:<8}{finding.name}: {finding.text}\n")
        sys.stdout.flush()
    return 1 if failed else 0


async def examine(
    settings: Settings, *, repair: bool = False, at_a_glance: bool = False
) -> AsyncIterator[Finding]:
    """The checks, one after another. The last ones need the stores and the media root.

    `at_a_glance`: what would take long, of rows and files, is left to the command line.
    """
    yield await _checked("ffmpeg", machine.ffmpeg())
    needed = [
        await _checked("media root", asyncio.to_thread(machine.media_root, settings)),
        await _checked("disk", asyncio.to_thread(machine.disk, settings)),
        await _checked("mongo", _mongo(settings)),
        await _checked("redis", _redis(settings)),
    ]
    for finding in needed:
        yield finding
    yield await _checked("livekit", _livekit(settings))
    yield await _checked("clock", _clock(settings))
    yield await _checked("webhook", _webhook(settings))
    yield await _checked("encoding", asyncio.to_thread(machine.cores, settings))
    if any(finding.level == "fail" for finding in needed if finding.name != "disk"):
        return
    async with opened(settings) as ctx:
        for role in health.ROLES:
            yield await _checked(role, running.process(ctx, role))
        yield await _checked("jobs", running.jobs(ctx))
        yield await _checked("egress", running.egress_workers(ctx))
        yield await _checked("shared folder", _shared_folder(ctx))
        if repair:
            yield await _checked("repair", _repair(ctx), seconds=INVARIANTS_SECONDS)
        seconds, late = (GLANCE_SECONDS, _MUCH) if at_a_glance else (INVARIANTS_SECONDS, None)
        yield await _checked("invariants", _invariants(ctx), seconds=seconds, late=late)
        yield await _checked("clips", _clips(ctx), seconds=seconds, late=late)


async def _checked(
    name: str,
    check: Awaitable[CheckResult],
    *,
    seconds: float = CHECK_SECONDS,
    late: CheckResult | None = None,
) -> Finding:
    try:
        async with asyncio.timeout(seconds):
            result = await check
    except TimeoutError:
        result = late or CheckResult("fail", f"no answer within {seconds:g} s")
    except _FAILURES as error:
        result = CheckResult("fail", str(error) or type(error).__name__)
    return Finding(name, *result)


async def _mongo(settings: Settings) -> CheckResult:
    store = Store(settings.mongo_url)
    try:
        began = time.perf_counter()
        await store.ping()
        return CheckResult("ok", f"answers in {(time.perf_counter() - began) * 1000:.0f} ms")
    finally:
        await store.close()


async def _redis(settings: Settings) -> CheckResult:
    # redis-py 5 has no types for from_url
    client = redis.asyncio.from_url(settings.redis_url, socket_timeout=5)  # type: ignore[no-untyped-call]
    async with client:
        began = time.perf_counter()
        await client.ping()
        return CheckResult("ok", f"answers in {(time.perf_counter() - began) * 1000:.0f} ms")


async def _livekit(settings: Settings) -> CheckResult:
    livekit = LiveKit(settings)
    try:
        rooms = await livekit.rooms()
    except Unavailable as error:
        return CheckResult(
            "fail",
            f"{settings.livekit_http_url}: {error}",
            "does livekit-server run there, and does it know the key "
            f"{settings.livekit_api_key!r} with this secret?",
        )
    finally:
        await livekit.close()
    return CheckResult(
        "ok", f"{settings.livekit_http_url} answers and takes the key; {len(rooms)} rooms"
    )


async def _clock(settings: Settings) -> CheckResult:
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
        began = datetime.now(UTC)
        answer = await client.get(settings.livekit_http_url)
        ended = datetime.now(UTC)
    if "date" not in answer.headers:
        return CheckResult("unknown", f"{settings.livekit_http_url} does not tell its time")
    # The header is cut to whole seconds.
    theirs = parsedate_to_datetime(answer.headers["date"]) + timedelta(seconds=0.5)
    ahead = (theirs - began - (ended - began) / 2).total_seconds()
    if abs(ahead) > CLOCK_SECONDS:
        return CheckResult(
            "fail",
            f"LiveKit's clock is {ahead:+.1f} s from ours",
            "run NTP on both machines; times of clips and lifetimes of tokens depend on it",
        )
    return CheckResult("ok", "LiveKit's agrees with ours to the second")


async def _webhook(settings: Settings) -> CheckResult:
    url = f"{settings.base_url}/webhooks/livekit"
    body = b'{"event":"doctor"}'
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    key, secret = next(iter(settings.key_pairs.items()))
    token = AccessToken(key, secret).with_sha256(digest).with_ttl(timedelta(minutes=5)).to_jwt()
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            answer = await client.post(url, content=body, headers={"Authorization": token})
    except httpx.HTTPError as error:
        return CheckResult(
            "fail",
            f"{url}: {error or type(error).__name__}",
            "start `python -m app api`, and check PUBLIC_URL, HOST and PORT",
        )
    if answer.status_code != httpx.codes.OK:
        return CheckResult("fail", f"{url} answers {answer.status_code}: {answer.text[:200]}")
    return CheckResult(
        "ok",
        f"{url} takes what {key!r} signed; livekit.yaml needs webhook: {{api_key: {key}, "
        f"urls: [{url}]}}",
    )


async def _shared_folder(ctx: Context) -> CheckResult:
    now = datetime.now(UTC)
    newest = await ctx.store.rows(Segment).find_one({}, {"indexed_at": 1}, sort=[("end", -1)])
    live = {"role": SessionRole.CURRENT, "ended_at": None, "ghost_at": None}
    active = await ctx.store.rows(EgressSession).find_one(
        live | {"active_at": {"$lt": now - MEDIA_AFTER}}, sort=[("created_at", 1)]
    )
    if active is not None:
        try:
            folder = folders_of(ctx.settings.media_root, active).written
        except PathRefused as error:
            return CheckResult("fail", str(error), "restore this session's row from a backup")
        return await asyncio.to_thread(machine.shared_folder, ctx.settings, folder)
    if newest is not None:
        age = (now - newest["indexed_at"]).total_seconds()
        return CheckResult("ok", f"egress wrote, and we read, a segment {age:.0f} s ago")
    return CheckResult(
        "unknown", "nothing is being recorded", "share a screen for a minute, then run this again"
    )


async def _repair(ctx: Context) -> CheckResult:
    done = await strays.settle(ctx, datetime.now(UTC), confirmed=True)
    return CheckResult(
        "ok",
        f"removed {done.removed} files that nobody knew; {done.missing} segments whose files are "
        "gone are gaps now",
    )


async def _invariants(ctx: Context) -> CheckResult:
    violations = [
        f"({each.invariant}) {each.detail}"
        async for each in buffer_invariants.violations(ctx, datetime.now(UTC))
    ]
    if not violations:
        return CheckResult(
            "ok", "every segment has its file, every file its reason, every pin its media"
        )
    return CheckResult(
        "fail",
        _first_of(violations),
        "cleanup settles files that nobody knows once they are old, and asks before it takes more "
        "than half; see that MONGO_URL and FILE_UPLOAD_DEST belong together, then "
        "`python -m app doctor --repair`",
    )


async def _clips(ctx: Context) -> CheckResult:
    violations = [each.detail async for each in clips.violations(ctx, datetime.now(UTC))]
    if not violations:
        return CheckResult(
            "ok", "every clip has its file, every file its clip, every quota its sum"
        )
    return CheckResult(
        "fail",
        _first_of(violations),
        "see that MONGO_URL and FILE_UPLOAD_DEST belong together; a clip whose file is lost can "
        "only be deleted, a file of no clip removed by hand",
    )


def _first_of(violations: list[str]) -> str:
    further = f"; and {len(violations) - SHOWN} more" if len(violations) > SHOWN else ""
    return "; ".join(violations[:SHOWN]) + further

"""Checks an installation: one line per check, with what to do where something is wrong.

The checks themselves are functions that give a CheckResult, in a module for each kind of thing that
they look at: `machine`, `peers`, `running`, `stored_media`. Here is which there are, in which
order, and how long each may take.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable

import httpx
import structlog
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from app.condition import machine, peers, process_checks, stored_media
from app.condition.findings import CheckResult, Finding
from app.context import opened
from app.errors import ConfigurationError, Unavailable
from app.logs import escaped
from app.models import ProcessRole
from app.settings import Settings
from app.work import store_troubles

CHECK_SECONDS = 15.0
WHOLE_SECONDS = 300.0
"""For checks that read every row and look at every file."""
GLANCE_SECONDS = 5.0
"""For the same ones, where only a glance is asked for."""

_FAILURES = (OSError, PyMongoError, RedisError, httpx.HTTPError, Unavailable, ConfigurationError)
_MUCH = CheckResult(
    "unknown", f"there is more than {GLANCE_SECONDS:g} s suffice for", "run `python -m app doctor`"
)

log = structlog.get_logger()


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
    """The checks, one after another; those that need stores and media root only if these are there.

    `repair`: as for `run`. `at_a_glance`: what would take long, of rows and files, is left to the
    command line.
    """
    yield await _checked("ffmpeg", machine.ffmpeg())
    known = await peers.known_instance(settings)
    needed = [
        await _checked("media root", asyncio.to_thread(machine.media_root, settings, known)),
        await _checked("disk", asyncio.to_thread(machine.disk, settings)),
        await _checked("mongo", peers.mongo(settings)),
        await _checked("redis", peers.redis(settings)),
        await _checked("clip store", peers.clip_store(settings, known)),
        await _checked("buffer store", peers.buffer_store(settings, known)),
    ]
    for finding in needed:
        yield finding
    yield await _checked("livekit", peers.livekit(settings))
    yield await _checked("clock", peers.clock(settings))
    yield await _checked("webhook", peers.webhook(settings))
    yield await _checked("encoding", asyncio.to_thread(machine.cores, settings))
    if any(finding.level == "fail" for finding in needed if finding.name != "disk"):
        return
    async with opened(settings) as ctx:
        for role in ProcessRole.with_pulse():
            yield await _checked(role, process_checks.process(ctx, role))
        yield await _checked("jobs", process_checks.jobs(ctx))
        yield await _checked("events", process_checks.events(ctx))
        yield await _checked("egress", process_checks.egress_workers(ctx))
        yield await _checked("egress clock", process_checks.egress_clock(ctx))
        yield await _checked("clip bytes", stored_media.clip_bytes(ctx))
        yield await _checked("shared folder", stored_media.shared_folder(ctx))
        if repair:
            yield await _checked("repair", stored_media.repair(ctx), seconds=WHOLE_SECONDS)
        seconds, late = (GLANCE_SECONDS, _MUCH) if at_a_glance else (WHOLE_SECONDS, None)
        yield await _checked("invariants", stored_media.invariants(ctx), seconds=seconds, late=late)
        yield await _checked("clips", stored_media.clips(ctx), seconds=seconds, late=late)


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
        said = str(error) or type(error).__name__
        if (trouble := store_troubles.trouble_of(error)) is None:
            result = CheckResult("fail", said)
        else:
            result = CheckResult("fail", f"{trouble.detail}: {said}", trouble.advice)
    except Exception as error:
        # Such as a row that was altered: it is told, and the other checks are made.
        log.exception("check_failed", check=name)
        result = CheckResult(
            "fail", repr(error), "the log says where; restore a backup if a row is wrong"
        )
    # files of others are named in it
    return Finding(name, result.level, escaped(result.detail), escaped(result.advice))

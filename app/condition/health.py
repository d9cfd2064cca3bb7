"""Whether what the service needs is there: each dependency by name, each process by its pulse."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from app.condition import pulses
from app.condition.answer_cache import AnswerCache
from app.context import Context
from app.errors import Unavailable
from app.models import ProcessRole
from app.recording import unread_rooms
from app.recording.livekit import LiveKit
from app.storage.confined import member
from app.storage.instance import RootAbsent, require
from app.work import outside_answers, store_troubles

CHECK_SECONDS = 2.0
CACHE_SECONDS = 1.0
AGAIN_SECONDS = 0.2
"""Where something is wrong: whoever waits for the end of a start learns of it."""
KEY_SECONDS = 30.0
OK = "ok"
NONE_RUNS = "none runs"
REFUSES_KEY = "refuses this key pair: its keys lack LIVEKIT_API_KEY, or have another secret for it"
_LATE_JOBS_ADVICE = (
    "look in the worker's log for item_failed, job_failed and job_interrupted of this job"
)

_UNREAD_ROOMS_ADVICE = (
    "opt-outs there are not heard while they are recorded; the worker's log names them in "
    "item_failed of read_rooms: see who makes the lists of their people so long"
)


class Readiness(AnswerCache[dict[str, str]]):
    """The checks of all dependencies, made at most every CACHE_SECONDS: anybody may ask. Where
    something is wrong, every AGAIN_SECONDS.

    Whether LiveKit takes our key pair is asked at most every KEY_SECONDS.
    """

    def __init__(self, ctx: Context, cache_seconds: float = CACHE_SECONDS) -> None:
        key_pair = AnswerCache(partial(_key_pair, ctx), lambda *_: KEY_SECONDS)
        super().__init__(
            partial(_check, ctx, key_pair),
            lambda checks, _: (
                cache_seconds if is_ready(checks) else min(cache_seconds, AGAIN_SECONDS)
            ),
        )


def is_ready(checks: Mapping[str, str]) -> bool:
    """Whether nothing is wrong."""
    return set(checks.values()) == {OK}


async def _check(ctx: Context, key_pair: AnswerCache[str]) -> dict[str, str]:
    """Each dependency's name: `ok`, or in a few words what is wrong."""
    checks: dict[str, Coroutine[Any, Any, str]] = {
        "mongo": _mongo(ctx),
        "redis": _redis(ctx),
        "livekit": _livekit(ctx, key_pair),
        "media_root": asyncio.to_thread(_media_root, ctx),
        "jobs": _jobs(ctx),
    } | {role: _pulse(ctx, role) for role in ProcessRole.with_pulse()}
    results = await asyncio.gather(*(_limited(check) for check in checks.values()))
    return dict(zip(checks, results, strict=True))


async def _limited(check: Coroutine[Any, Any, str]) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check
    except (TimeoutError, OSError, PyMongoError, RedisError, httpx.HTTPError, Unavailable) as error:
        # The kind of error only: its text may hold addresses, and this is told to anybody.
        trouble = store_troubles.note(error)
        says = "does not answer" if trouble is None else trouble.says
        return f"{says} ({type(error).__name__})"


async def _pulse(ctx: Context, role: ProcessRole) -> str:
    return OK if await pulses.is_alive(ctx, role) else NONE_RUNS


async def _mongo(ctx: Context) -> str:
    await ctx.store.probe()
    return OK


async def _redis(ctx: Context) -> str:
    await ctx.queue.probe()
    return OK


async def _livekit(ctx: Context, key_pair: AnswerCache[str]) -> str:
    # livekit-server answers / with 200 while its node lives, else 406 (its server.go, healthCheck).
    async with outside_answers.client() as client:
        url = ctx.settings.livekit_http_url
        answer = await outside_answers.ask(client, "GET", url, seconds=CHECK_SECONDS)
    return await key_pair.read() if answer.is_success else f"answers {answer.status}"


async def _key_pair(ctx: Context) -> str:
    client = LiveKit(ctx.settings)
    try:
        return OK if await client.takes_key() else REFUSES_KEY
    finally:
        await client.close()


async def job_trouble(ctx: Context) -> tuple[str, str] | None:
    """What jobs that recur do not get done, and what to do; None if they do all of it.

    Which have had no whole round of late, and for how long; then how many rooms there are whose
    people can't be read. Not which: anybody asks.
    """
    if late := await ctx.queue.timetable().late(datetime.now(UTC)):
        return "; ".join(map(str, late)), _LATE_JOBS_ADVICE
    if count := await unread_rooms.unread_for_long(ctx):
        what = f"{count} of LiveKit's rooms were not read in {unread_rooms.ROUNDS} surveys in a row"
        return what, _UNREAD_ROOMS_ADVICE
    return None


async def _jobs(ctx: Context) -> str:
    trouble = await job_trouble(ctx)
    return OK if trouble is None else ": ".join(trouble)


def _media_root(ctx: Context) -> str:
    try:
        require(ctx.settings.media_root, ctx.instance)
    except RootAbsent as error:
        return error.strerror or str(error)
    probe = member(ctx.settings.media_root, f".probe-{secrets.token_hex(4)}")
    try:
        probe.write_bytes(b"probe")
    except OSError as error:
        return f"can't be written to ({error.strerror})"
    finally:
        probe.unlink(missing_ok=True)
    return OK

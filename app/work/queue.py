"""The queue: the only place, besides the worker, that knows arq.

Jobs run at least once, and a worker may be killed within any of them: each is a reconcile or a
leased row, so that running it again is harmless. The queue is never the promise, only the hurry.

arq leaves the job of a killed worker untouched for as long as the longest job may take, and takes
no other of the same id meanwhile. So every id here moves on, by a generation or with time, and
locks are renewed: what a killed worker held is free within seconds.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix, job_key_prefix
from arq.jobs import serialize_job
from redis.exceptions import RedisError

from app.settings import Settings
from app.tracing import trace
from app.work import queue_scripts, redis_clients
from app.work.jobs import Arguments, Asked, Busy, Errand
from app.work.leases import BEATS, Leases
from app.work.timetable import Timetable
from app.work.unserved_items import UnservedItems

QUEUE = "replay:queue"
LOCK_SECONDS = 10.0

log = structlog.get_logger()

_TRACEPARENT = "traceparent"
EVENT_SECONDS = 3600
"""How long a webhook's id is known: LiveKit repeats one for at most 45 s."""


def serialize(job: dict[str, Any]) -> bytes:
    """JSON instead of arq's pickle: nothing that Redis holds can run code here.

    The trace that a job is asked for in goes with it.
    """
    if (traceparent := trace.traceparent()) is not None:
        job = {**job, _TRACEPARENT: traceparent}
    return json.dumps(job, default=repr).encode()


def deserialize(data: bytes) -> dict[str, Any]:
    """A job as arq takes it; its trace is what the worker's function is called with besides."""
    job: dict[str, Any] = json.loads(data)
    if _TRACEPARENT in job:
        job["k"] = {_TRACEPARENT: job.pop(_TRACEPARENT)}
    return job


def arq_client(redis_url: str, **options: Any) -> ArqRedis:
    """A client of arq's, which has not connected; `options` are those of redis-py's connections.

    Raises ConfigurationError if redis-py knows no such URL.
    """
    redis = cast(ArqRedis, ArqRedis.from_pool(redis_clients.pool(redis_url, **options)))
    redis.job_serializer, redis.job_deserializer = serialize, deserialize
    redis.default_queue_name = QUEUE
    return redis


@dataclass
class Alone:
    """A time in which nobody else is at an errand. `again_at`: when it is wanted once more."""

    again_at: datetime | None = None


class Queue:
    """Asks for jobs. All methods raise redis.exceptions.RedisError when Redis does not answer."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._ask = redis.register_script(queue_scripts.ASK)
        self._begin = redis.register_script(queue_scripts.BEGIN)
        self._renew = redis.register_script(queue_scripts.RENEW)
        self._end = redis.register_script(queue_scripts.END)

    @classmethod
    async def connect(cls, settings: Settings) -> Queue:
        """An open queue. Raises ConfigurationError for what no waiting mends."""
        redis = arq_client(settings.redis_url)
        try:
            await redis_clients.check(redis)
        except BaseException:
            await redis.aclose()
            raise
        return cls(redis)

    async def close(self) -> None:
        await self._redis.aclose()

    async def ask(
        self,
        errand: Errand[*Arguments],
        *args: *Arguments,
        at: datetime | None = None,
        turn: int | None = None,
    ) -> None:
        """Asks for a job, now or at an instant.

        What the errand says of asking again holds; with a `turn`, it is asked for once per turn.
        """
        if errand.until_begun:
            await self._ask_until_begun("", [errand.of(*args)], at)
            return
        if turn is None and errand.once_in is not None:
            turn = int(time.time() / errand.once_in.total_seconds())
        job_id = None
        if at is not None:
            job_id = f"{errand.name}:{_digest(args)}:at:{at.timestamp():.1f}"
        elif turn is not None:
            job_id = ":".join(map(str, (errand.name, *args, turn)))
        await self._redis.enqueue_job(errand.name, *args, _job_id=job_id, _defer_until=at)

    async def ask_all(self, asked: Sequence[Asked]) -> None:
        """Asks for many, which are errands that are asked for until they begin: all or none."""
        await self._ask_until_begun("", asked)

    async def begin(self, errand: Errand[*Arguments], *args: *Arguments) -> None:
        """Says that an errand which is asked for until it begins has begun.

        Its job calls this before it reads anything: asked for from here on, it runs again.
        """
        await self._begin(keys=["", _generation_key(errand.of(*args))], args=["", 0])

    async def once_per(self, period: timedelta, errand: Errand[()]) -> None:
        """Asks for what recurs, if no process has asked for it in this period."""
        milliseconds = max(1, int(period.total_seconds() * 950))
        if await self._redis.set(f"replay:tick:{errand.name}", 1, nx=True, px=milliseconds):
            await self._redis.enqueue_job(errand.name)

    @asynccontextmanager
    async def alone(
        self,
        errand: Errand[*Arguments],
        *args: *Arguments,
        seconds: float = LOCK_SECONDS,
        begun: Sequence[Asked] = (),
    ) -> AsyncIterator[Alone]:
        """Begins an errand that nobody else is at, nor will be within the block.

        With it begins what is `begun` by that, too.

        Raises Busy if another worker is at it: then nothing has begun. A worker that is killed, or
        that Redis doesn't hear of, is at it for `seconds` more. Its `again_at` is asked for as
        the block ends, unless it raises.
        """
        asked = errand.of(*args)
        lock = f"replay:lock:{errand.name}:{_digest(args)}"
        mine, alone = secrets.token_hex(8), Alone()
        generations = [_generation_key(each) for each in (asked, *begun)]
        if not await self._begin(keys=[lock, *generations], args=[mine, int(seconds * 1000)]):
            raise Busy
        name = f"renew the lock of {errand.name}"
        renewing = asyncio.create_task(self._keep(lock, mine, seconds), name=name)
        try:
            yield alone
        except BaseException:
            alone.again_at = None
            raise
        finally:
            renewing.cancel()
            await asyncio.wait({renewing})
            again: list[str | bytes | int] = []
            if alone.again_at is not None:
                again = [*_job_of(asked), _milliseconds(alone.again_at)]
            keys = [QUEUE, lock, _generation_key(asked)]
            if not await self._end(keys=keys, args=[*self._of_jobs, mine, *again]):
                # It ran out: what two do at once is guarded by their rows, too.
                log.warning(f"{errand.name}_lock_lost", about=args)

    async def _keep(self, lock: str, mine: str, seconds: float) -> None:
        """Holds a lock until it is cancelled, or another one has it."""
        while True:
            await asyncio.sleep(seconds / BEATS)
            try:
                if not await self._renew(keys=[lock], args=[mine, int(seconds * 1000)]):
                    return  # the end tells
            except (RedisError, OSError) as error:
                log.warning("lock_not_renewed", lock=lock, error=repr(error))

    def leases(self, key: str, seconds: float) -> Leases:
        """Who holds something now, each for `seconds` from when they said so last."""
        return Leases(self._redis, f"replay:{key}", seconds)

    def timetable(self) -> Timetable:
        """When the jobs that recur had their last whole rounds."""
        return Timetable(self._redis)

    def unserved(self, job: str) -> UnservedItems:
        """What the rounds of a job have not served."""
        return UnservedItems(self._redis, job)

    async def probe(self) -> None:
        """Returns when Redis takes a write."""
        await self._redis.set("replay:probe", 1, ex=EVENT_SECONDS)

    async def listeners(self, *channels: str) -> list[int]:
        """How many connections listen on each channel of the Redis that the queue is in."""
        return [int(count) for _, count in await self._redis.pubsub_numsub(*channels)]

    async def ask_for_event(self, event_id: str, asked: Sequence[Asked]) -> bool:
        """Notes a webhook's id and asks for what the webhook calls for, both or neither.

        All of it are errands that are asked for until they begin. False if the id was noted before:
        nothing is asked for then. Without an id nothing is noted.
        """
        return await self._ask_until_begun(event_id, asked)

    async def _ask_until_begun(
        self, event_id: str, asked: Sequence[Asked], at: datetime | None = None
    ) -> bool:
        jobs: list[str | bytes | int] = []
        for each in asked:
            again_ms = _milliseconds(at)
            at_ms = again_ms + int(each.after.total_seconds() * 1000)
            jobs += [*_job_of(each), at_ms, again_ms, "1" if each.if_begun else ""]
        return bool(
            await self._ask(
                keys=[
                    QUEUE,
                    f"replay:event:{event_id}" if event_id else "",
                    *(_generation_key(each) for each in asked),
                ],
                args=[*self._of_jobs, EVENT_SECONDS, *jobs],
            )
        )

    @property
    def _of_jobs(self) -> list[str | int]:
        """What the scripts that ask for jobs are told of all."""
        return [job_key_prefix, in_progress_key_prefix, self._redis.expires_extra_ms]


def _job_of(asked: Asked) -> tuple[str, bytes]:
    """Of a job that is asked for until it begins: what its id begins with, and the job."""
    now_ms = _milliseconds(None)
    job = serialize_job(asked.errand.name, asked.args, {}, None, now_ms, serializer=serialize)
    return f"{asked.errand.name}:{_digest(asked.args)}:", job


def _milliseconds(instant: datetime | None) -> int:
    """Since 1970; None: now."""
    return int((time.time() if instant is None else instant.timestamp()) * 1000)


def _digest(args: Iterable[object]) -> str:
    text = "\0".join(map(str, args))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _generation_key(asked: Asked) -> str:
    return f"replay:generation:{asked.errand.name}:{_digest(asked.args)}"

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
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix, job_key_prefix
from arq.jobs import serialize_job
from redis.asyncio.lock import Lock
from redis.exceptions import LockError, RedisError

from app.settings import Settings
from app.work import redis_clients
from app.work.jobs import Arguments, Asked, Busy, Errand
from app.work.leases import BEATS, Leases
from app.work.timetable import Timetable

QUEUE = "replay:queue"
LOCK_SECONDS = 10.0

log = structlog.get_logger()

# Every webhook about a share asks for a reconcile: one round trip instead of arq's three, one for
# the generation and two for the webhook's id. Keys and values are such as arq's enqueue_job writes.
# An empty id is none; ARGV[6] and ARGV[7] are the first errand's, and so on in pairs.
# A job that is in progress and hasn't said that it began may be a killed worker's: asked for again,
# it begins for it.
_ASK_UNTIL_BEGUN = """
if KEYS[2] ~= '' and not redis.call('SET', KEYS[2], 1, 'NX', 'EX', ARGV[4]) then
    return 0
end
for i = 3, #KEYS do
    local id = ARGV[2 * i] .. (redis.call('GET', KEYS[i]) or '0')
    if redis.call('EXISTS', ARGV[5] .. id) == 1 then
        id = ARGV[2 * i] .. redis.call('INCR', KEYS[i])
        redis.call('EXPIRE', KEYS[i], 86400)
    end
    local job = ARGV[1] .. id
    if redis.call('EXISTS', job) == 0 then
        redis.call('PSETEX', job, ARGV[2], ARGV[2 * i + 1])
        redis.call('ZADD', KEYS[1], ARGV[3], id)
    end
end
return 1
"""
EVENT_SECONDS = 3600
"""How long a webhook's id is known: LiveKit repeats one for at most 45 s."""


def serialize(job: dict[str, Any]) -> bytes:
    """JSON instead of arq's pickle: nothing that Redis holds can run code here."""
    return json.dumps(job, default=repr).encode()


def deserialize(data: bytes) -> dict[str, Any]:
    job: dict[str, Any] = json.loads(data)
    return job


def arq_client(redis_url: str, **options: Any) -> ArqRedis:
    """A client of arq's, which has not connected; `options` are those of redis-py's connections.

    Raises ConfigurationError if redis-py knows no such URL.
    """
    redis = cast(ArqRedis, ArqRedis.from_pool(redis_clients.pool(redis_url, **options)))
    redis.job_serializer, redis.job_deserializer = serialize, deserialize
    redis.default_queue_name = QUEUE
    return redis


class Queue:
    """Asks for jobs. All methods raise redis.exceptions.RedisError when Redis does not answer."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._ask_until_begun = redis.register_script(_ASK_UNTIL_BEGUN)

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
        if errand.until_begun and at is None:
            await self.ask_for_event("", [errand.of(*args)])
            return
        if turn is None and errand.once_in is not None:
            turn = int(time.time() / errand.once_in.total_seconds())
        job_id = None
        if at is not None:
            job_id = f"{errand.name}:{_digest(args)}:at:{at.timestamp():.1f}"
        elif turn is not None:
            job_id = ":".join(map(str, (errand.name, *args, turn)))
        await self._redis.enqueue_job(errand.name, *args, _job_id=job_id, _defer_until=at)

    async def begin(self, errand: Errand[*Arguments], *args: *Arguments) -> None:
        """Says that an errand which is asked for until it begins has begun.

        Its job calls this before it reads anything: asked for from here on, it runs again.
        """
        key = _generation_key(errand.of(*args))
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.incr(key)
            pipe.expire(key, timedelta(days=1))
            await pipe.execute()

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
    ) -> AsyncIterator[None]:
        """Begins an errand that nobody else is at, nor will be within the block.

        Raises Busy if another worker is at it: then nothing has begun. A worker that is killed, or
        that Redis doesn't hear of, is at it for `seconds` more.
        """
        about = f"{errand.name}:{_digest(args)}"
        lock = self._redis.lock(f"replay:lock:{about}", timeout=seconds)
        if not await lock.acquire(blocking=False):
            raise Busy
        renewing = asyncio.create_task(_renew(lock, seconds), name=f"renew the lock of {about}")
        try:
            await self.begin(errand, *args)
            yield
        finally:
            renewing.cancel()
            await asyncio.wait({renewing})
            try:
                await lock.release()
            except LockError:
                # It ran out: what two do at once is guarded by their rows, too.
                log.warning(f"{errand.name}_lock_lost", about=args)

    def leases(self, key: str, seconds: float) -> Leases:
        """Who holds something now, each for `seconds` from when they said so last."""
        return Leases(self._redis, f"replay:{key}", seconds)

    def timetable(self) -> Timetable:
        """When the jobs that recur had their last whole rounds."""
        return Timetable(self._redis)

    async def ping(self) -> None:
        """Returns when Redis answers."""
        await self._redis.ping()

    async def listeners(self, *channels: str) -> list[int]:
        """How many connections listen on each channel of the Redis that the queue is in."""
        return [int(count) for _, count in await self._redis.pubsub_numsub(*channels)]

    async def ask_for_event(self, event_id: str, asked: Sequence[Asked]) -> bool:
        """Notes a webhook's id and asks for what the webhook calls for, both or neither.

        All of it are errands that are asked for until they begin. False if the id was noted before:
        nothing is asked for then. Without an id nothing is noted.
        """
        now_ms = int(time.time() * 1000)
        jobs: list[str | bytes] = []
        for each in asked:
            # What is the same job moves on with `begin`: the generation is added to its id.
            jobs += [
                f"{each.errand.name}:{_digest(each.args)}:",
                serialize_job(each.errand.name, each.args, {}, None, now_ms, serializer=serialize),
            ]
        return bool(
            await self._ask_until_begun(
                keys=[
                    QUEUE,
                    f"replay:event:{event_id}" if event_id else "",
                    *(_generation_key(each) for each in asked),
                ],
                args=[
                    job_key_prefix,
                    self._redis.expires_extra_ms,
                    now_ms,
                    EVENT_SECONDS,
                    in_progress_key_prefix,
                    *jobs,
                ],
            )
        )


async def _renew(lock: Lock, seconds: float) -> None:
    """Holds a lock until it is cancelled, or another one has it."""
    while True:
        await asyncio.sleep(seconds / BEATS)
        try:
            await lock.reacquire()
        except LockError:
            return  # the release tells
        except (RedisError, OSError) as error:
            log.warning("lock_not_renewed", lock=lock.name, error=repr(error))


def _digest(args: Iterable[object]) -> str:
    text = "\0".join(map(str, args))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _generation_key(asked: Asked) -> str:
    return f"replay:generation:{asked.errand.name}:{_digest(asked.args)}"

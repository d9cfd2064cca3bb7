"""The queue: the only place, besides the worker, that knows arq.

Jobs run at least once, and a worker may be killed within any of them: each is a reconcile or a
leased row, so that running it again is harmless. The queue is never the promise, only the hurry.

arq leaves the job of a killed worker untouched for as long as the longest job may take, and takes
no other of the same id meanwhile. So every id here moves on, by a generation or with time.
"""

from __future__ import annotations

import hashlib
import json
import time
from datetime import datetime, timedelta
from typing import Any

from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.constants import job_key_prefix
from arq.jobs import serialize_job

from app.settings import Settings

QUEUE = "replay:queue"

# Every webhook about a share asks for a reconcile: one round trip instead of arq's three and one
# for the generation. Keys and values are such as arq's enqueue_job writes.
_ASK_FOR_RECONCILE = """
local id = ARGV[1] .. (redis.call('GET', KEYS[1]) or '0')
local job = ARGV[2] .. id
if redis.call('EXISTS', job) == 0 then
    redis.call('PSETEX', job, ARGV[3], ARGV[4])
    redis.call('ZADD', KEYS[2], ARGV[5], id)
end
"""


def serialize(job: dict[str, Any]) -> bytes:
    """JSON instead of arq's pickle: nothing that Redis holds can run code here."""
    return json.dumps(job, default=repr).encode()


def deserialize(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(data)
    return found


def redis_settings(redis_url: str) -> RedisSettings:
    """arq's view of REDIS_URL. Calls are repeated while Redis is away: arq gives up otherwise."""
    settings = RedisSettings.from_dsn(redis_url)
    settings.conn_retries = 20
    settings.conn_retry_delay = 1
    return settings


class Queue:
    """Asks for jobs. All methods raise redis.exceptions.RedisError when Redis does not answer."""

    def __init__(self, redis: ArqRedis) -> None:
        self.redis = redis
        self._ask_for_reconcile = redis.register_script(_ASK_FOR_RECONCILE)

    @classmethod
    async def open(cls, settings: Settings) -> Queue:
        return cls(
            await create_pool(
                redis_settings(settings.redis_url),
                job_serializer=serialize,
                job_deserializer=deserialize,
                default_queue_name=QUEUE,
            )
        )

    async def close(self) -> None:
        await self.redis.aclose()

    async def reconcile(self, room_sid: str, identity: str, *, at: datetime | None = None) -> None:
        """Asks for a reconcile of a participant's shares, now or at an instant.

        Asked for again before it begins, it runs once; asked for after it began, it runs again:
        the generation in the job's id moves on at the begin, before facts are read.
        """
        beginning = f"reconcile:{_digest(room_sid, identity)}:"
        if at is not None:
            job_id = f"{beginning}at:{at.timestamp():.1f}"
            await self._enqueue("reconcile", room_sid, identity, job_id=job_id, at=at)
            return
        now_ms = int(time.time() * 1000)
        job = serialize_job(
            "reconcile", (room_sid, identity), {}, None, now_ms, serializer=serialize
        )
        await self._ask_for_reconcile(
            keys=[_generation_key(room_sid, identity), QUEUE],
            args=[beginning, job_key_prefix, self.redis.expires_extra_ms, job, now_ms],
        )

    async def begin_reconcile(self, room_sid: str, identity: str) -> None:
        """Moves the generation on. A reconcile calls it before it reads any fact."""
        key = _generation_key(room_sid, identity)
        async with self.redis.pipeline(transaction=True) as pipe:
            pipe.incr(key)
            pipe.expire(key, timedelta(days=1))
            await pipe.execute()

    async def reconcile_room(self, room_sid: str) -> None:
        """Asks for a reconcile of everybody who shares, or is recorded, in a room."""
        await self._enqueue("reconcile_room", room_sid)

    async def capture(self, capture_id: str, generation: int) -> None:
        """Asks for a capture to be made; at most one job per generation of its row."""
        await self._enqueue("capture", capture_id, job_id=f"capture:{capture_id}:{generation}")

    async def deliver(self, room: str) -> None:
        """Asks for the delivery of a room's events."""
        await self._enqueue("deliver", room)

    async def learn_clock(self, session_id: str) -> None:
        """Asks for a session's `started_at` from LiveKit; at most once in two seconds."""
        slot = int(time.time() / 2)
        await self._enqueue("learn_clock", session_id, job_id=f"learn_clock:{session_id}:{slot}")

    async def forget(self, buffer_id: str) -> None:
        """Asks for what is to be forgotten of a share to go; at most once in a second."""
        await self._enqueue("forget", buffer_id, job_id=f"forget:{buffer_id}:{int(time.time())}")

    async def once_per(self, period_seconds: float, name: str) -> None:
        """Runs the job `name` if nobody has asked for it in this period, whoever asks."""
        key = f"replay:tick:{name}"
        if await self.redis.set(key, 1, nx=True, px=max(1, int(period_seconds * 950))):
            await self._enqueue(name)

    async def seen(self, event_id: str) -> bool:
        """Whether a webhook with this id was noted before."""
        return bool(await self.redis.exists(f"replay:event:{event_id}"))

    async def remember(self, event_id: str) -> None:
        """Notes a webhook's id for an hour: LiveKit repeats one for at most 45 s."""
        await self.redis.set(f"replay:event:{event_id}", 1, ex=3600)

    async def _enqueue(
        self, name: str, *args: Any, job_id: str | None = None, at: datetime | None = None
    ) -> None:
        await self.redis.enqueue_job(name, *args, _job_id=job_id, _defer_until=at)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def lock_name(room_sid: str, identity: str) -> str:
    """The Redis lock of a participant's reconcile."""
    return f"replay:lock:{_digest(room_sid, identity)}"


def _generation_key(room_sid: str, identity: str) -> str:
    return f"replay:generation:{_digest(room_sid, identity)}"

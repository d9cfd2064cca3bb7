"""psrpc over Redis: serve what an egress is asked, call livekit-server's IOInfo.

Redis PUB/SUB only, as psrpc v0.7.2 does it: whoever listens on a channel is registered, a message
that nobody hears is lost. Every method used here is a claimed one: request, claim with an affinity,
choice by the caller, response. A message of a wrong type on a server's channel would end the
livekit-server process (unchecked type assertion), so each channel has exactly one type below.
"""

from __future__ import annotations

import asyncio
import logging
import random
import string
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import redis.asyncio

from deploy.local.standin import messages

log = logging.getLogger("standin.rpc")
CLAIM_SECONDS = 5.0
"""A server that is there claims within milliseconds, on a slow machine within a second or two."""
RECONNECT_SECONDS = 0.2


class RpcError(Exception):
    """An error answer: one of psrpc's codes, and a text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def new_id(prefix: str) -> str:
    """An id as psrpc makes them: `prefix` and 12 characters of [A-Za-z0-9]."""
    return prefix + "".join(random.choices(string.ascii_letters + string.digits, k=12))  # noqa: S311 - no secret


@dataclass(frozen=True)
class Method:
    """A served method.

    `offer` sees the raw request and returns the affinity to claim it with, or None to stay silent;
    `handle` runs only when the caller chose us, and returns the raw response.
    """

    offer: Callable[[bytes], float | None]
    handle: Callable[[bytes], Awaitable[bytes]]


@dataclass
class _Call:
    method: str
    claimed: asyncio.Event = field(default_factory=asyncio.Event)
    answer: asyncio.Future[Any] = field(default_factory=asyncio.Future)


class Bus:
    """One worker's end of psrpc.

    :param bus: the Redis of livekit-server, closed at the end.
    :param methods: the served methods by name: StartEgress (service EgressInternal), StopEgress
        and UpdateStream (service EgressHandler, their channels carry the egress id).
    """

    def __init__(self, bus: redis.asyncio.Redis, methods: dict[str, Method]) -> None:
        self.connected = asyncio.Event()
        self._redis = bus
        self._methods = methods
        self._client_id = new_id("CLI_")
        self._server_id = new_id("SRV_")
        self._claims: dict[str, tuple[str, str, Any]] = {}
        self._calls: dict[str, _Call] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Listen until cancelled; a lost connection is made again, with all subscriptions."""
        channels = [
            "EgressInternal|StartEgress|REQ",
            "EgressInternal|StartEgress|RCLAIM",
            f"IOInfo|{self._client_id}|CLAIM",
            f"IOInfo|{self._client_id}|RES",
        ]
        # One pattern for the handlers of all egresses: a subscription per egress could come
        # after the first StopEgress.
        patterns = ["EgressHandler|StopEgress|EG_*|*", "EgressHandler|UpdateStream|EG_*|*"]
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(*channels)
                    await pubsub.psubscribe(*patterns)
                    missing = len(channels) + len(patterns)
                    async for message in pubsub.listen():
                        if message["type"] in ("subscribe", "psubscribe"):
                            missing -= 1
                            if missing == 0:
                                log.info("subscribed as %s", self._server_id)
                                self.connected.set()
                        elif message["type"] in ("message", "pmessage"):
                            await self._receive(message["channel"].decode(), message["data"])
            except (redis.asyncio.RedisError, OSError) as error:
                log.warning("Redis: %s; connecting again", error)
            self.connected.clear()
            await asyncio.sleep(RECONNECT_SECONDS)

    async def aclose(self) -> None:
        await self._redis.aclose()

    async def call(self, method: str, raw_request: bytes, timeout_seconds: float) -> bytes:
        """Call one IOInfo method of livekit-server and return its raw response.

        :raises RpcError: `unavailable` if nobody claims within CLAIM_SECONDS or Redis is away,
            `deadline_exceeded`, or the server's own error.
        """
        request_id = new_id("REQ_")
        call = self._calls[request_id] = _Call(method)
        now = time.time_ns()
        request = messages.Request(
            request_id=request_id,
            client_id=self._client_id,
            sent_at=now,
            expiry=now + int(timeout_seconds * 1e9),
            raw_request=raw_request,
        )
        try:
            await self._publish(f"IOInfo|{method}|REQ", request)
            try:
                await asyncio.wait_for(call.claimed.wait(), CLAIM_SECONDS)
            except TimeoutError:
                raise RpcError("unavailable", f"no claim for {method}") from None
            try:
                response = await asyncio.wait_for(call.answer, timeout_seconds)
            except TimeoutError:
                raise RpcError("deadline_exceeded", f"no answer to {method}") from None
        except (redis.asyncio.RedisError, OSError) as error:
            raise RpcError("unavailable", f"Redis: {error}") from error
        finally:
            del self._calls[request_id]
        if response.error:
            raise RpcError(response.code or "unknown", response.error)
        return bytes(response.raw_response)

    async def _publish(self, channel: str, message: Any) -> None:
        await self._redis.publish(channel, messages.wrap(message))

    async def _receive(self, channel: str, payload: bytes) -> None:
        try:
            message = messages.unwrap(payload)
        except ValueError as error:
            log.warning("%s: %s", channel, error)
            return
        service, name, *_ = channel.split("|")
        kind = message.DESCRIPTOR.name
        if kind == "Request":
            await self._claim(service, name, message)
        elif kind == "ClaimResponse":
            claimed = self._claims.pop(message.request_id, None)
            if claimed and message.server_id == self._server_id:
                task = asyncio.create_task(self._serve(*claimed))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        elif message.request_id in self._calls:
            call = self._calls[message.request_id]
            if kind == "ClaimRequest" and not call.claimed.is_set():
                call.claimed.set()
                choice = messages.ClaimResponse(
                    request_id=message.request_id, server_id=message.server_id
                )
                await self._publish(f"IOInfo|{call.method}|RCLAIM", choice)
            elif kind == "Response" and not call.answer.done():
                call.answer.set_result(message)

    async def _claim(self, service: str, name: str, request: Any) -> None:
        now = time.time_ns()
        if request.expiry <= now:
            return
        affinity = self._methods[name].offer(request.raw_request)
        if affinity is None:
            return
        self._claims = {k: v for k, v in self._claims.items() if v[2].expiry > now}
        self._claims[request.request_id] = (service, name, request)
        claim = messages.ClaimRequest(
            request_id=request.request_id, server_id=self._server_id, affinity=affinity
        )
        await self._publish(f"{service}|{request.client_id}|CLAIM", claim)

    async def _serve(self, service: str, name: str, request: Any) -> None:
        response = messages.Response(request_id=request.request_id, server_id=self._server_id)
        try:
            response.raw_response = await self._methods[name].handle(request.raw_request)
        except RpcError as error:
            response.error, response.code = str(error), error.code
        except Exception as error:  # as in psrpc, whatever goes wrong is the caller's answer
            log.exception("%s failed", name)
            response.error, response.code = f"{type(error).__name__}: {error}", "internal"
        response.sent_at = time.time_ns()
        try:
            await self._publish(f"{service}|{request.client_id}|RES", response)
        except (redis.asyncio.RedisError, OSError) as error:
            log.warning("the answer to %s is lost: %s", name, error)

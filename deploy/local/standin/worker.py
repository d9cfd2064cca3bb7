"""The worker: takes StartEgress, StopEgress and UpdateStream, keeps the running egresses."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import Any

import redis.asyncio
from livekit.protocol import egress as proto

from deploy.local.standin import faults, messages, request
from deploy.local.standin.egress import KILLED, STOPPED, Egress
from deploy.local.standin.places import S3Storage
from deploy.local.standin.rpc import Bus, Method, RpcError
from deploy.local.standin.source import Connection

log = logging.getLogger("standin.worker")

CREATE_SECONDS = 15.0
UPDATE_SECONDS = 30.0
FIRST_RETRY_SECONDS = 0.5
LAST_RETRY_SECONDS = 60.0
END_SECONDS = 20.0
"""For all egresses to end when the worker ends; livekit-server may be away."""


class Worker:
    """One worker.

    :param maximum: egresses at the same time; beyond it the worker is silent, as a busy one.
    :param late_seconds: media that is so late is left out.
    :param storage: where what is recorded goes, if a request says nothing of it; None: a folder.
    """

    def __init__(
        self,
        bus: redis.asyncio.Redis,
        connection: Connection,
        maximum: int,
        late_seconds: float,
        faults_path: Path | None,
        storage: S3Storage | None = None,
    ) -> None:
        self._storage = storage
        self._connection = connection
        self._maximum = maximum
        self._late_seconds = late_seconds
        self._faults_path = faults_path
        self._egresses: dict[str, Egress] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._accepts = True
        self.bus = Bus(
            bus,
            {
                "StartEgress": Method(self._offer_start, self._start),
                "StopEgress": Method(self._offer_stop, self._stop),
                "UpdateStream": Method(self._offer_update, self._update_stream),
            },
        )

    async def aclose(self) -> None:
        """Take no more, end all, wait until livekit-server knows."""
        self._accepts = False
        for egress in self._egresses.values():
            egress.end(KILLED)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=END_SECONDS)

    def _faults(self) -> faults.Faults:
        return faults.read(self._faults_path)

    def _offer_start(self, _: bytes) -> float | None:
        ordered = self._faults()
        if not self._accepts or ordered.busy or len(self._egresses) >= self._maximum:
            return None
        if ordered.affinity is not None:
            return ordered.affinity if ordered.affinity >= 0 else None
        return 1.0 if self._egresses else 0.5

    async def _start(self, raw: bytes) -> bytes:
        start = messages.StartEgressRequest.FromString(raw)
        ordered = self._faults()
        if ordered.die_on_start:
            os._exit(1)
        if ordered.refuse is not None:
            raise RpcError(*ordered.refuse)
        if start.egress_id in self._egresses:
            raise RpcError("already_exists", f"egress {start.egress_id} already exists")
        try:
            parsed = request.parse(start.track_composite, self._storage)
        except ValueError as error:
            raise RpcError("invalid_argument", str(error)) from error
        egress = Egress(
            start.egress_id,
            start.room_id,
            start.track_composite,
            parsed,
            self._faults,
            self._update,
            self._late_seconds,
        )
        self._egresses[start.egress_id] = egress
        try:
            answer: bytes = egress.info.SerializeToString()
            await self.bus.call("CreateEgress", answer, CREATE_SECONDS)
            await asyncio.sleep(ordered.delay_start)
        except RpcError:
            del self._egresses[start.egress_id]
            raise
        task = asyncio.create_task(self._run(egress), name=start.egress_id)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return answer

    async def _run(self, egress: Egress) -> None:
        asked, egress_id = egress.request, egress.info.egress_id
        log.info("%s starts: room %s, %s", egress_id, asked.room_name, asked.layout.prefix)
        try:
            await egress.run(self._connection)
        finally:
            del self._egresses[egress.info.egress_id]
            log.info("%s is over", egress.info.egress_id)

    def _offer_stop(self, raw: bytes) -> float | None:
        asked = proto.StopEgressRequest.FromString(raw)
        if asked.egress_id not in self._egresses or self._faults().silent:
            return None
        return 1.0

    async def _stop(self, raw: bytes) -> bytes:
        asked = proto.StopEgressRequest.FromString(raw)
        egress = self._egresses.get(asked.egress_id)
        if egress is None:
            raise RpcError("not_found", "egress does not exist")
        egress.end(STOPPED)
        answer: bytes = egress.info.SerializeToString()
        return answer

    def _offer_update(self, raw: bytes) -> float | None:
        asked = proto.UpdateStreamRequest.FromString(raw)
        return 1.0 if asked.egress_id in self._egresses else None

    async def _update_stream(self, _: bytes) -> bytes:
        raise RpcError("invalid_argument", "UpdateStream called on non-streaming egress")

    async def _update(self, info: Any) -> None:
        """Deliver one update; tried again while the server can't be reached, as the real one."""
        pause = FIRST_RETRY_SECONDS
        while True:
            try:
                await self.bus.call("UpdateEgress", info.SerializeToString(), UPDATE_SECONDS)
                return
            except RpcError as error:
                if error.code not in ("unavailable", "deadline_exceeded"):
                    log.error("update of %s refused: %s", info.egress_id, error)
                    return
                log.warning("update of %s: %s; again in %s s", info.egress_id, error, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LAST_RETRY_SECONDS)

"""A process that does one thing, mostly with clips, and is killed (SIGKILL) at a given step of it.

Steps are counted: each command to the database just before it is sent, each rename, removal and
opening for writing just before it is done. Run as a program it stays, imports once, and forks for
each order that it reads from stdin, one JSON document a line; it answers with how the child ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr
from pymongo import monitoring

from app.access import admin_deeds
from app.access.tokens import Caller
from app.buffer import markers
from app.captures import (
    acceptance,
    copy_execution,
    endings,
    execution,
    moments,
    rendition_execution,
    renditions,
    role_changes,
    share_erasure,
    trimming,
    withdrawal,
)
from app.captures.capture_tools import CaptureTools
from app.captures.moment_request import MomentRequest
from app.captures.rendition_request import RenditionRequest
from app.captures.requests import CaptureRequest
from app.captures.trim_request import TrimRequest
from app.clips import clip_expiry, library, objections
from app.context import Context
from app.models import Stopper, Visibility
from app.models.schema import Buffer
from app.recording import share_stop
from app.settings import Settings, load
from app.storage.clip_folder import ClipFolder
from app.storage.clip_places import clip_bucket
from app.storage.egress_places import opened_egress
from app.storage.instance import instance_id
from app.store import Store
from app.work.queue import Queue
from app.work.share_rates import ShareRates
from tests import admitting
from tests.integration.buffer.packing import pack_all
from tests.waiting import PATIENCE_SECONDS

_HARMLESS = frozenset({"hello", "ismaster", "isMaster", "ping", "endSessions", "createIndexes"})
_OF_CLIPS = (
    "trash_days", "clips_url", "buffer_url", "s3_endpoint", "aws_access_key_id",
    "aws_secret_access_key",
)  # fmt: skip
_FILE_STEPS = frozenset({"os.rename", "os.remove", "os.mkdir"})


Program = asyncio.subprocess.Process


def _plain(value: float | str | SecretStr) -> float | str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


class Mortal:
    """Acts on the stores and the media root of some settings, through a running program."""

    def __init__(self, program: Program, settings: Settings) -> None:
        self.pid = 0
        """Of the process that acts, or was the last to do so."""
        self._program = program
        self._settings = settings

    async def act(
        self, action: str, *args: Any, die_at: int | None = None, size_limit: int | None = None
    ) -> bool:
        """Whether it was killed; False: it came to its end first.

        `die_at`: how many steps it may take. `size_limit`: bytes that none of its files may exceed.
        """
        order = {
            "mongo_url": self._settings.mongo_url,
            "redis_url": self._settings.redis_url,
            "data_dir": str(self._settings.data_dir),
            "clips": {name: _plain(getattr(self._settings, name)) for name in _OF_CLIPS},
            "action": action,
            "args": args,
            "die_at": die_at,
            "size_limit": size_limit,
        }
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(json.dumps(order).encode() + b"\n")
        self.pid = json.loads(await self._program.stdout.readline())
        code = json.loads(await asyncio.wait_for(self._program.stdout.readline(), PATIENCE_SECONDS))
        assert code in (0, -signal.SIGKILL), f"{action} {args} at {die_at}: ended with {code}"
        return bool(code)


@asynccontextmanager
async def mortal() -> AsyncIterator[Program]:
    """The running program."""
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.captures.mortal",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield program
    finally:
        assert program.stdin is not None
        program.stdin.close()
        await program.wait()


async def _capture(ctx: Context, capture_id: str) -> None:
    await execution.run(ctx, CaptureTools.of(ctx.settings), capture_id)


async def _copy(ctx: Context, clip_id: str) -> None:
    await copy_execution.run(ctx, CaptureTools.of(ctx.settings), clip_id)


async def _rendition(ctx: Context, rendition_id: str) -> None:
    await rendition_execution.run(ctx, CaptureTools.of(ctx.settings), rendition_id)


async def _convert(ctx: Context, identity: str, clip_id: str, asked: dict[str, Any]) -> None:
    request = RenditionRequest.model_validate(asked)
    await renditions.accept(ctx, Caller(identity), clip_id, request)


async def _open(ctx: Context, identity: str, clip_id: str) -> None:
    await library.change(ctx, Caller(identity), clip_id, {"visibility": Visibility.LINK})


async def _accept(ctx: Context, identity: str, asked: dict[str, Any], key: str | None) -> None:
    await acceptance.accept(ctx, Caller(identity), CaptureRequest.model_validate(asked), key)


async def _moment(ctx: Context, identity: str, asked: dict[str, Any], key: str) -> None:
    request = MomentRequest.model_validate(asked)
    caller = Caller(identity, instance_admin=True)
    await moments.accept(ctx, caller, "room", request, key, count=lambda: None)


async def _trim(
    ctx: Context, identity: str, clip_id: str, asked: dict[str, Any], key: str | None
) -> None:
    request = TrimRequest.model_validate(asked)
    await trimming.accept(ctx, Caller(identity), clip_id, request, key)


async def _cancel(ctx: Context, identity: str, capture_id: str) -> None:
    await endings.cancel(ctx, Caller(identity), capture_id)


async def _delete(ctx: Context, identity: str, clip_id: str) -> None:
    await library.delete(ctx, Caller(identity), clip_id)


async def _restore(ctx: Context, identity: str, clip_id: str) -> None:
    await library.restore(ctx, Caller(identity), clip_id)


async def _sweep(ctx: Context) -> None:
    await clip_expiry.sweep_clips(ctx)


async def _mark(ctx: Context, buffer_id: str, at: str) -> None:
    await markers.make(ctx, buffer_id, datetime.fromisoformat(at), "", "ann")


async def _begin(ctx: Context, buffer_id: str) -> None:
    buffer = await ctx.store.rows(Buffer).find_one({"_id": buffer_id})
    assert buffer
    await admitting.begin(ctx, buffer)


async def _leave(ctx: Context, buffer_id: str) -> None:
    buffer = await ctx.store.rows(Buffer).find_one({"_id": buffer_id})
    assert buffer
    await admitting.leave(ctx, buffer)


async def _erase(ctx: Context, identity: str, buffer_id: str, last: float | None) -> None:
    buffer = await ctx.store.rows(Buffer).find_one({"_id": buffer_id})
    assert buffer
    if last is None:
        await share_erasure.erase_share(ctx, Caller(identity), buffer)
    else:
        await share_erasure.erase_last(ctx, Caller(identity), buffer, timedelta(seconds=last))


async def _take_away(ctx: Context, by: str, community: str, identity: str) -> None:
    await role_changes.take_away(ctx, by, community, identity)


async def _configure(ctx: Context, by: str, community: str, change: dict[str, Any]) -> None:
    await withdrawal.change_rules(ctx, by, community, change)


async def _stop(ctx: Context, identity: str, buffer_id: str) -> None:
    buffer = await ctx.store.rows(Buffer).find_one({"_id": buffer_id})
    assert buffer
    await share_stop.stop(ctx, Caller(identity), buffer, [Stopper.SHARER], "")


async def _resume(ctx: Context, identity: str, buffer_id: str) -> None:
    buffer = await ctx.store.rows(Buffer).find_one({"_id": buffer_id})
    assert buffer
    await share_stop.resume(ctx, Caller(identity), buffer, [Stopper.SHARER])


async def _set_quota(ctx: Context, by: str, identity: str, quota_bytes: int) -> None:
    await admin_deeds.set_quota(ctx.store, by, identity, quota_bytes)


async def _assign(ctx: Context, by: str, room: str, community: str) -> None:
    await admin_deeds.assign_room(ctx.store, by, room, community)


async def _release(ctx: Context, by: str, room: str, community: str) -> None:
    await admin_deeds.release_room(ctx.store, by, room, community)


async def _change(ctx: Context, identity: str, clip_id: str, changes: dict[str, Any]) -> None:
    await library.change(ctx, Caller(identity), clip_id, changes)


async def _purge(ctx: Context, identity: str, clip_id: str) -> None:
    await library.delete(ctx, Caller(identity), clip_id, purge=True)


async def _close(ctx: Context, identity: str, clip_id: str) -> None:
    await objections.close(ctx, Caller(identity), clip_id)


async def _reopen(ctx: Context, identity: str, clip_id: str) -> None:
    await objections.reopen(ctx, Caller(identity), clip_id)


async def _ask_to_delete(ctx: Context, identity: str, clip_id: str) -> None:
    await objections.request_deletion(ctx, Caller(identity), clip_id, "please")


async def _pack(ctx: Context, session_id: str) -> None:
    await pack_all(ctx, session_id)


async def _upgrade(ctx: Context) -> None:
    await ctx.store.upgrade(ctx.settings.media_root)


_ACTIONS: dict[str, Callable[..., Awaitable[None]]] = {
    "pack": _pack,
    "upgrade": _upgrade,
    "resume": _resume,
    "set quota": _set_quota,
    "assign": _assign,
    "release": _release,
    "change": _change,
    "purge": _purge,
    "close": _close,
    "reopen": _reopen,
    "ask to delete": _ask_to_delete,
    "begin": _begin,
    "leave": _leave,
    "erase": _erase,
    "take away": _take_away,
    "configure": _configure,
    "stop": _stop,
    "mark": _mark,
    "capture": _capture,
    "copy": _copy,
    "rendition": _rendition,
    "convert": _convert,
    "open": _open,
    "accept": _accept,
    "moment": _moment,
    "trim": _trim,
    "cancel": _cancel,
    "delete": _delete,
    "restore": _restore,
    "sweep": _sweep,
}


class _Death(monitoring.CommandListener):
    """Kills this process when as many steps were begun as were given to it."""

    def __init__(self, die_at: int | None) -> None:
        self.armed = False
        self._left = die_at

    def step(self) -> None:
        if not self.armed or self._left is None:
            return
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1

    def audit(self, event: str, args: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(args[2], int) and args[2] & os.O_CREAT
        if event in _FILE_STEPS or writes:
            self.step()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name not in _HARMLESS:
            self.step()

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


async def _live(order: dict[str, Any]) -> None:
    death = _Death(order["die_at"])
    monitoring.register(death)
    sys.addaudithook(death.audit)
    settings = load(
        _env_file=None,
        livekit_api_key="devkey",
        livekit_api_secret="the-secret-of-the-tests-of-32-bytes",
        mongo_url=order["mongo_url"],
        redis_url=order["redis_url"],
        data_dir=order["data_dir"],
        **order["clips"],
    )
    # without its indexes, which are there already
    queue = await Queue.connect(settings)
    root = settings.media_root
    instance = instance_id(root)
    place = settings.clips_place
    # unasked: no step of what is to be done
    clips = ClipFolder(root) if place is None else clip_bucket(settings, place, instance)
    egress = await opened_egress(settings, instance)
    store, rates = Store(settings.mongo_url), ShareRates(0)
    ctx = Context(settings, store, queue, instance, clips, egress, rates)
    if order["size_limit"] is not None:
        limit = (order["size_limit"], resource.RLIM_INFINITY)
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    death.armed = True
    await _ACTIONS[order["action"]](ctx, *order["args"])


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            # no output of a child may run into the limit of its files' size
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            asyncio.run(_live(json.loads(line)))
            os._exit(0)
        answers.write(f"{child}\n")
        answers.flush()
        _, status = os.waitpid(child, 0)
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
        answers.flush()


if __name__ == "__main__":
    main()

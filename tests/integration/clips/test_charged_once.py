"""Whatever clients do with clips at the same time, and wherever they are killed: charged once."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.access import quota
from app.captures import acceptance, endings, execution
from app.captures.requests import CaptureRequest
from app.clips import clip_expiry, library, quota_check
from app.context import Context
from app.errors import NotFound, ReplayError
from app.models.schema import Capture, File, Pin, ReplayClip, UserReplayQuota
from app.storage import clip_files
from tests.integration.captures.checking import files, tools_of
from tests.integration.captures.conftest import ADA, MakeShare
from tests.integration.captures.test_killed_deeds import goes_on
from tests.integration.clips.clients import Client
from tests.integration.clips.rows import add_clip, charge

ROUNDS = 36
CLIENTS = 4
SIZE = 1000
"""Bytes of the clips that are there from the beginning: of add_clip's files."""
SHELVED = ("c0", "c1")

Answer = TypeVar("Answer")
Action = Callable[[Context], Coroutine[Any, Any, Any]]


def _deleting(clip: str, now: datetime | None = None) -> Action:
    return lambda ctx: library.delete(ctx, ADA, clip, now=now)


def _restoring(clip: str, now: datetime | None = None) -> Action:
    return lambda ctx: library.restore(ctx, ADA, clip, now=now)


async def used(ctx: Context) -> int:
    return (await quota.read(ctx.store, ctx.settings, "ada")).used_bytes


async def test_a_clip_that_is_deleted_and_restored_at_once_is_shown_and_charged_or_neither(
    ctx: Context,
) -> None:
    """One deletion and three restores, in another order of their commands each round."""
    for number in range(ROUNDS):
        dice, clip = random.Random(number), f"clip{number}"
        await add_clip(ctx, clip, owner="ada")
        await charge(ctx, "ada", clip)
        actions = [_deleting(clip), *(_restoring(clip) for _ in range(3))]
        clients = [Client(ctx, action) for action in actions]
        while clients:
            client = dice.choice(clients)
            if await client.step():
                clients.remove(client)
                with suppress(ReplayError):  # of a clip that was deleted again meanwhile
                    client.task.result()
        is_shown = await shown(ctx, clip)
        assert await used(ctx) == (SIZE if is_shown else 0), number
        if is_shown:
            await library.delete(ctx, ADA, clip)


async def shown(ctx: Context, clip: str) -> bool:
    try:
        await library.find(ctx, ADA, clip)
    except NotFound:
        return False
    return True


async def _begun(ctx: Context, action: Action) -> Client:
    client = Client(ctx, action)
    await client.step()
    return client


async def _found_nothing(ctx: Context) -> None:
    assert await quota_check.check(ctx, 0) == []


class Charging(RuleBasedStateMachine):
    """Clients who capture, delete, restore, cancel, sweep and check; who are killed; and time."""

    ctx: Context
    loop: asyncio.AbstractEventLoop

    WHO = st.integers(0, CLIENTS - 1)

    def __init__(self) -> None:
        super().__init__()
        self.clients: dict[int, Client] = {}
        self.now = datetime.now(UTC)

    def run(self, doing: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(doing, self.loop).result(60)

    @initialize(expire=st.booleans(), quota_bytes=st.sampled_from([2 * SIZE, 10**9]))
    def shelve(self, expire: bool, quota_bytes: int) -> None:
        self.run(self._shelve(expire, quota_bytes))

    async def _shelve(self, expire: bool, quota_bytes: int) -> None:
        for model in (Capture, ReplayClip, File, Pin, UserReplayQuota):
            await self.ctx.store.database[+model].delete_many({})
        root = self.ctx.settings.media_root / "replays"
        shutil.rmtree(root, ignore_errors=True)
        await quota.set_limit(self.ctx.store, "ada", quota_bytes)
        expires_at = self.now + timedelta(minutes=1) if expire else None
        root.mkdir()
        for clip in SHELVED:
            await add_clip(self.ctx, clip, owner="ada", expires_at=expires_at)
            (root / f"{clip}.mp4").write_bytes(bytes(SIZE))
            await charge(self.ctx, "ada", clip)

    CLIP = st.sampled_from(SHELVED)
    CALLS = st.one_of(
        st.tuples(st.just("delete"), CLIP),
        st.tuples(st.just("restore"), CLIP),
        st.tuples(st.sampled_from(["sweep", "check", "requeue", "capture"]), st.none()),
        st.tuples(st.sampled_from(["work", "cancel"]), st.integers(0, 3)),
    )

    @rule(call=CALLS)
    def begin(self, call: tuple[str, Any]) -> None:
        """Somebody who has nothing to do begins with something."""
        idle = [who for who in range(CLIENTS) if who not in self.clients]
        action = self._action(*call) if idle else None
        if action is not None:
            self.clients[idle[0]] = self.run(_begun(self.ctx, action))

    def _action(self, name: str, what: Any) -> Action | None:
        now = self.now
        match name:
            case "delete":
                return _deleting(what, now)
            case "restore":
                return _restoring(what, now)
            case "sweep":
                return lambda ctx: clip_expiry.sweep_clips(ctx, now=now)
            case "check":
                return _found_nothing
            case "requeue":
                return execution.requeue_expired
            case "capture":
                request = CaptureRequest(room="room", last=2)
                return lambda ctx: acceptance.accept(ctx, ADA, request)
        captures = self.run(self._captures())
        if not captures:
            return None
        taken = captures[what % len(captures)]
        if name == "cancel":
            return lambda ctx: endings.cancel(ctx, ADA, taken)
        return lambda ctx: execution.run(ctx, tools_of(ctx), taken)

    async def _captures(self) -> list[str]:
        rows = await self.ctx.store.rows(Capture).find({}).sort("accepted_at").to_list(None)
        return [row["_id"] for row in rows]

    @precondition(lambda self: self.clients)
    @rule(turns=st.lists(st.tuples(WHO, st.integers(1, 4)), min_size=1, max_size=12))
    def go_on(self, turns: list[tuple[int, int]]) -> None:
        """Commands of those who do something, in some order."""
        for who, steps in turns:
            for _ in range(steps):
                client = self.clients.get(who)
                if client is not None and self.run(client.step()):
                    self.end(who)

    def end(self, who: int) -> None:
        """Looks at how a client's action ended: as somebody may be answered, or well."""
        with suppress(ReplayError):
            self.clients.pop(who).task.result()

    @precondition(lambda self: self.clients)
    @rule(who=WHO)
    def kill(self, who: int) -> None:
        if (client := self.clients.pop(who, None)) is not None:
            self.run(client.kill())

    @rule(seconds=st.sampled_from([30, 61, -30, 3600]))
    def jump(self, seconds: int) -> None:
        """The clock goes on, or back; leases that were held end."""
        self.now += timedelta(seconds=seconds)
        if seconds > 0:
            self.run(self._leases_end())

    async def _leases_end(self) -> None:
        await self.ctx.store.rows(Capture).update_many(
            {"lease_until": {"$ne": None}},
            {"$set": {"lease_until": datetime.now(UTC) - timedelta(seconds=1)}},
        )

    def recover(self) -> None:
        """Everybody is killed, and what recurs goes round twice."""
        for who in list(self.clients):
            self.kill(who)
        self.run(self._recover())

    async def _recover(self) -> None:
        ctx = self.ctx
        for _ in range(2):
            await self._leases_end()
            await goes_on(ctx)
            await execution.requeue_expired(ctx)
            for each in await self._captures():
                await execution.run(ctx, tools_of(ctx), each)
            await clip_expiry.sweep_clips(ctx, now=self.now)
        assert await quota_check.check(ctx, 0) == []
        shown = await ctx.store.rows(ReplayClip).find({"deleted_at": None}).to_list(None)
        found = await ctx.store.rows(File).find({}).to_list(None)
        paths = {file["_id"]: file["storage_path"] for file in found}
        root = ctx.settings.media_root
        sizes = [clip_files.size_bytes(root, paths[row["file_id"]]) for row in shown]
        numbers = await quota.read(ctx.store, ctx.settings, "ada")
        assert (numbers.used_bytes, numbers.reserved_bytes) == (sum(size or 0 for size in sizes), 0)
        assert len(files(ctx)) == await ctx.store.rows(ReplayClip).count_documents({})

    def teardown(self) -> None:
        self.recover()

    @invariant()
    def shown_is_charged(self) -> None:
        """At every instant a clip that is shown is charged with its size, and sums are sums."""
        self.run(self._at_every_instant())

    async def _at_every_instant(self) -> None:
        row = await self.ctx.store.rows(UserReplayQuota).find_one({"_id": "ada"})
        assert row is not None
        charges, reservations = row["charges"], row["reservations"]
        assert row["used_bytes"] == sum(charges.values())
        assert row["held_bytes"] == row["used_bytes"] + sum(reservations.values())
        clips = await self.ctx.store.rows(ReplayClip).find({"deleted_at": None}).to_list(None)
        found = await self.ctx.store.rows(File).find({}).to_list(None)
        sizes = {file["_id"]: file["size_bytes"] for file in found}
        for clip in clips:
            assert charges.get(clip["_id"]) == sizes[clip["file_id"]], clip["_id"]


async def test_whatever_clients_do_and_wherever_they_are_killed_quotas_are_the_sum_of_the_files(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    Charging.ctx, Charging.loop = ctx, asyncio.get_running_loop()
    often = hypothesis_settings(
        max_examples=25,
        stateful_step_count=15,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, Charging, settings=often)

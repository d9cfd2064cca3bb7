"""What asking whether a share may be recorded adds to its start: permission, limit, quota, disk.

`slot`: it takes one of its community's, as in the first reconcile of a share, which then waits for
its sound, for longer, unless that is there already. `held`: it has one, as when the egress is
started. `rbac`: the same where roles decide. `round_trip`: one ping of the database, for
scale.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from app.access import communities
from app.context import Context
from app.models.schema import Buffer, UserReplayQuota
from tests import admitting
from tests.bench.ground import Ground
from tests.bench.report import Result, result
from tests.bench.running import installation
from tests.rows import PartOfRow

SHARER = "sharer"
_OTHERS = ["ann", "bob"]
"""Who holds slots already."""
_WARM = 5
"""The first ones find everything cold."""


async def run(ground: Ground) -> list[Result]:
    ground.say("admission of starts")
    async with installation(ground, "admission", ()) as running:
        return await _measure(ground, running.ctx)


async def _measure(ground: Ground, ctx: Context) -> list[Result]:
    for access in ("open", "rbac"):
        rules = {"max_concurrent": 5, "access": access, "slots": _OTHERS}
        await communities.configure(ctx.store, access, rules)
    await communities.set_member(ctx.store, "rbac", SHARER, "moderator", [])
    await ctx.store.create(UserReplayQuota(id=SHARER))
    by_roles = replace(ctx, settings=ctx.settings.model_copy(update={"access": "rbac"}))
    samples: dict[str, list[float]] = {"slot": [], "held": [], "rbac": [], "round_trip": []}
    for number in range(-_WARM, ground.pick(quick=50, full=500)):
        share, by_role = _buffer(number, "open"), _buffer(number, "rbac")
        await _admit(ctx, by_role)
        for name, turn in (
            ("slot", partial(_admit, ctx, share)),
            ("held", partial(_admit, ctx, share)),
            ("rbac", partial(_admit, by_roles, by_role)),
            ("round_trip", partial(ctx.store.client.admin.command, "ping")),
        ):
            milliseconds = await _milliseconds(turn)
            if number >= 0:
                samples[name].append(milliseconds)
        await admitting.leave(ctx, share)
        await admitting.leave(ctx, by_role)
    return [result("admission", name, {}, "ms", times) for name, times in samples.items()]


def _buffer(number: int, community: str) -> PartOfRow:
    return Buffer(
        id=f"{community}-{number}", room="room", room_sid="RM", identity=SHARER,
        participant_sid="PA", video_sid="TR", community=community, since=datetime.now(UTC),
    ).model_dump_doc()  # fmt: skip


async def _admit(ctx: Context, buffer: PartOfRow) -> None:
    why = await admitting.begin(ctx, buffer)
    if why is not None:
        raise RuntimeError(f"{buffer['_id']} is refused: {why}")


async def _milliseconds(turn: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await turn()
    return (time.perf_counter() - began) * 1000

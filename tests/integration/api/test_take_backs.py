"""A refusal is taken back when its cause goes: what takes the cause away asks for the share again.

The slot that another share frees: tests/integration/recording/test_admission.py.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.access import communities, community_slots, quota
from app.context import Context
from app.models import Why
from app.models.schema import Buffer
from app.work import errands
from tests.admitting import begin
from tests.integration.api.conftest import INSTANCE_ADMIN
from tests.integration.clips.rows import add_clip, charge
from tests.integration.queued import queued
from tests.rows import PartOfRow

CONFIG, MEMBER = "/communities/guild/config", "/communities/guild/members/ann"
QUOTA = "/users/ann/quota"
RULES: dict[Why, dict[str, Any]] = {
    Why.NOT_PERMITTED: {"access": "rbac"},
    Why.COMMUNITY_OFF: {"enabled": False},
    Why.LIMIT: {"max_concurrent": 1, "slots": ["another"]},
    Why.USER_LIMIT: {"sharers": {community_slots.sharer("ann"): ["a", "b"]}},
    Why.QUOTA: {},
}


VIDEO: PartOfRow = {"encrypted": False}


async def refused(ctx: Context, why: Why) -> PartOfRow:
    """The row of a share of ann's that is refused for a reason, and one of bob's that isn't."""
    await communities.configure(ctx.store, "guild", RULES[why])
    if why is Why.QUOTA:
        await add_clip(ctx, "c1")
        await charge(ctx, "ann", "c1")
        await quota.set_limit(ctx.store, "ann", 1000)
    whose: dict[str, Any] = {
        "room": "room",
        "room_sid": "RM",
        "participant_sid": "PA",
        "video_sid": "TR",
    }
    since: dict[str, Any] = {"community": "guild", "since": datetime.now(UTC)}
    buffer = Buffer(id="b1", identity="ann", why=why, **whose, **since)
    await ctx.store.create(buffer)
    await ctx.store.create(
        Buffer(id="b2", identity="bob", ended_at=since["since"], **whose, **since)
    )
    assert await asked(ctx, buffer.model_dump_doc()) is why
    return buffer.model_dump_doc()


async def asked(ctx: Context, buffer: PartOfRow) -> Why | None:
    return await begin(ctx, buffer)


@pytest.mark.parametrize(
    ("why", "method", "path", "body"),
    [
        (Why.NOT_PERMITTED, "PUT", MEMBER, {"role": "moderator"}),
        (Why.NOT_PERMITTED, "PUT", MEMBER, {"grants": ["enable_replay_buffer"]}),
        (Why.NOT_PERMITTED, "PUT", CONFIG, {"access": "open"}),
        (Why.COMMUNITY_OFF, "PUT", CONFIG, {"enabled": True}),
        (Why.LIMIT, "PUT", CONFIG, {"max_concurrent": 2}),
        (Why.USER_LIMIT, "PUT", CONFIG, {"max_concurrent_per_user": 3}),
        (Why.QUOTA, "PUT", QUOTA, {"quota_bytes": 1001}),
        (Why.QUOTA, "DELETE", "/clips/c1", None),
    ],
)
async def test_what_takes_the_cause_away_asks_for_the_share_at_once(
    http: httpx.AsyncClient, ctx: Context, why: Why, method: str, path: str, body: Any
) -> None:
    buffer = await refused(ctx, why)
    assert await queued(ctx) == 0
    done = await http.request(method, path, json=body, headers=INSTANCE_ADMIN)
    assert done.is_success, done.text
    assert await queued(ctx, f"{errands.RECONCILE.name}:") == 1
    assert await asked(ctx, buffer) is None

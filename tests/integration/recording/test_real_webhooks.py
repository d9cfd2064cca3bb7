"""The events of a real share, recorded from livekit-server v1.13.5, through the receiver."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from app.context import Context
from app.models import Row, schema
from tests.integration.recording.conftest import Send

RECORDED = Path(__file__).parents[2] / "data/real_egress/share_2s/webhooks.jsonl"
BODIES = [json.loads(line)["raw"].encode() for line in RECORDED.read_text().splitlines()]
# Instants of our own clock: they differ with the order of arrival.
OWN_INSTANTS = ("published_at", "ended_at", "left_at", "finished_at")


async def facts(ctx: Context) -> dict[str, Any]:
    """Every fact, our own instants reduced to whether they are there."""
    found: dict[str, Any] = {}
    for model in (schema.Room, schema.Participant, schema.Track):
        async for row in ctx.store.database[+model].find():
            found[row["_id"]] = {
                name: value is not None if name in OWN_INSTANTS else value
                for name, value in row.items()
            }
    return found


def only(rows: dict[str, Any], prefix: str) -> list[Row]:
    return [row for sid, row in rows.items() if sid.startswith(prefix)]


async def test_a_real_share_leaves_its_facts(ctx: Context, send: Send) -> None:
    """Two tracks that have ended, one participant that left; the recorder makes none."""
    for body in BODIES:
        assert (await send(body)).status_code == 200
    found = await facts(ctx)
    (alice,) = only(found, "PA_")
    assert (alice["identity"], alice["left_at"]) == ("alice", True)
    tracks = only(found, "TR_")
    assert sorted(track["video"] for track in tracks) == [False, True]
    assert not any(track["live"] for track in tracks)
    assert await ctx.store.rows(schema.EgressSession).count_documents({}) == 0


@pytest.mark.edge("left without joined, joined without left")
@pytest.mark.parametrize("seed", range(6))
async def test_order_and_repetition_make_no_difference(ctx: Context, send: Send, seed: int) -> None:
    """However the events are shuffled and doubled, what is known in the end is who is gone."""
    shuffled = BODIES * 2
    random.Random(seed).shuffle(shuffled)
    for body in shuffled:
        assert (await send(body)).status_code == 200
    found = await facts(ctx)
    assert [row["left_at"] for row in only(found, "PA_")] == [True]
    assert [track["live"] for track in only(found, "TR_")] == [False, False]
    assert [track["ended_at"] for track in only(found, "TR_")] == [True, True]

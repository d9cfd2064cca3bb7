"""Questions that are asked often, or by anybody, and the indexes that serve all of them.

The embedded store reads every row that matches the part of a question that it has an index for.
"""

from __future__ import annotations

from typing import Any

import pytest
from odmantic import Model

from app.context import Context
from app.models import CaptureStatus, EventState, Row
from app.models.instants import EPOCH
from app.models.schema import Buffer, Capture, OutgoingEvent, ReplayClip, Segment, Track

_SERVED: list[tuple[type[Model], Row, list[str]]] = [
    (Capture, {"caller": "ann", "idempotency_key": "k"}, ["caller", "idempotency_key"]),
    (
        Capture,
        {"caller": "ann", "idempotency_key": {"$gt": "k ", "$lt": "k!"}},
        ["caller", "idempotency_key"],
    ),
    (
        Capture,
        {"buffer_id": "b", "status": {"$in": CaptureStatus.unfinished()}},
        ["buffer_id", "status"],
    ),
    (OutgoingEvent, {"room": "den", "state": EventState.PENDING}, ["room", "state"]),
    (Track, {"room_sid": "RM", "live": True}, ["room_sid", "live"]),
    (Track, {"room_sid": "RM", "identity": "ann", "live": True}, ["room_sid", "live", "identity"]),
    (Segment, {"buffer_id": "b", "end": {"$gt": EPOCH}}, ["buffer_id", "end"]),
    (Buffer, {"room": "den", "identity": "ann"}, ["room", "identity"]),
    (Buffer, {"room_sid": "RM"}, ["room_sid"]),
    (ReplayClip, {"ancestors": {"$in": ["k"]}}, ["ancestors"]),
    (ReplayClip, {"replaced_by": {"$in": ["k"]}}, ["replaced_by"]),
]


@pytest.mark.parametrize(("model", "question", "by"), _SERVED)
async def test_an_index_serves_every_field_of_a_question(
    ctx: Context, model: type[Model], question: Row, by: list[str]
) -> None:
    asked = {"find": +model, "filter": question}
    told: Any = await ctx.store.database.command("explain", asked, verbosity="queryPlanner")
    stage = told["queryPlanner"]["winningPlan"]
    while "keyPattern" not in stage:
        assert "inputStage" in stage, f"no index serves it: {stage}"
        stage = stage["inputStage"]
    assert [*stage["keyPattern"]][: len(by)] == by

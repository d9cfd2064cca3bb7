"""Questions that are asked often, or by anybody, and the indexes that serve all of them.

The embedded store reads every row that matches the part of a question that it has an index for.
"""

from __future__ import annotations

from typing import Any

from odmantic import Model

from app.context import Context
from app.models import CaptureStatus, EventState, Row, SessionRole
from app.models.instants import EPOCH, FAR
from app.models.schema import (
    AuditEntry,
    Buffer,
    Capture,
    Community,
    EgressSession,
    OutgoingEvent,
    Participant,
    ReplayClip,
    Segment,
    Track,
)

_WHEN = {"$gte": EPOCH, "$lt": FAR}
_IN_ROLE = {"$in": list(SessionRole)}
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
    (Track, {"ended_at": _WHEN}, ["ended_at"]),
    (Participant, {"room_sid": {"$in": ["RM"]}, "left_at": None}, ["left_at", "room_sid"]),
    (EgressSession, {"role": _IN_ROLE}, ["role"]),
    (AuditEntry, {"subject": "c", "at": _WHEN}, ["subject", "at"]),
    (Community, {"capture_policy": {"$in": ["room"]}}, ["capture_policy"]),
    (Segment, {"buffer_id": "b", "end": {"$gt": EPOCH}}, ["buffer_id", "end"]),
    (Buffer, {"forget_before": {"$gt": EPOCH}}, ["forget_before"]),
    (Buffer, {"forget_ranges.start": {"$gt": EPOCH}}, ["forget_ranges.start"]),
    (Buffer, {"room": "den", "identity": "ann"}, ["room", "identity"]),
    (Buffer, {"room_sid": "RM"}, ["room_sid"]),
    (ReplayClip, {"ancestors": {"$in": ["k"]}}, ["ancestors"]),
    (ReplayClip, {"replaced_by": {"$in": ["k"]}}, ["replaced_by"]),
    (ReplayClip, {"deleted_at": _WHEN}, ["deleted_at"]),
    (
        ReplayClip,
        {"keep": False, "ready": True, "deleted_at": None, "expires_at": _WHEN},
        ["keep", "ready", "deleted_at", "expires_at"],
    ),
    *(
        (Buffer, narrow | state | {"since": _WHEN}, [*narrow, *state, "since"])
        for narrow in ({}, {"room_sid": "RM"}, {"room": "den"}, {"community": "c"})
        for state in ({}, {"ended_at": None})
    ),
]


async def test_an_index_serves_every_field_of_a_question(ctx: Context) -> None:
    for model, question, by in _SERVED:
        asked = {"find": +model, "filter": question}
        told: Any = await ctx.store.database.command("explain", asked, verbosity="queryPlanner")
        stage = told["queryPlanner"]["winningPlan"]
        while "keyPattern" not in stage:
            assert "inputStage" in stage, f"no index serves {question} of {+model}: {stage}"
            stage = stage["inputStage"]
        assert [*stage["keyPattern"]][: len(by)] == by, (model, question)

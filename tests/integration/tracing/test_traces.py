"""One trace for a webhook and the egress that it leads to, one for a request and its clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import structlog
from livekit.protocol.egress import EgressInfo
from opentelemetry.trace import StatusCode, format_trace_id
from structlog.testing import capture_logs

from app.access import communities
from app.context import Context
from app.models.schema import EgressSession, File
from app.recording.livekit import StartRefused, StartRequest
from tests import webhooks
from tests.integration.api.conftest import OWNER, ROOM, SHARER, MakeShare
from tests.integration.captures.checking import reaches
from tests.integration.recording.listed import ListedLiveKit
from tests.integration.tracing.conftest import Taken, working
from tests.waiting import wait_for

WEBHOOK = "POST /webhooks/livekit"
START = "livekit.Egress/StartTrackCompositeEgress"
TITLE = "Quarterly figures"
FOREIGN_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
FOREIGN = {"traceparent": f"00-{FOREIGN_TRACE}-00f067aa0ba902b7-01"}


async def share_begins(ctx: Context, http: httpx.AsyncClient) -> None:
    """What LiveKit tells when alice shares her screen in the studio."""
    await communities.configure(ctx.store, communities.DEFAULT, {"enabled": True})
    room, alice = webhooks.room(), webhooks.participant()
    for event in (
        webhooks.event("room_started", room=room),
        webhooks.event("participant_joined", room=room, participant=alice),
        webhooks.event("track_published", room=room, participant=alice, track=webhooks.video()),
        webhooks.event("track_published", room=room, participant=alice, track=webhooks.audio()),
    ):
        body = webhooks.body_of(event)
        signed = {"Authorization": webhooks.sign(body), "Content-Type": "application/webhook+json"}
        answer = await http.post("/webhooks/livekit", content=body, headers=signed)
        assert answer.json() == {"status": "ok"}


async def test_a_webhook_its_reconcile_and_the_start_of_its_egress_are_one_trace(
    ctx: Context, http: httpx.AsyncClient, taken: Taken
) -> None:
    """It tells of room and person by ids of our own alone, and log lines name it."""
    await share_begins(ctx, http)
    merged = [structlog.contextvars.merge_contextvars]
    with capture_logs(processors=merged) as lines:
        async with working(ctx, ListedLiveKit()):
            await wait_for(lambda: taken.spans("process reconcile"), what="it has reconciled")
    (start,) = taken.spans(START)
    assert taken.way(start) == [WEBHOOK, "process reconcile", START]
    assert (start.kind.name, start.status.status_code) == ("CLIENT", StatusCode.UNSET)
    session = await ctx.store.rows(EgressSession).find_one({})
    assert session is not None
    assert dict(start.attributes or {}) == {
        "rpc.system.name": "twirp",
        "rpc.method": START,
        "replay.session.id": session["_id"],
        "replay.buffer.id": session["buffer_id"],
    }
    told = [dict(span.attributes or {}) for span in taken.spans(WEBHOOK)]
    assert {each["http.route"] for each in told} == {"/webhooks/livekit"}
    assert [each["replay.webhook.event"] for each in told][2:] == 2 * ["track_published"]
    assert {each["http.response.status_code"] for each in told} == {200}
    assert not [
        name for name in ("studio", "alice", "RM_1", "PA_1", "TR_V") if name in taken.text()
    ]
    (line,) = [each for each in lines if each["event"] == "egress_started"]
    assert line["trace_id"] == format_trace_id(start.context.trace_id)


@dataclass
class RefusingLiveKit(ListedLiveKit):
    """It starts nothing."""

    async def start(self, request: StartRequest) -> EgressInfo:
        raise StartRefused("invalid_argument", f"no such track in {request.room}")


async def test_a_start_that_livekit_refuses_is_an_error_of_its_trace(
    ctx: Context, http: httpx.AsyncClient, taken: Taken
) -> None:
    """Of which the class is told and the way, but not the words: names stand in them."""
    await share_begins(ctx, http)
    async with working(ctx, RefusingLiveKit()):
        await wait_for(lambda: taken.spans("process reconcile"), what="it has reconciled")
    start = taken.spans(START)[0]  # tried again at once
    assert start.status.status_code is StatusCode.ERROR
    assert (start.attributes or {})["error.type"] == "StartRefused"
    (event,) = start.events
    assert event.name == "exception"
    assert "egress_start.py" in str((event.attributes or {})["exception.stacktrace"])
    assert "studio" not in taken.text()


async def accepted(http: httpx.AsyncClient, path: str, **asked: Any) -> dict[str, Any]:
    answer = await http.post(path, json=asked, headers=OWNER | FOREIGN)
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_request_its_job_and_its_file_are_one_trace(
    ctx: Context, http: httpx.AsyncClient, share: MakeShare, taken: Taken
) -> None:
    """A capture, and a trim of its clip, each in the trace that the caller's own program began."""
    await share()
    async with working(ctx, ListedLiveKit()):
        captured = await accepted(
            http, "/v1/captures", room=ROOM, last="5s", tail="skip", title=TITLE
        )
        await reaches(ctx, captured["id"], "ready")
        path = f"/v1/clips/{captured['clip_id']}/trim"
        trimmed = await accepted(http, path, start=1, end=3)
        await reaches(ctx, trimmed["id"], "ready")
        await wait_for(lambda: len(taken.spans("capture")) == 2, what="both are done with")
    for number, (route, told) in enumerate(
        [("/v1/captures", captured), ("/v1/clips/{clip_id}/trim", trimmed)]
    ):
        top = [f"POST {route}", "process capture", "capture"]
        for name, below in (
            ("capture.wait", []),
            ("capture.make", []),
            ("capture.verify", ["capture.make"]),
            ("capture.finish", []),
            ("capture.complete", []),
        ):
            span = taken.spans(name)[number]
            assert taken.way(span) == [*top, *below, name]
            assert format_trace_id(span.context.trace_id) == FOREIGN_TRACE
            assert span.status.status_code is StatusCode.UNSET
        made = dict(taken.spans("capture")[number].attributes or {})
        assert made["replay.capture.id"] == told["id"]
        assert made["replay.clip.id"] == told["clip_id"]
        row = await ctx.store.rows(File).find_one({"resource_id": told["clip_id"]})
        assert row is not None
        finish = dict(taken.spans("capture.finish")[number].attributes or {})
        assert finish == {"replay.clip.bytes": row["size_bytes"]}
        (asked,) = taken.spans(f"POST {route}")
        assert (asked.attributes or {})["replay.capture.id"] == told["id"]
        assert asked.kind.name == "SERVER"
    assert not [name for name in (TITLE, f'"{SHARER}"', f'"{ROOM}"') if name in taken.text()]


async def test_what_only_reads_begins_no_trace(http: httpx.AsyncClient, taken: Taken) -> None:
    """Media, playlists and streams are asked for again and again."""
    assert (await http.get("/v1/buffers", headers=OWNER | FOREIGN)).status_code == 200
    assert taken.text() == ""


async def test_a_capture_that_can_not_be_made_is_an_error_of_its_trace(
    ctx: Context, http: httpx.AsyncClient, share: MakeShare, taken: Taken
) -> None:
    made = await share()
    told = await accepted(http, "/v1/captures", room=ROOM, last="5s", tail="skip")
    for path in made.fragments.glob("*.m4s"):
        path.unlink()
    async with working(ctx, ListedLiveKit()):
        await reaches(ctx, told["id"], "failed")
        await wait_for(lambda: taken.spans("capture"), what="it is done with")
    (span,) = taken.spans("capture")
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == (
        (taken.spans("capture.make")[0].attributes or {})["error.type"]
    )


@pytest.mark.parametrize("given", ["", "00-0-0-0", "x" * 5000, "00-" + "0" * 32 + "-" + "0" * 16])
async def test_a_trace_that_nobody_can_read_is_none(
    http: httpx.AsyncClient, taken: Taken, given: str
) -> None:
    await http.post("/v1/captures", json={}, headers=OWNER | {"traceparent": given})
    (span,) = taken.spans("POST /v1/captures")
    assert span.parent is None

"""Traces reach a collector, and one that hangs or is away holds nobody up."""

from __future__ import annotations

import asyncio

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.testing import capture_logs

from app.settings import Settings
from app.tracing import collector, telemetry, trace
from app.tracing.trace import StepKind
from tests.integration.conftest import MakeSettings
from tests.pace import Pace
from tests.serving import serving
from tests.waiting import wait_for


def towards(make_settings: MakeSettings, url: str) -> Settings:
    return make_settings(otel_exporter_otlp_endpoint=url)


async def test_a_collector_gets_the_traces_of_a_process_by_its_end(
    make_settings: MakeSettings,
) -> None:
    got: list[tuple[str | None, bytes]] = []

    async def take(request: Request) -> Response:
        got.append((request.headers.get("content-type"), await request.body()))
        return Response()

    app = Starlette(routes=[Route("/v1/traces", take, methods=["POST"])])
    async with serving(app) as url, collector.sent_to(towards(make_settings, url), "worker"):
        with trace.step("process capture", {"replay.job.try": 1}, kind=StepKind.CONSUMER):
            sent = trace.traceparent()
    ((content_type, body),) = got
    assert content_type == "application/x-protobuf"
    (of_process,) = ExportTraceServiceRequest.FromString(body).resource_spans
    about = {each.key: each.value.string_value for each in of_process.resource.attributes}
    assert (about["service.name"], about["replay.process.role"]) == ("replay-buffer", "worker")
    ((span,),) = [scope.spans for scope in of_process.scope_spans]
    assert span.name == "process capture"
    assert sent is not None
    assert sent.startswith(f"00-{span.trace_id.hex()}-{span.span_id.hex()}-")
    assert trace.traceparent() is None


async def test_a_collector_that_hangs_holds_nobody_up(make_settings: MakeSettings) -> None:
    """Not those who work, though more than a queue of spans waits; nor the end of the process."""
    asked = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await asyncio.Event().wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with Pace() as pace:
        async with collector.sent_to(towards(make_settings, url), "worker"):
            for _ in range(3000):
                with trace.step("process capture", kind=StepKind.CONSUMER):
                    pass
            await wait_for(asked.is_set, what="the collector is asked")
    assert pace.fair_seconds < telemetry.END_SECONDS + 8
    server.close()


async def test_a_collector_that_is_away_is_told_of_once_a_minute(
    make_settings: MakeSettings,
) -> None:
    settings = towards(make_settings, "http://127.0.0.1:9")  # discard: nothing listens there
    with capture_logs() as lines:
        for _ in range(2):
            async with collector.sent_to(settings, "worker"):
                with trace.step("process capture", kind=StepKind.CONSUMER):
                    pass
    assert len([each for each in lines if each["event"] == "traces_not_sent"]) <= 1

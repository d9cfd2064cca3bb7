"""What was taken down of requests, webhooks and jobs; and a worker that does what the queue holds.

The application, its callers and their shares are those of tests/integration/api.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.context import Context
from app.recording.livekit import LiveKit
from app.tracing import trace
from app.tracing.telemetry import Telemetry
from app.worker import _run, _worker, jobs_of
from tests.integration.api.conftest import app as app
from tests.integration.api.conftest import http as http
from tests.integration.api.conftest import recording as recording
from tests.integration.api.conftest import share as share
from tests.integration.captures.checking import tools_of


class Taken:
    """The spans that have ended."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()

    def spans(self, name: str) -> list[ReadableSpan]:
        """Those of a name, in the order in which they ended."""
        return [span for span in self.exporter.get_finished_spans() if span.name == name]

    def way(self, span: ReadableSpan) -> list[str]:
        """The names of the spans that one lies in, from the first of its trace to itself.

        They are all of one trace.
        """
        by_id = {each.context.span_id: each for each in self.exporter.get_finished_spans()}
        names = [span.name]
        while span.parent is not None and span.parent.span_id in by_id:
            within = by_id[span.parent.span_id]
            assert within.context.trace_id == span.context.trace_id
            span = within
            names.insert(0, span.name)
        return names

    def text(self) -> str:
        """Everything that a collector gets."""
        return "\n".join(span.to_json() for span in self.exporter.get_finished_spans())


@pytest.fixture
def taken() -> Iterator[Taken]:
    """What is traced from here on."""
    made = Taken()
    with trace.used(Telemetry(SimpleSpanProcessor(made.exporter), "test")):
        yield made


@asynccontextmanager
async def working(ctx: Context, livekit: LiveKit) -> AsyncIterator[None]:
    """A worker on the queue's jobs until the block ends. Nothing recurs."""
    async with asyncio.TaskGroup() as group:
        jobs = jobs_of(ctx, livekit, tools_of(ctx), group)
        task = group.create_task(_run(_worker(ctx, jobs)))
        try:
            yield
        finally:
            task.cancel()

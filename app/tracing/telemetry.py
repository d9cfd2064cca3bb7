"""OpenTelemetry: the only place that knows its libraries, and is not loaded without need.

Nothing here waits for a collector: a thread of its own sends what was taken down, and what it can't
send in time is dropped.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import traceback
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    SpanKind,
    StatusCode,
    format_span_id,
    format_trace_id,
    get_current_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.tracing.trace import StepFacts, StepKind

END_SECONDS = 2.0
"""How long the end of a process waits for what is still to be sent."""
_TELL_SECONDS = 60.0
_BEGINNING = frozenset({StepKind.SERVER, StepKind.CONSUMER})

log = structlog.get_logger()


class Telemetry:
    """Takes steps down as OpenTelemetry's spans; `processor` gets those that have ended."""

    def __init__(self, processor: SpanProcessor, role: str) -> None:
        own = {
            "service.name": "replay-buffer",
            "service.instance.id": str(uuid.uuid4()),
            "replay.process.role": role,
        }
        # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win
        resource = Resource.create(own).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("app.tracing")
        self._carrier = TraceContextTextMapPropagator()

    @contextmanager
    def step(
        self, name: str, told: StepFacts, kind: StepKind, traceparent: str | None
    ) -> Iterator[object]:
        """A span within the present one, or the one that `traceparent` names.

        Within none it is the first of a trace, or nothing if no trace begins with its kind. Log
        lines bear the ids of both meanwhile.
        """
        within = get_current_span().get_span_context().is_valid
        if not within and kind not in _BEGINNING:
            yield None
            return
        there = None if traceparent is None else {"traceparent": traceparent}
        with self._tracer.start_as_current_span(
            name,
            context=None if there is None else self._carrier.extract(there),
            kind=SpanKind[kind],
            attributes=dict(told),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            about = span.get_span_context()
            with structlog.contextvars.bound_contextvars(
                trace_id=format_trace_id(about.trace_id), span_id=format_span_id(about.span_id)
            ):
                yield span

    def rename(self, name: str) -> None:
        """Names the present span."""
        get_current_span().update_name(name)

    def tell(self, told: StepFacts) -> None:
        """Adds attributes to the present span."""
        get_current_span().set_attributes(dict(told))

    def fail(self, error: Exception) -> None:
        """Gives the present span an error: its class, and the way to where it was raised."""
        span, kind = get_current_span(), type(error).__qualname__
        way = "".join(traceback.format_tb(error.__traceback__))
        span.set_status(StatusCode.ERROR)
        span.set_attribute("error.type", kind)
        span.add_event("exception", {"exception.type": kind, "exception.stacktrace": way})

    def traceparent(self) -> str | None:
        """What names the present span to another process."""
        written: dict[str, str] = {}
        self._carrier.inject(written)
        return written.get("traceparent")

    def end(self) -> None:
        """Has what is left sent, as long as that takes, and takes nothing down any more."""
        self._provider.shutdown()


@asynccontextmanager
async def exported(endpoint: str, role: str) -> AsyncIterator[Telemetry]:
    """A tracer whose spans are sent to a collector by OTLP over HTTP.

    Its libraries read the rest themselves: OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER, ….
    """
    logger = logging.getLogger("opentelemetry")
    logger.propagate = False
    logger.addHandler(_LINES)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")
    tracer = Telemetry(BatchSpanProcessor(exporter), role)
    try:
        yield tracer
    finally:
        # no thread that asyncio would wait for: the collector may hang
        ending = threading.Thread(target=tracer.end, name="last traces", daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, END_SECONDS)


class _Lines(logging.Handler):
    """What the libraries have to say, once a minute: a collector may be away for long."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._again_at = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Tells of a warning, if none was told of just now."""
        if (now := time.monotonic()) >= self._again_at:
            self._again_at = now + _TELL_SECONDS
            log.warning("traces_not_sent", why=record.getMessage())


_LINES = _Lines()
"""Of this process: what sends may still be at it when the block has ended."""

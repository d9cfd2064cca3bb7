"""Where traces go: to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names, or nowhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.errors import ConfigurationError
from app.settings import Settings
from app.tracing import trace


@asynccontextmanager
async def sent_to(settings: Settings, role: str) -> AsyncIterator[None]:
    """Sends the traces of this process until the block ends; what is left then within 2 s.

    OpenTelemetry's libraries, which take 15 MB, are loaded only here. Raises ConfigurationError if
    they are not installed.
    """
    endpoint = settings.otel_exporter_otlp_endpoint
    if not endpoint:
        yield
        return
    try:
        from app.tracing import telemetry
    except ImportError as error:
        raise ConfigurationError(
            f"OTEL_EXPORTER_OTLP_ENDPOINT={endpoint!r} needs the extra otel, which is not "
            f"installed ({error}): pip install '.[otel]', or leave the setting empty"
        ) from error
    async with telemetry.exported(endpoint, role) as tracer:
        with trace.used(tracer):
            yield

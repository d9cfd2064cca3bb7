"""Tracing that is off, and one whose libraries are not there."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.tracing import trace
from app.tracing.trace import StepKind

WITHOUT = """
import asyncio, sys
sys.modules["opentelemetry"] = None
from app.errors import ConfigurationError
from app.settings import load
from app.tracing import collector

async def main():
    settings = load(
        _env_file=None, livekit_url="ws://127.0.0.1:9", livekit_api_key="key",
        livekit_api_secret="a-secret-of-more-than-32-bytes-for-tests", **{given}
    )
    async with collector.sent_to(settings, "worker"):
        print("runs")

try:
    asyncio.run(main())
except ConfigurationError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "runs"),
        (
            {"otel_exporter_otlp_endpoint": "http://collector:4318/"},
            "OTEL_EXPORTER_OTLP_ENDPOINT='http://collector:4318' needs the extra otel, which is "
            "not installed",
        ),
    ],
)
def test_only_a_collector_needs_the_extra(given: dict[str, str], said: str) -> None:
    """Its absence ends the start with a sentence, where a collector is named."""
    argv = [sys.executable, "-c", WITHOUT.replace("{given}", repr(given))]
    told = subprocess.run(argv, stdout=subprocess.PIPE, check=True, text=True).stdout
    assert told.startswith(said)


def test_without_a_collector_a_step_is_nothing() -> None:
    with trace.step("process capture", kind=StepKind.CONSUMER):
        trace.tell({"replay.job.try": 1})
        trace.rename("process")
        assert trace.traceparent() is None

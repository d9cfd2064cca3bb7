"""What every test gets: an environment without the developer's own settings."""

from __future__ import annotations

import gc
import os

import hypothesis
import pytest
import structlog

from app.settings import Settings
from tests.durations import Durations

MONGO_URL = os.environ.pop("MONGO_URL", "")
"""A MongoDB given from outside, for the store tests to run on; empty: an embedded one."""

for _name in Settings.model_fields:
    os.environ.pop(_name.upper(), None)

# Dozens of processes are started; each would compile all of the code.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# How long an example takes is the machine's matter, and that of whatever else runs on it.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


# Plain tracebacks, as the service tells them: with `rich`, one takes seconds.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)

# Until all tests are found nothing that is made becomes garbage: it is not looked for.
gc.disable()


def pytest_configure(config: pytest.Config) -> None:
    """What the last lines of a run tell."""
    config.pluginmanager.register(Durations())


def pytest_collection_finish() -> None:
    """Takes all tests out of what is looked through for garbage while they run."""
    gc.freeze()
    gc.enable()

"""What log lines show, and what they never do."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import logging, structlog
from app import logs
from app.settings import load
logs.configure(load(_env_file=None, livekit_api_key="k", livekit_api_secret="s" * 32,
                    log_format="{format}"), "api")

def work(token):
    raise ValueError("it broke")

try:
    work("a-secret-token")
except ValueError:
    structlog.get_logger().exception("broken", room="studio")
    logging.getLogger("library").exception("broken too")
"""


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_traceback_shows_no_variables(log_format: str) -> None:
    """Lines bear role, event and traceback; the values of local variables, tokens too, do not."""
    told = subprocess.run(
        [sys.executable, "-c", _PROGRAM.replace("{format}", log_format)],
        capture_output=True, text=True, check=True,
    ).stderr  # fmt: skip
    assert "it broke" in told
    assert "studio" in told
    assert "broken too" in told
    assert "a-secret-token" not in told.replace('work("a-secret-token")', "")

"""What log lines show, and what they never do."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from app.logs import LONGEST, escaped, tame

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


def test_what_ends_a_process_is_a_line_where_lines_are_json() -> None:
    program = _PROGRAM.replace("{format}", "json").partition("try:")[0] + 'work("a-secret-token")'
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    (line,) = ended.stderr.splitlines()
    told = json.loads(line)
    assert ended.returncode == 1
    assert (told["event"], told["role"]) == ("process_ended", "api")
    assert "it broke" in told["exception"]


@pytest.mark.parametrize(
    "character",
    ["\x1b", "\x00", "\x9b", "\u202e", "\u2066", "\n", "\r", "\u2028", "\ud800", "\x7f"],
)
def test_nobody_writes_the_terminal_through_a_name(character: str) -> None:
    """Escapes, NUL, C1, bidi and ends of lines are shown, not obeyed, wherever they stand."""
    for value in (f"eve{character}", [f"a{character}"], {f"k{character}": {"x": f"{character}b"}}):
        shown = str(tame(value))
        assert character not in shown
        shown.encode()
    assert escaped(f"eve{character}" * 1000) == tame(f"eve{character}") * 1000


def test_people_keep_their_names() -> None:
    """Letters of all scripts, marks and emoji stay as they are."""
    for name in ("Zoë", "Ελένη", "محمد", "नमस्ते", "山田", "🎬", "a b"):
        assert tame(name) == name


def test_long_values_are_cut() -> None:
    """One value never fills the log."""
    assert tame("x" * LONGEST) == "x" * LONGEST
    assert tame("x" * 10**6) == "x" * LONGEST + "…"
    assert len(tame(Exception("x" * 10**6))) == LONGEST + 1


def test_what_is_no_text_stays_what_it_is() -> None:
    """Numbers are numbers in JSON, too; depth has an end."""
    assert tame({"ms": 1.5, "n": 3, "none": None, "ok": True}) == {
        "ms": 1.5, "n": 3, "none": None, "ok": True,
    }  # fmt: skip
    deep: list[object] = []
    for _ in range(50):
        deep = [deep]
    assert "[[" in str(tame(deep))

"""Failures that systems of this kind had: each is held by tests that are marked with it."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]

FAILURES = (
    "the same webhook twice",
    "left of an old connection after a re-join",
    "left without joined, joined without left",
    "recorders join as participants",
    "down while a share started or stopped",
    "unpublish before publish",
    "signatures of every wrong kind",
    "only screen shares; several of one user",
    "unknown events and fields",
    "share audio that comes late",
    "the track is gone before the start",
    "no egress worker",
    "the start times out and the egress runs",
    "toggled on, off, on",
    "every answer to a stop",
    "the egress ends by itself",
    "video unpublished while audio lives",
    "odd and tiny sizes",
    "names of any kind",
    "a long share is no orphan; nothing is killed on silence",
    "segments growing, playlists torn",
    "silent file events",
    "files of another owner",
    "active and no segment",
    "segments of other lengths, steps in time",
    "a playlist that has grown for hours",
    "rows without files, files without rows",
    "a window longer than the buffer, an empty buffer",
    "drift at every boundary",
    "a seek that leaves sound without picture",
    "sessions that do not fit together",
    "an edit list hides and keeps",
    "cleanup, the share's end, a killed worker during a capture",
    "disk full while writing",
    "many captures, the last byte of a quota",
    "ffmpeg absent, hanging, killed, loud",
    "titles of any kind",
    "what players need",
    "restarts of Redis, MongoDB, LiveKit",
    "a disk nearly full",
    "two replicas of everything",
)


def marked() -> dict[str, set[str]]:
    """By failure the tests with `@pytest.mark.edge(failure)`."""
    found: dict[str, set[str]] = {}
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for decorator in node.decorator_list:
                    if isinstance(decorator, ast.Call) and _is_edge(decorator.func):
                        failure = ast.literal_eval(decorator.args[0])
                        found.setdefault(failure, set()).add(node.name)
    return found


def _is_edge(decorator: ast.expr) -> bool:
    return ast.unparse(decorator) == "pytest.mark.edge"


def test_each_known_failure_has_its_tests() -> None:
    """None of them loses its last test unnoticed."""
    tests = marked()
    assert sorted(set(FAILURES) - tests.keys()) == []
    assert sorted(tests.keys() - set(FAILURES)) == []

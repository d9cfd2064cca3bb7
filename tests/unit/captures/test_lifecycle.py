"""app.captures.lifecycle: the table of a capture's states, and that nothing goes past it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.captures.lifecycle import TRANSITIONS, sources
from app.models import CaptureStatus

APP = Path(__file__).resolve().parents[3] / "app"
STATUS_WORDS = {str(status) for status in CaptureStatus} - {"ready"}  # a clip has a field of it
PROGRAMS_THAT_WAIT = ("console/static/api.js", "kit/replay.js", "client/async_client.py")
ROOMS_OF_CAPTURES = ("captures/*.py", "clips/*.py", "terminal/*.py", "api/capture_routes.py")


def reached(start: CaptureStatus | None) -> set[CaptureStatus | None]:
    """The states that can follow on a state, at whatever distance."""
    found: set[CaptureStatus | None] = set()
    left = [start]
    while left:
        source = left.pop()
        new = {each.target for each in TRANSITIONS if each.source is source} - found
        found |= new
        left += [target for target in new if target is not None]
    return found


def test_no_transition_stands_there_twice() -> None:
    steps = [(each.source, each.target) for each in TRANSITIONS]
    assert len(steps) == len(set(steps))


def test_every_state_is_reached_and_each_capture_is_forgotten_in_the_end() -> None:
    assert reached(None) == {*CaptureStatus, None}
    assert all(None in reached(status) for status in CaptureStatus)


def test_a_capture_stays_in_its_final_state() -> None:
    for status in CaptureStatus:
        onward = reached(status) - {status, None}
        assert status.is_final == (not onward), status
        assert (status in CaptureStatus.unfinished()) == bool(onward), status


@pytest.mark.parametrize("program", PROGRAMS_THAT_WAIT)
def test_whoever_waits_for_the_end_of_a_capture_knows_its_final_states(program: str) -> None:
    (listed,) = re.findall(r"\b_?FINAL = (.*)", (APP / program).read_text())
    told = re.findall(r"['\"](\w+)['\"]", listed)
    assert told == [status for status in CaptureStatus if status.is_final]


def test_a_capture_that_is_not_finished_can_be_cancelled() -> None:
    assert set(sources(CaptureStatus.CANCELLED)) == set(CaptureStatus.unfinished())


def nodes(pattern: str) -> Iterator[tuple[str, ast.AST]]:
    for path in sorted(APP.glob(pattern)):
        for node in ast.walk(ast.parse(path.read_text())):
            yield f"{path.relative_to(APP)}:{getattr(node, 'lineno', 0)}", node


def test_nothing_but_the_lifecycle_writes_a_status() -> None:
    """No other module has a dictionary that sets it, but those of renditions, which have theirs."""
    writing = [
        where
        for where, node in nodes("**/*.py")
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "status"
        if ast.unparse(value).startswith("CaptureStatus.")
    ]
    may = ("captures/lifecycle.py", "captures/rendition", "clips/clip_renditions.py")
    assert [where for where in writing if not where.startswith(may)] == []


def test_a_status_is_never_a_bare_text() -> None:
    bare = [
        f"{where} {node.value!r}"
        for pattern in ROOMS_OF_CAPTURES
        for where, node in nodes(pattern)
        if isinstance(node, ast.Constant) and node.value in STATUS_WORDS
        if not where.startswith("captures/capture_leases.py")  # two leases have such names
    ]
    assert bare == []

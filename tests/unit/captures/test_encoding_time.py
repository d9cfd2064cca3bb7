"""How long an encoding may hold the place that all long ones share."""

from __future__ import annotations

import ast

import pytest

from app.captures import ffmpeg_process
from app.captures.ffmpeg_process import LEAST_SECONDS, MOST_SECONDS, SLOWEST, longest_seconds
from deploy.local.stack import ROOT


@pytest.mark.parametrize(
    ("media_seconds", "longest"),
    [(0.0, 120.0), (2.0, 120.0), (60.0, 720.0), (600.0, 7200.0), (36_000.0, 7200.0)],
)
def test_an_encoding_has_so_many_times_the_length_of_its_media(
    media_seconds: float, longest: float
) -> None:
    assert longest_seconds(media_seconds) == longest


def test_every_encoding_says_how_long_it_may_take() -> None:
    """By the length of what it encodes, or of what tells of no progress in a fixed time."""
    without: list[str] = []
    found = 0
    for path in sorted((ROOT / "app").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "ffmpeg_process.run":
                found += 1
                if "run_seconds" not in {each.arg for each in node.keywords}:
                    without.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found >= 3
    assert without == []


def test_the_times_are_those_that_are_told() -> None:
    told = " ".join((ROOT / "app" / "README.md").read_text().split())
    hours = MOST_SECONDS / 3600
    assert f"has {SLOWEST:g} times the length of what it encodes" in told
    assert f"at least {LEAST_SECONDS:g} s and at most {hours:g} h" in told
    assert ffmpeg_process.STALL_SECONDS < LEAST_SECONDS

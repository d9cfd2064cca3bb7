"""Secrets are compared in constant time: with hmac.compare_digest, and with nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import app

ROOT = Path(app.__file__).parent
SECRET = re.compile(r"secret|token|password|signature|digest|\bmac|_mac\b|\bsig\b")
QUICK = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)
# What is compared so is the name of something, or empty: nobody's secret.
HARMLESS = (ast.Constant, ast.Tuple, ast.List, ast.Set, ast.Dict)


def quick_comparisons(source: str) -> Iterator[str]:
    """The comparisons of names that sound like secrets with what is no constant."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(isinstance(op, QUICK) for op in node.ops):
            sides = [node.left, *node.comparators]
            named = [ast.unparse(side) for side in sides if not isinstance(side, HARMLESS)]
            if len(named) > 1 and any(SECRET.search(name) for name in named):
                yield ast.unparse(node)


def test_no_secret_is_compared_faster_the_sooner_it_is_wrong() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {each}"
        for path in ROOT.rglob("*.py")
        for each in quick_comparisons(path.read_text())
    }
    assert found == set()


def test_a_quick_comparison_would_be_found() -> None:
    assert list(quick_comparisons("held['link_secret'] == given")) == [
        "held['link_secret'] == given"
    ]
    assert list(quick_comparisons("token == ''")) == []


def test_links_signatures_and_the_token_of_the_metrics_are_compared_in_constant_time() -> None:
    for name in ("clips/file_openness.py", "access/signatures.py", "condition/exposition.py"):
        assert "hmac.compare_digest(" in (ROOT / name).read_text(), name

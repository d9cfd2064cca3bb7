"""How much a JSON text holds is known before it is parsed, whatever stands in its strings."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models import json_text
from tests.pace import ProcessorTime

TEXTS = st.one_of(st.text(), st.sampled_from(['\\"', "[[{,", '\\\\"', "]}", '"']))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=30,
)


def values_of(given: Any) -> int:
    """As a parser makes them."""
    inner = given.values() if isinstance(given, dict) else given if isinstance(given, list) else ()
    return 1 + sum(map(values_of, inner))


def depth_of(given: Any) -> int:
    if not isinstance(given, dict | list):
        return 0
    inner = given.values() if isinstance(given, dict) else given
    return 1 + max(map(depth_of, inner), default=0)


@given(JSON, st.booleans())
def test_no_text_holds_more_than_it_is_told_to(given: Any, ascii_only: bool) -> None:
    """What it is told to hold is at most twice as much: a bracket counts, and so do its values."""
    raw = json.dumps(given, ensure_ascii=ascii_only).encode()
    assert json_text.depth(raw) == depth_of(given)
    if values_of(given) > 1:
        assert json_text.holds_more(raw, values_of(given) - 1)
    assert not json_text.holds_more(raw, 2 * values_of(given))


@pytest.mark.parametrize("unit", ["{},", '"",', '"\\"",', "[[]],", '{"":{}},', '"\\\\",', "1,"])
def test_it_is_told_long_before_such_a_text_is_parsed(unit: str) -> None:
    """A MiB of anything, in the time of a few thousand values."""
    raw = b"[" + unit.encode() * (2**20 // len(unit)) + b"0]"
    with ProcessorTime() as cost:
        assert json_text.holds_more(raw, 1000)
    assert cost.seconds < 0.5


def test_a_text_in_a_string_is_no_value() -> None:
    assert not json_text.holds_more(json.dumps({"metadata": "[{,}]" * 10_000}).encode(), 3)
    assert json_text.depth(json.dumps({"metadata": "[" * 10_000}).encode()) == 1

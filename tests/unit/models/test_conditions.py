"""Conditions read in memory: what fulfils all of several fulfils one of their alternatives."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from app.models import Row, conditions

_FIELDS = ("room", "identity", "community")
_VALUES = ("a", "b")
_ROWS = [
    dict(zip(_FIELDS, values, strict=True))
    for values in itertools.product(_VALUES, repeat=len(_FIELDS))
]
_WANTED = st.one_of(
    st.sampled_from(_VALUES),
    st.builds(
        lambda how, values: {how: values},
        st.sampled_from(["$in", "$nin"]),
        st.lists(st.sampled_from(_VALUES), unique=True),
    ),
)
_PLAIN = st.dictionaries(st.sampled_from(_FIELDS), _WANTED)
_CONDITIONS = st.builds(
    lambda plain, others: plain | ({"$or": others} if others else {}),
    _PLAIN,
    st.lists(_PLAIN, max_size=3),
)


@settings(max_examples=50)
@given(st.lists(_CONDITIONS, max_size=3))
def test_what_fulfils_all_conditions_fulfils_one_of_their_alternatives(some: list[Row]) -> None:
    found = conditions.alternatives(*some)
    assert not any("$or" in each for each in found)
    for row in _ROWS:
        of_all = all(conditions.matches(each, row) for each in some)
        assert any(conditions.matches(each, row) for each in found) == of_all

"""What LiveKit's webhooks and answers say, as it is held: nothing of it can stop who reads it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from livekit.protocol.models import Room

from app.recording import facts, foreign_text

# as JSON allows it: with control characters and halves of surrogate pairs
TEXT = st.text(st.characters(exclude_categories=()), max_size=300)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


def metadata(named: Any) -> str:
    return json.dumps({"community": named})


@settings(max_examples=200)
@given(TEXT | JSON.map(json.dumps) | JSON.map(metadata))
@example("[" * 60_000)
@example('{"community":' + "[" * 30_000)
@example('["' + "]" * 20_000 + '",' + "[" * 30_000)
@example('{"community": "\\ud800"}')
@example('{"community": ' + "9" * 5000 + "}")
@example('"' + '\\"' * 30_000)
@example("x" * 10_000_000)
def test_any_metadata_names_a_community_that_can_be_stored(found: str) -> None:
    """Never an error; where nothing usable is named it is the default."""
    try:
        room = Room(sid="RM_1", metadata=found)
    except UnicodeEncodeError:
        return  # nor does LiveKit hold it
    community = facts.community_of(room)
    bson.encode({"community": community})
    assert 0 < len(community) <= 128
    assert foreign_text.text(community, 128) == community


@pytest.mark.parametrize(
    ("named", "community"),
    [
        ("guests", "guests"),
        ("Gäste 🎥", "Gäste 🎥"),
        ("x" * 128, "x" * 128),
        ("x" * 129, "default"),
        ("", "default"),
        (7, "default"),
        (None, "default"),
        ("\ud800", "default"),
        ("gue\x00sts", "default"),
    ],
)
def test_a_name_is_taken_as_it_is_or_not_at_all(named: Any, community: str) -> None:
    """One that was cut or cleaned could be another community's."""
    assert facts.community_of(Room(sid="RM_1", metadata=metadata(named))) == community


@given(TEXT.filter(bool))
def test_an_id_is_unchanged_or_refused(value: str) -> None:
    """What LiveKit allows, it keeps: any Unicode, spaces and control characters among it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        with pytest.raises(foreign_text.NotHeld, match="the identity is not valid Unicode"):
            foreign_text.ident(value, "identity")
    else:
        assert foreign_text.ident(value, "identity") == value


@pytest.mark.parametrize(
    ("value", "says"), [("", "is empty"), ("x" * 4097, "has 4097 characters: at most 4096")]
)
def test_who_is_refused_is_told_why(value: str, says: str) -> None:
    with pytest.raises(foreign_text.NotHeld, match=f"the room name {says}"):
        foreign_text.ident(value, "room name")


@given(TEXT, st.integers(1, 100))
def test_text_can_be_stored_and_shown_and_ends(value: str, longest: int) -> None:
    held = foreign_text.text(value, longest)
    assert len(held) <= longest
    bson.encode({"text": held})
    assert "\x1b" not in held
    assert "\n" not in held


@given(st.floats(allow_nan=True) | st.integers())
def test_an_instant_is_one_that_a_clock_shows(milliseconds: float) -> None:
    at = foreign_text.instant(milliseconds)
    assert at is None or datetime(1970, 1, 1, tzinfo=UTC) <= at < datetime(3000, 1, 2, tzinfo=UTC)


def test_as_much_nesting_as_is_read_is_read() -> None:
    """Brackets within strings are none."""
    deep = "[" * 15 + '"]]]]\\"[[[["' + "]" * 15
    assert list(foreign_text.members(f'{{"a": {deep}}}')) == ["a"]
    assert foreign_text.members(f'{{"a": [{deep}]}}') == {}

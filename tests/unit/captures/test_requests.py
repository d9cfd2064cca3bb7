"""app.captures.requests: what a capture may ask for, and what each wrong request is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from app.captures.requests import CaptureRequest
from app.captures.trim_request import TrimRequest
from app.models.free_text import clean_title
from app.models.same_request import hash_of

START, END = "2026-11-03T10:00:00Z", "2026-11-03T10:01:00.500+01:00"


def request(**given: Any) -> CaptureRequest:
    return CaptureRequest.model_validate({"room": "r", "last": 30} | given)


def problem(**given: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        CaptureRequest.model_validate({"room": "r"} | given)
    assert raised.value.error_count() == 1, str(raised.value)
    return raised.value.errors()[0]["msg"].removeprefix("Value error, ")


def test_the_defaults_are_those_of_the_contract() -> None:
    found = request()
    assert (found.tail, found.cut, found.gaps, found.post_roll, found.title) == (
        "include",
        "precise",
        "skip",
        0,
        "",
    )
    assert found.sharer is None


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(90, 90), (1.5, 1.5), ("90", 90), ("90s", 90), ("2m", 120), ("1m30s", 90), ("1.5h", 5400)],
)
def test_last_is_a_number_or_a_length_as_people_write_it(given: object, seconds: float) -> None:
    assert request(last=given).last == seconds


def test_start_and_end_become_utc() -> None:
    found = request(last=None, start="2026-11-03T11:00:00+01:00", end="2026-11-03t10:01:00.25z")
    assert found.start == datetime(2026, 11, 3, 10, tzinfo=UTC)
    assert found.start.tzinfo is UTC
    assert found.end == datetime(2026, 11, 3, 10, 1, 0, 250000, UTC)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "last, or both start and end"),
        ({"start": START}, "last, or both start and end"),
        ({"end": START}, "last, or both start and end"),
        ({"last": 5, "start": START}, "either last, or start and end"),
        ({"last": 5, "start": START, "end": "2026-11-03T10:00:01Z"}, "either last"),
        ({"last": 0}, "greater than 0"),
        ({"last": -1}, "greater than 0"),
        ({"last": float("nan")}, "finite"),
        ({"last": float("inf")}, "finite"),
        ({"last": 10**400}, "valid number"),
        ({"last": True}, "number of seconds"),
        ({"last": []}, "valid number"),
        ({"last": "soon"}, "'soon' is no length of time"),
        ({"last": "-5s"}, "no length of time"),
        ({"last": "0s"}, "longer than nothing"),
        ({"last": 5, "post_roll": 61}, "less than or equal to 60"),
        ({"last": 5, "post_roll": -1}, "greater than or equal to 0"),
        ({"last": 5, "post_roll": "2m"}, "less than or equal to 60"),
        ({"start": START, "end": START}, "later than start"),
        ({"start": START, "end": "2026-11-03T09:00:00Z"}, "later than start"),
        ({"last": 5, "tail": "maybe"}, "'include' or 'skip'"),
        ({"last": 5, "cut": "rough"}, "'precise', 'segment' or 'exact'"),
        ({"last": 5, "gaps": "fill"}, "'skip' or 'keep'"),
        ({"last": 5, "title": "x" * 201}, "has 201 characters; at most 200"),
        ({"last": 5, "title": 7}, "valid string"),
        ({"last": 5, "room": ""}, "at least 1 character"),
        ({"last": 5, "room": "x" * 1025}, "at most 1024"),
        ({"last": 5, "room": None}, "say whose share"),
        ({"last": 5, "room": "\ud800"}, "valid string"),
        ({"last": 5, "buffer": "b"}, "either buffer_id, or room"),
        ({"last": 5, "lsat": 5}, "not permitted"),
    ],
)
def test_each_wrong_request_is_told_what_is_wrong(given: dict[str, Any], told: str) -> None:
    assert told in problem(**given)


@pytest.mark.parametrize(
    "start",
    [
        1762164000,
        "1762164000",
        "2026-11-03",
        "2026-11-03T10:00:00",
        "yesterday",
        "2026-13-03T10:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        None,
    ],
)
def test_a_start_that_is_no_rfc_3339_time_with_a_zone_is_refused(start: object) -> None:
    with pytest.raises(ValidationError):
        CaptureRequest.model_validate({"room": "r", "start": start, "end": "2026-11-03T10:00:00Z"})


def test_a_share_is_named_by_its_buffer_alone() -> None:
    found = CaptureRequest.model_validate({"buffer_id": "b" * 24, "last": 5})
    assert found.buffer_id == "b" * 24


@pytest.mark.edge("titles of any kind")
@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ("  Ada's “demo” 🎬 ", "Ada's “demo” 🎬"),
        ("two\r\nlines\ttabbed\x00\x1b[31m", "two lines tabbed [31m"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("evil\u202egpj.exe", "evilgpj.exe"),
        ("para\u2029graph", "para graph"),
        ("\x7f\x80", ""),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
    ],
)
def test_a_title_is_one_line_of_plain_text(title: str, kept: str) -> None:
    assert clean_title(title) == kept
    assert request(title=title).title == kept


def test_200_characters_are_counted_after_cleaning() -> None:
    assert len(request(title="x" * 200 + "\n" * 10_000).title) == 200


def test_equal_requests_have_the_same_hash_and_others_another() -> None:
    assert hash_of(request(last="30s")) == hash_of(request(last=30.0))
    assert hash_of(request(last=30)) != hash_of(request(last=31))
    assert hash_of(request(title="a")) != hash_of(request())


def test_a_trim_is_compared_by_what_the_release_before_compared_it_by() -> None:
    before = "95d411e6403fb64e76ae30bf50606ea6c8f9183925aeb813d088297e62c2a285"
    assert hash_of(TrimRequest(start=2.5), "trim", "clip") == before
    assert hash_of(TrimRequest(start=2.5, in_place=True), "trim", "clip") != before

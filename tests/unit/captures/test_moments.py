"""app.captures.moment_request: what a moment of all shares of a room may ask for."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.captures.idempotency import key_of_part
from app.captures.moment_request import MomentRequest
from app.models.same_request import hash_of


def request(**given: Any) -> MomentRequest:
    return MomentRequest.model_validate({"last": 30} | given)


def test_a_moment_takes_what_a_capture_takes_but_no_share() -> None:
    found = request(last="1m", post_roll=5, tail="skip", cut="exact", gaps="keep", title="That")
    assert (found.last, found.post_roll, found.cut) == (60, 5, "exact")
    for share in ("room", "sharer", "track_sid", "buffer_id", "buffer", "identity"):
        with pytest.raises(ValidationError, match="Extra inputs"):
            request(**{share: "x"})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"last": None}, "last, or both start and end"),
        ({"end": "2026-11-03T10:00:00Z"}, "not both"),
        ({"title": "t" * 201}, "200"),
    ],
)
def test_a_moment_that_cannot_be_is_told_what_is_wrong(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        request(**given)


def test_requests_are_the_same_if_room_and_window_are() -> None:
    assert hash_of(request(last="30s"), "a") == hash_of(request(), "a")
    assert hash_of(request(), "a") != hash_of(request(), "b")
    assert hash_of(request(), "a") != hash_of(request(last=31), "a")
    assert hash_of(request(), "a") != hash_of(request(room_sid="RM"), "a")


def test_the_key_of_a_share_is_none_that_a_caller_may_send() -> None:
    """Theirs have no spaces, so two of them never meet."""
    assert key_of_part("mine", "b1") == "mine b1"
    assert key_of_part(None, "b1") is None

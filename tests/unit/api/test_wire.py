"""What is said of a request that does not fit: in words that need no knowledge of our tools."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from app.api import wire
from app.api.clip_routes import ClipQuery
from app.captures.requests import CaptureRequest
from app.errors import Invalid


def asked(query: str) -> Request:
    return Request({"type": "http", "method": "GET", "query_string": query.encode(), "headers": []})


async def asked_with(text: str) -> None:
    """Reads the body of a capture."""

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": text.encode(), "more_body": False}

    request = Request({"type": "http", "method": "POST", "headers": []}, receive)
    await wire.body(request, CaptureRequest, may_be_empty=False, former=False)


@pytest.mark.parametrize(
    ("former", "known", "unknown"), [(False, "sharer", "shared_by"), (True, "shared_by", "sharer")]
)
def test_a_name_that_there_is_not_is_told_with_those_that_there_are(
    former: bool, known: str, unknown: str
) -> None:
    """By the names of the paths that were asked."""
    wire.query(asked(f"{known}=ann"), ClipQuery, frozenset(), former)
    with pytest.raises(Invalid) as refused:
        wire.query(asked(f"{unknown}=ann"), ClipQuery, frozenset(), former)
    detail = refused.value.detail
    assert detail.startswith(f"{unknown}='ann': there is no such name; there are room, owner, ")
    assert f" {known}," in detail
    assert f" {unknown}," not in detail


@pytest.mark.parametrize(
    ("given", "shown", "said"),
    [
        ('"-1"', "-1", "last='-1': "),
        ("-1", "-1", "last=-1: "),
        ('{"müßig": [null, true]}', '{"müßig": [null, true]}', 'last={"müßig": [null, true]}: '),
        (f'"{"x" * 200}"', "x" * 77 + "...", f"last='{'x' * 77}...': "),
        ('"\\u001b[31m"', "\\x1b[31m", "last='\\x1b[31m': "),
    ],
)
async def test_a_wrong_value_is_told_as_it_was_given(given: str, shown: str, said: str) -> None:
    """To be read: in the words of JSON, not too long, and nothing in it does anything."""
    with pytest.raises(Invalid) as refused:
        await asked_with(f'{{"room": "r", "last": {given}}}')
    assert refused.value.detail.startswith(said)
    errors: Any = refused.value.extra["errors"]
    assert (errors[0]["field"], errors[0]["value"]) == ("last", shown)


async def test_no_words_of_the_library_are_said_of_a_name() -> None:
    with pytest.raises(Invalid, match="lsat=5: there is no such name; there are ") as refused:
        await asked_with('{"lsat": 5}')
    assert "permitted" not in refused.value.detail

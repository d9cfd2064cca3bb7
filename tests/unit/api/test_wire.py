"""What is said of a request that does not fit: in words that need no knowledge of our tools."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from app.api import wire
from app.api.clip_routes import ClipQuery
from app.captures.requests import CaptureRequest
from app.errors import Invalid


def asked(query: str) -> Request:
    return Request({"type": "http", "method": "GET", "query_string": query.encode(), "headers": []})


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


async def test_no_words_of_the_library_are_said_of_a_name() -> None:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b'{"lsat": 5}', "more_body": False}

    request = Request({"type": "http", "method": "POST", "headers": []}, receive)
    with pytest.raises(Invalid, match="lsat=5: there is no such name; there are ") as refused:
        await wire.body(request, CaptureRequest, may_be_empty=False, former=False)
    assert "permitted" not in refused.value.detail

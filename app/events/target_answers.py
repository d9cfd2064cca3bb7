"""What a target answers to one of our events."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

import httpx

from app.events.event_bodies import Posting
from app.settings.event_targets import EventTarget
from app.work import outside_answers

SECONDS = 10.0
"""How long an answer may take."""
_NOT_NOW = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
"""What says of a request only that it came at a bad time; other 4xx say that it is refused."""


class TargetAnswer(NamedTuple):
    """What went wrong, empty if nothing did, and whether the target may get the next event."""

    error: str
    goes_on: bool


TAKEN = TargetAnswer("", goes_on=True)


async def post(client: httpx.AsyncClient, target: EventTarget, posting: Posting) -> TargetAnswer:
    """Posts an event to a target."""
    try:
        answer = await outside_answers.ask(
            client,
            "POST",
            target.url,
            seconds=SECONDS,
            content=posting.body,
            headers=posting.headers,
        )
    except (httpx.HTTPError, TimeoutError) as failure:
        return TargetAnswer(repr(failure), goes_on=False)
    if answer.is_success:
        return TAKEN
    is_refused = httpx.codes.is_client_error(answer.status) and answer.status not in _NOT_NOW
    return TargetAnswer(f"HTTP {answer.status}", goes_on=is_refused)

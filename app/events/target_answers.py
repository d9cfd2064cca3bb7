"""What a target answers to one of our events."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import NamedTuple

import httpx

from app.events.event_bodies import Posting
from app.settings.event_targets import EventTarget
from app.work import outside_answers
from app.work.outside_answers import OutsideAnswer

SECONDS = 10.0
"""How long an answer may take."""
LONGEST_PAUSE_SECONDS = 3600.0
_SHOWN = 100
_RETRY_AFTER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_RETRY_AFTER_MS = re.compile(rb'"retry_after_ms"\s*:\s*([0-9]{1,12})\b')
_NOT_NOW = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
"""What says of a request only that it came at a bad time; other 4xx say that it is refused."""


class TargetAnswer(NamedTuple):
    """What went wrong, empty if nothing did, and whether the target may get the next event.

    `is_final`: it would be refused again. `pause_seconds`: how long the target asks to be left.
    """

    error: str
    goes_on: bool
    is_final: bool = False
    pause_seconds: float = 0.0


TAKEN = TargetAnswer("", goes_on=True)


async def post(client: httpx.AsyncClient, target: EventTarget, posting: Posting) -> TargetAnswer:
    """Sends an event to a target. No error bears what is secret of it."""
    try:
        answer = await outside_answers.ask(
            client,
            posting.method,
            posting.url,
            seconds=SECONDS,
            content=posting.body,
            headers=posting.headers,
        )
    except (httpx.HTTPError, TimeoutError) as failure:
        return TargetAnswer(_without_secrets(target, repr(failure)), goes_on=False)
    if answer.is_success:
        return TAKEN
    is_refused = httpx.codes.is_client_error(answer.status) and answer.status not in _NOT_NOW
    is_final = is_refused and target.format.is_chat
    error = f"HTTP {answer.status}"
    if is_final and (said := _beginning(answer.beginning)):
        error = f"{error}: {_without_secrets(target, said)[:_SHOWN]}"
    return TargetAnswer(error, is_refused, is_final, _pause_seconds(answer))


def _pause_seconds(answer: OutsideAnswer) -> float:
    """How long the target asks to be left alone, in seconds; an hour at most.

    By the header Retry-After, or as servers of Matrix say it that are older than that header there.
    """
    told = answer.headers.get("Retry-After", "")
    if _RETRY_AFTER.fullmatch(told):
        return min(float(told), LONGEST_PAUSE_SECONDS)
    milliseconds = _RETRY_AFTER_MS.search(answer.beginning)
    return min(int(milliseconds[1]) / 1000, LONGEST_PAUSE_SECONDS) if milliseconds else 0.0


def _beginning(body: bytes) -> str:
    """What can be shown of a refusal's first words: of anybody's page, too."""
    text = body[:1000].decode(errors="replace")
    return " ".join(re.sub(r"[^\x20-\x7e]+", " ", text).split())


def _without_secrets(target: EventTarget, text: str) -> str:
    for secret in target.secrets:
        text = text.replace(secret, "…")
    return text

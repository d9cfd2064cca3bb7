"""How far LiveKit's clock is from ours, by the Date of its answers."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial

import httpx

from app.condition.answer_cache import AnswerCache
from app.settings import Settings
from app.work import outside_answers

CACHE_SECONDS = 60.0


async def ahead_seconds(settings: Settings, timeout_seconds: float) -> float | None:
    """How far it is ahead, to the second; None if LiveKit does not tell its time.

    Raises httpx.HTTPError, or TimeoutError, when it does not answer.
    """
    async with outside_answers.client() as client:
        began = datetime.now(UTC)
        answer = await outside_answers.ask(
            client, "GET", settings.livekit_http_url, seconds=timeout_seconds
        )
        ended = datetime.now(UTC)
    try:
        # The header is cut to whole seconds.
        theirs = parsedate_to_datetime(answer.headers["date"]) + timedelta(seconds=0.5)
        return (theirs - began - (ended - began) / 2).total_seconds()
    except (KeyError, ValueError, TypeError):  # none, or without a zone
        return None


class LiveKitClock(AnswerCache[float]):
    """How far it is ahead; not a number while nobody can tell. LiveKit is asked once a minute."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(partial(_ahead, settings), lambda *_: CACHE_SECONDS)


async def _ahead(settings: Settings) -> float:
    try:
        ahead = await ahead_seconds(settings, timeout_seconds=2.0)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
        return math.nan
    return math.nan if ahead is None else ahead

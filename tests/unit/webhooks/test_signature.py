"""Whether LiveKit has sent a webhook, told from its bytes, one header and our key pairs."""

from __future__ import annotations

import subprocess
import sys

import pytest
from livekit.api import AccessToken

from app.errors import Unauthorized
from app.webhooks.signature import LONGEST_TOKEN, NotSigned, check
from tests import webhooks

PAIRS = {"old": "o" * 32, "new": "n" * 32}
BODY = webhooks.body_of(webhooks.event("room_started", room=webhooks.room()))


@pytest.mark.parametrize("key", PAIRS)
@pytest.mark.parametrize("scheme", ["", "Bearer "])
def test_what_any_of_the_pairs_signed_is_believed(key: str, scheme: str) -> None:
    signed = check(scheme + webhooks.sign(BODY, key, PAIRS[key]), PAIRS)
    signed.check(BODY)
    assert signed.key == key


def test_what_nobody_signed_is_told_what_to_set() -> None:
    with pytest.raises(Unauthorized, match=r"webhook\.api_key"):
        check(None, PAIRS)


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (BODY, "no token"),
        (BODY, webhooks.sign(BODY, "old", "x" * 32)),
        (BODY, webhooks.sign(BODY, "unknown", "o" * 32)),
        (BODY + b" ", webhooks.sign(BODY, "old", "o" * 32)),
        (BODY, webhooks.sign(BODY, "old", "o" * 32) + "x" * LONGEST_TOKEN),
    ],
)
def test_anything_else_is_refused_and_nothing_of_it_is_told(body: bytes, header: str) -> None:
    with pytest.raises(NotSigned) as refused:
        check(header, PAIRS).check(body)
    assert refused.value.reason
    for word in (*PAIRS, *PAIRS.values(), header):
        assert word not in refused.value.detail


@pytest.mark.parametrize(
    "header",
    [None, "no token", webhooks.sign(BODY, "old", "x" * 32), AccessToken("old", "o" * 32).to_jwt()],
)
def test_without_a_signature_of_a_body_no_body_is_asked_for(header: str | None) -> None:
    """Nor with the token of a participant, which signs none."""
    with pytest.raises(Unauthorized):
        check(header, PAIRS)


def test_it_needs_no_web_framework() -> None:
    """A program that only verifies loads none."""
    script = "import sys, app.webhooks.signature; print('starlette' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert told.stdout.split() == [b"False"]

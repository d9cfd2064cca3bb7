"""Whether LiveKit has sent a webhook, told from its bytes, one header and our key pairs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.errors import Unauthorized
from app.webhooks.signature import NotSigned, verify
from tests import webhooks

PAIRS = {"old": "o" * 32, "new": "n" * 32}
BODY = webhooks.body_of(webhooks.event("room_started", room=webhooks.room()))


@pytest.mark.parametrize("key", PAIRS)
@pytest.mark.parametrize("scheme", ["", "Bearer "])
def test_what_any_of_the_pairs_signed_is_believed(key: str, scheme: str) -> None:
    event = verify(BODY, scheme + webhooks.sign(BODY, key, PAIRS[key]), PAIRS)
    assert event.event == "room_started"


def test_what_nobody_signed_is_told_what_to_set() -> None:
    with pytest.raises(Unauthorized, match=r"webhook\.api_key"):
        verify(BODY, None, PAIRS)


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (BODY, "no token"),
        (BODY, webhooks.sign(BODY, "old", "x" * 32)),
        (BODY, webhooks.sign(BODY, "unknown", "o" * 32)),
        (BODY + b" ", webhooks.sign(BODY, "old", "o" * 32)),
        (b"\xff", webhooks.sign(b"\xff", "old", "o" * 32)),
        (b"no JSON", webhooks.sign(b"no JSON", "old", "o" * 32)),
    ],
)
def test_anything_else_is_refused_and_nothing_of_it_is_told(body: bytes, header: str) -> None:
    with pytest.raises(NotSigned) as refused:
        verify(body, header, PAIRS)
    assert refused.value.reason
    for word in (*PAIRS, *PAIRS.values(), header, "no JSON"):
        assert word not in refused.value.detail


def test_it_needs_no_web_framework() -> None:
    """A program that only verifies loads none."""
    script = "import sys, app.webhooks.signature; print('starlette' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert told.stdout.split() == [b"False"]

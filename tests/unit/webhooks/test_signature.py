"""Whether LiveKit has sent a webhook, told from its bytes, one header and our key pairs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress

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


class Lent(Mapping[str, str]):
    """Pairs that tell which secrets were asked for."""

    def __init__(self, pairs: Mapping[str, str]) -> None:
        self._pairs = pairs
        self.asked: list[str] = []

    def __getitem__(self, key: str) -> str:
        secret = self._pairs[key]
        self.asked.append(key)
        return secret

    def __iter__(self) -> Iterator[str]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)


@pytest.mark.parametrize(
    ("header", "tried"),
    [
        (webhooks.sign(BODY, "new", PAIRS["new"]), ["new"]),
        (webhooks.sign(BODY, "new", "x" * 32), ["new"]),
        (webhooks.sign(BODY, "nobody", "x" * 32), []),
        ("no token", []),
        ("a" * 1000, []),
    ],
)
def test_however_many_pairs_there_are_the_one_that_is_named_is_tried(
    header: str, tried: list[str]
) -> None:
    """This is done for whoever sends it, before anything else has a turn."""
    pairs = Lent(PAIRS | {f"tenant{number}": f"{number}" * 32 for number in range(100)})
    with suppress(NotSigned):
        check(header, pairs)
    assert pairs.asked == tried


def test_it_needs_no_web_framework() -> None:
    """A program that only verifies loads none."""
    script = "import sys, app.webhooks.signature; print('starlette' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert told.stdout.split() == [b"False"]

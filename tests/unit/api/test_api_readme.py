"""What app/api/README.md says, held to the code."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from enum import StrEnum

import jwt
import pytest

from app.access import permissions
from app.api import auth
from app.captures.requests import CaptureRequest
from app.events import event_bodies
from app.models import (
    AccessMode,
    Action,
    CapturePolicy,
    CaptureStatus,
    ClipNote,
    Cut,
    EventName,
    FaultSlug,
    Gaps,
    GapWhy,
    Tail,
    Visibility,
)
from app.viewing import buffer_states
from tests import readme

TEXT = (readme.ROOT / "app/api/README.md").read_text()


def firsts(heading: str) -> str:
    """The first cells of the tables under a heading."""
    return "\n".join(row[0] for row in readme.rows(readme.section(TEXT, heading)))


def test_all_that_a_capture_may_ask_for_is_told() -> None:
    """Each field of the request, and each choice that it gives, has its place in the table."""
    asked = firsts("Captures")
    fields = CaptureRequest.model_fields
    assert [name for name in fields if f"`{name}" not in asked] == []
    choices = [
        (name, one) for name, kind in (("tail", Tail), ("cut", Cut), ("gaps", Gaps)) for one in kind
    ]
    assert len(choices) > 5
    assert [f"{name}: {one}" for name, one in choices if one not in asked] == []


def test_all_that_becomes_of_a_capture_is_told() -> None:
    """Each status that is shown has its line; `accepting` is shown to nobody."""
    told = set(re.findall("^`(\\w+)`$", firsts("Captures"), re.MULTILINE))
    assert set(CaptureStatus) - {CaptureStatus.ACCEPTING} <= told


@pytest.mark.parametrize("words", [ClipNote, GapWhy, Visibility, CapturePolicy, AccessMode])
def test_every_word_of_a_closed_list_is_told(words: type[StrEnum]) -> None:
    """What an answer may hold, or a caller may choose, is in the text."""
    told = set(re.findall(r"`(?:notes: )?([a-z-]+)`", TEXT))
    assert set(words) <= told


def test_all_that_a_signed_url_bears_is_told() -> None:
    """Each query parameter that belongs to a signature stands under its heading."""
    told = readme.section(TEXT, "Signed URLs")
    assert {name for name in auth.SIGNATURE_QUERY if f"`{name}`" not in told} == set()


def test_every_state_of_a_share_is_told() -> None:
    """A row for each state that a list can be narrowed to."""
    told = re.findall("`(\\w+)`", firsts("States of a share"))
    assert sorted(told) == sorted(set(buffer_states.NAMES) - buffer_states.GROUPS.keys())


def test_every_event_is_told() -> None:
    """Each event that EVENTS_URL may get has its line."""
    assert set(re.findall("`(\\w+)`", firsts("Events"))) == set(EventName)


def test_an_event_is_verified_as_is_told() -> None:
    """With nothing but a JWT library and a hash, as the text has it for other languages."""
    body = b'{"event": "clip_shared"}'
    authorization = event_bodies.livekit_token("chat", "e" * 32, body)
    assert jwt.get_unverified_header(authorization)["alg"] == "HS256"
    claims = jwt.decode(authorization, "e" * 32, algorithms=["HS256"], issuer="chat")
    assert claims["sha256"] == base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert claims["exp"] - time.time() == pytest.approx(300, abs=60)


def test_every_fault_is_told() -> None:
    """Each fault that makes a gap has its line."""
    told = set(re.findall("`([a-z-]+)`", firsts("Errors")))
    assert set(FaultSlug) <= told


def test_roles_may_do_what_the_table_says() -> None:
    """A role's cell says yes where the role has the action, and else whether everybody has."""
    cells = [row for row in readme.rows(readme.section(TEXT, "Who may")) if len(row) == 5]
    assert len(cells) == len(Action)
    for action, (told, *by_role) in zip(Action, cells, strict=True):
        assert told.startswith(f"{action.name} (`{action.value}`)")
        if_open = action in permissions.OF_EVERYBODY_WHEN_OPEN
        has = [action in permissions.OF_ROLE[role] for role in ("member", "moderator", "admin")]
        otherwise = "if `access` is `open`" if if_open else "no"
        assert by_role == [*("yes" if one else otherwise for one in has), "yes"]

"""What each visibility means in a clip's row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.clips.clip_visibility import fields, link_holds
from app.models import ClipRow, Visibility
from app.store import row_of
from tests.integration.clips.rows import clip_row

NOW = datetime(2026, 11, 3, tzinfo=UTC)
WEEK = timedelta(days=7)
PRIVATE = row_of(clip_row("c", room_sid="RM_1"))


def opened(
    row: ClipRow, visibility: str, now: datetime = NOW, *, hidden_head: bool | None = None
) -> Any:
    opening = fields(row, Visibility(visibility), now, WEEK, hidden_head=hidden_head)
    return {**row, **opening}


def test_a_link_opens_by_a_secret_of_its_own_until_it_ends() -> None:
    row, other = opened(PRIVATE, "link"), opened(PRIVATE, "link")
    assert len(row["link_secret"]) == 32
    assert row["link_secret"] != other["link_secret"]
    assert row["link_expires_at"] == NOW + WEEK
    assert link_holds(row, NOW + WEEK - timedelta(seconds=1))
    assert not link_holds(row, NOW + WEEK)


def test_a_link_that_holds_is_prolonged_and_one_that_was_revoked_never_comes_back() -> None:
    first = opened(PRIVATE, "link")
    prolonged = opened(first, "link", NOW + timedelta(days=1))
    assert prolonged["link_secret"] == first["link_secret"]
    assert prolonged["link_expires_at"] == NOW + timedelta(days=8)
    for revoked in (opened(first, "private"), opened(first, "room")):
        assert revoked["link_secret"] is revoked["link_expires_at"] is None
        assert not link_holds(revoked, NOW)
        assert opened(revoked, "link")["link_secret"] != first["link_secret"]
    expired = opened(first, "link", NOW + timedelta(days=8))
    assert expired["link_secret"] != first["link_secret"]


def test_a_rooms_people_are_its_audience_only_while_it_says_so() -> None:
    row = opened(PRIVATE, "room")
    assert row["audience"] == "RM_1"
    assert opened(row, "private")["audience"] is None
    assert opened(row, "link")["audience"] is None


@pytest.mark.parametrize("visibility", ["room", "link"])
def test_a_hidden_beginning_is_given_away_only_with_an_explicit_yes(visibility: str) -> None:
    """And only for as long as the clip is open as it was then."""
    row = PRIVATE | {"hidden_head_seconds": 1.25}
    assert not opened(row, visibility)["hidden_head_shared"]
    agreed = opened(row, visibility, hidden_head=True)
    assert agreed["hidden_head_shared"]
    # What others have already needs no second yes.
    assert opened(agreed, visibility)["hidden_head_shared"]
    assert not opened(agreed, visibility, hidden_head=False)["hidden_head_shared"]
    for other in {"private", "room", "link"} - {visibility}:
        assert not opened(agreed, other)["hidden_head_shared"]
    closed = opened(agreed, "private")
    assert not opened(closed, visibility)["hidden_head_shared"]

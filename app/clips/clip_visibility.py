"""What each visibility sets in a clip's row. Pure."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TypedDict

from app.errors import Conflict, ReplayError
from app.models import ClipRow, Visibility

SECRET_BYTES = 24
PAGES = "/c/"
"""What the paths of links' pages begin with. A secret follows, which belongs into no log."""


class NoPublicUrl(ReplayError):
    slug, status, title = "no-public-url", 409, "PUBLIC_URL is not set"


class ClipOpening(TypedDict):
    """The fields of a clip's row that say who may see it."""

    visibility: Visibility
    audience: str | None
    opened: bool
    link_secret: str | None
    link_expires_at: datetime | None
    hidden_head_shared: bool


class ClipClosing(ClipOpening):
    """The fields of a clip's row that change when somebody else than its owner closes it."""

    closed_by: str | None
    grant: int


def fields(
    row: ClipRow,
    visibility: Visibility,
    now: datetime,
    link_life: timedelta,
    *,
    hidden_head: bool | None,
) -> ClipOpening:
    """The fields to set so that a clip has a visibility: `private`, `room` or `link`.

    A link that holds goes on, for `link_life` from now; one that was revoked or has expired never
    comes back: there is a new one. `hidden_head`: others get what the clip hides before its start,
    for as long as it is open as it is then, or they get a copy without it; None: as it was, where
    it is open so already.
    """
    same = visibility == row["visibility"] != Visibility.PRIVATE
    link = visibility == Visibility.LINK
    secret = row["link_secret"] if link and link_holds(row, now) else None
    return {
        "visibility": visibility,
        "audience": row["room_sid"] if visibility == Visibility.ROOM else None,
        "opened": visibility != Visibility.PRIVATE or (row["opened"] and is_closed(row)),
        "link_secret": (secret or secrets.token_urlsafe(SECRET_BYTES)) if link else None,
        "link_expires_at": now + link_life if link else None,
        "hidden_head_shared": (
            same and row["hidden_head_shared"] if hidden_head is None else hidden_head
        ),
    }


def closed(row: ClipRow, by: str, *, whole: ClipRow | None = None) -> ClipClosing:
    """The fields to set so that a clip is closed `by` somebody: they go on seeing what was opened.

    `whole`: with which it is closed. They see what is a part of that; what is none of it, as a
    clip whose place that has or another trim of that, they see no more than before.
    """
    is_part = whole is not None and whole["opened"] and whole["_id"] in row["ancestors"]
    return {
        "visibility": Visibility.PRIVATE,
        "audience": None,
        "opened": row["opened"] or is_part,
        "link_secret": None,
        "link_expires_at": None,
        "hidden_head_shared": False,
        "closed_by": by,
        "grant": row["grant"] + 1,
    }


def check_not_closed(row: ClipRow) -> None:
    """Raises Conflict if somebody else than its owner has closed the clip: it stays private."""
    if row["closed_by"] is not None:
        raise Conflict(
            f"{row['closed_by']!r} has closed the clip: it stays private until they let it be "
            "opened again"
        )


def is_closed(row: ClipRow) -> bool:
    """Whether somebody has closed the clip."""
    return row["closed_by"] is not None


def link_holds(row: ClipRow, now: datetime) -> bool:
    """Whether the clip has a link that opens it now."""
    ends = row["link_expires_at"]
    return (
        row["visibility"] == Visibility.LINK
        and row["link_secret"] is not None
        and ends is not None
        and ends > now
    )


def page_path(secret: str) -> str:
    """Where the page of a link is."""
    return f"{PAGES}{secret}"

"""Where a page of a list ended, as the text that asks for the next one."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime

from app.errors import Invalid


def written(at: datetime, row_id: str) -> str:
    """The text that stands for a row of a list in order of time, and of ids where times agree."""
    return base64.urlsafe_b64encode(f"{at.isoformat()} {row_id}".encode()).decode()


def read(text: str) -> tuple[datetime, str]:
    """The instant and the id that `written` made the text of. Raises Invalid if it did not."""
    try:
        at, _, row_id = base64.urlsafe_b64decode(text).decode().partition(" ")
        return datetime.fromisoformat(at).astimezone(UTC), row_id
    except (ValueError, OverflowError, binascii.Error) as error:
        raise Invalid(f"next={text!r} is not what an earlier page gave as `next`") from error

"""Where a page of a list ended, as the text that asks for the next one."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta

from app.errors import Invalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def written(at: datetime, row_id: str) -> str:
    """The text that stands for a row of a list in order of time, to the millisecond, and of ids
    where times agree."""
    text = f"{(at - _EPOCH) // timedelta(milliseconds=1)}/{row_id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(text: str) -> tuple[datetime, str]:
    """The instant and the id that `written` made the text of. Raises Invalid if it did not."""
    try:
        decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        milliseconds, slash, row_id = decoded.partition("/")
        if not (slash and row_id):
            raise ValueError("no place in a list")
        return _EPOCH + timedelta(milliseconds=int(milliseconds)), row_id
    except (ValueError, binascii.Error, OverflowError) as error:
        raise Invalid(f"next={text[:80]!r} is not what a list gave: leave it out") from error

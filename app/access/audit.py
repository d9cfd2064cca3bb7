"""The audit: who captured, shared, deleted or changed what, and when."""

from __future__ import annotations

import base64
import binascii
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import DESCENDING

from app.errors import Invalid
from app.models import AuditEntry
from app.settings import Settings
from app.store import Row, Store

NOBODY = ""
"""The identity of what the service does by itself."""


async def note(
    store: Store, identity: str, action: str, subject: str, *, room: str = "", **data: Any
) -> None:
    """Writes down that somebody did something. `subject`: the id of what it was done to."""
    entry = AuditEntry(
        id=secrets.token_hex(12),
        at=datetime.now(UTC),
        identity=identity,
        action=action,
        subject=subject,
        room=room,
        data=data,
    )
    await store.create(entry)


async def page(
    store: Store, *, identity: str | None, limit: int, after: str | None
) -> tuple[list[Row], str | None]:
    """Entries, newest first, and where the following ones begin (None at the end).

    Raises Invalid if `after` is not what an earlier page gave.
    """
    which: Row = {"identity": identity} if identity is not None else {}
    if after is not None:
        at, entry_id = _position(after)
        which["$or"] = [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": entry_id}}]
    rows = (
        await store.rows(AuditEntry)
        .find(which)
        .sort([("at", DESCENDING), ("_id", DESCENDING)])
        .limit(limit + 1)
        .to_list(limit + 1)
    )
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    text = f"{last['at'].isoformat()} {last['_id']}"
    return rows[:limit], base64.urlsafe_b64encode(text.encode()).decode()


async def forget_old(store: Store, settings: Settings) -> None:
    """Deletes what is older than AUDIT_DAYS."""
    oldest = datetime.now(UTC) - timedelta(days=settings.audit_days)
    await store.rows(AuditEntry).delete_many({"at": {"$lt": oldest}})


def _position(after: str) -> tuple[datetime, str]:
    try:
        at, entry_id = base64.urlsafe_b64decode(after).decode().split(" ")
        return datetime.fromisoformat(at), entry_id
    except (ValueError, binascii.Error) as error:
        raise Invalid(f"next={after!r} is not what a page of entries gave as `next`") from error

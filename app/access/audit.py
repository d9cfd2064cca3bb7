"""The audit: who captured, shared, deleted or changed what, and when."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from app import stretches
from app.models import AuditAction, AuditRow, Row, conditions, keyset
from app.models.instants import EPOCH, FAR
from app.models.keyset import Order, Page, Position
from app.models.schema import AuditEntry
from app.settings import Settings
from app.store import Store, before
from app.work.jobs import hours, job, seconds

NOBODY = ""
"""The identity of what the service does by itself."""
LONGEST_TEXT = 256
"""Characters of a text that an entry has: a name is no longer, and others are known by these."""
_NEWEST_FIRST = Order("at")
_NARROWING = ("subject", "identity", "action")
"""Fields by which entries are found, the one first that fewest have in common."""


async def note(
    store: Store,
    identity: str,
    action: AuditAction,
    subject: str,
    *,
    room: str = "",
    entry_id: str | None = None,
    **data: Any,
) -> bool:
    """Writes down that somebody did something. `subject`: the id of what it was done to.

    `entry_id`: names what was done, once. False if it is written down already. Texts
    in `data` are cut to LONGEST_TEXT.
    """
    entry = AuditEntry(
        id=entry_id or secrets.token_hex(12),
        at=datetime.now(UTC),
        identity=identity,
        action=action,
        subject=subject,
        room=room,
        data={name: _cut(value) for name, value in data.items()},
    )
    return await store.create(entry)


async def page(
    store: Store,
    wanted: Row,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int,
    after: str | None = None,
) -> Page[AuditRow]:
    """Entries of [`since`, `until`), newest first.

    `wanted`: fields that must be equal. An index serves one of them, the others are checked on
    LOOKED_AT entries. Raises Invalid if `after` is not what an earlier page gave.
    """
    end = until or FAR, ""
    narrow = next((each for each in _NARROWING if each in wanted), None)
    served = {} if narrow is None else {narrow: wanted[narrow]}

    async def look(begin: Position, count: int) -> tuple[list[AuditRow], bool]:
        rows = await stretches.before(
            store, AuditEntry, _NEWEST_FIRST, served, begin, since or EPOCH, count
        )
        return rows, len(rows) >= count

    return await stretches.page(
        _NEWEST_FIRST,
        look,
        partial(conditions.matches, wanted),
        end if after is None else min(keyset.read(after), end),
        limit=limit,
    )


@job("forget_audit", every=hours(1), timeout=seconds(90))
async def forget_old(store: Store, settings: Settings) -> None:
    """Deletes what is older than AUDIT_DAYS."""
    oldest = datetime.now(UTC) - timedelta(days=settings.audit_days)
    await store.rows(AuditEntry).delete_many({"at": before(oldest)})


def _cut(value: Any) -> Any:
    if not isinstance(value, str) or len(value) <= LONGEST_TEXT:
        return value
    return f"{value[: LONGEST_TEXT - 1]}…"

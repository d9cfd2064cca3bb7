"""What somebody is about to do: written down first, so that what must follow of it is not lost.

    async with deeds.meant(store, who, AuditAction.MEMBER_SET, whose, …) as deed:
        ...                                # it is done, or refused
    ...                                    # its audit, and all else that follows
    await deeds.over(store, deed)

Whoever is killed within leaves the row. Once that is due, a worker goes on with it: everything that
follows of a deed may be done again.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from app.access import audit
from app.errors import ReplayError
from app.models import AuditAction, DeedRow
from app.models.schema import Deed
from app.store import Store, before, row_of
from app.work import rounds
from app.work.jobs import job, seconds

DUE = timedelta(seconds=60)
"""Longer than a request lasts."""

GoingOn = Mapping[AuditAction, Callable[[DeedRow], Awaitable[None]]]
"""By action what goes on with a deed that may have been done, or not; it ends with `over`."""

log = structlog.get_logger()


async def mean(
    store: Store,
    identity: str,
    action: AuditAction,
    subject: str,
    *,
    room: str = "",
    part_of: DeedRow | None = None,
    **data: Any,
) -> DeedRow:
    """Writes down what somebody is about to do, in the words of its audit.

    `part_of`: the deed that it follows from. Whoever goes on with that means the same one again.
    """
    now = datetime.now(UTC)
    deed = Deed(
        id=secrets.token_hex(12) if part_of is None else f"{part_of['_id']}/{subject}",
        at=now,
        due_at=now + DUE,
        identity=identity,
        action=action,
        subject=subject,
        room=room,
        data=data,
    )
    await store.create(deed)
    return row_of(deed)


def is_part(deed: DeedRow) -> bool:
    """Whether a deed follows from another, which sees to all that follows."""
    return "/" in deed["_id"]


@asynccontextmanager
async def meant(
    store: Store,
    identity: str,
    action: AuditAction,
    subject: str,
    *,
    room: str = "",
    part_of: DeedRow | None = None,
    **data: Any,
) -> AsyncIterator[DeedRow]:
    """What somebody is about to do within the block, which raises ReplayError if it is refused."""
    deed = await mean(store, identity, action, subject, room=room, part_of=part_of, **data)
    try:
        yield deed
    except ReplayError:
        await over(store, deed)
        raise


@dataclass
class Doing:
    """What becomes of what is done: False, and nothing stands in the audit."""

    is_done: bool = True


@dataclass(kw_only=True)
class Audited(Doing):
    """What stands in the audit once it is done."""

    deed: DeedRow


@asynccontextmanager
async def audited(
    store: Store,
    identity: str,
    action: AuditAction,
    subject: str,
    *,
    room: str = "",
    part_of: DeedRow | None = None,
    **data: Any,
) -> AsyncIterator[Audited]:
    """What is done within the block, and of which nothing follows after it but its audit.

    The block raises ReplayError if it is refused, and says if it came to nothing. Who goes on with
    it is made by `if_done`.
    """
    meaning = meant(store, identity, action, subject, room=room, part_of=part_of, **data)
    async with meaning as deed:
        doing = Audited(deed=deed)
        yield doing
    if doing.is_done:
        await note(store, deed)
    await over(store, deed)


def if_done(
    store: Store, is_done: Callable[[DeedRow], Awaitable[bool]]
) -> Callable[[DeedRow], Awaitable[None]]:
    """Writes the audit of a deed whose process was killed, if things are as it has made them.

    Where somebody has changed them again meanwhile, theirs is the deed that stands in the audit.
    """

    async def go_on_with(deed: DeedRow) -> None:
        if await is_done(deed):
            await note(store, deed)
        await over(store, deed)

    return go_on_with


async def note(store: Store, deed: DeedRow) -> bool:
    """Writes the audit of a deed that is done. False if it is there."""
    return await audit.note(
        store,
        deed["identity"],
        deed["action"],
        deed["subject"],
        room=deed["room"],
        entry_id=deed["_id"],
        **deed["data"],
    )


async def over(store: Store, deed: DeedRow) -> None:
    """All that follows of a deed is done, or it never was."""
    await store.rows(Deed).delete_one({"_id": deed["_id"]})


@job("go_on_with_deeds", every=seconds(15), timeout=seconds(90))
async def go_on(store: Store, going_on: GoingOn) -> None:
    """Does what is left of deeds whose process was killed."""
    due = {"due_at": before(datetime.now(UTC))}
    for row in await store.rows(Deed).find(due).to_list(None):
        with rounds.item(deed=row["_id"]):
            log.info("deed_gone_on_with", deed=row["_id"], action=row["action"])
            await going_on[AuditAction(row["action"])](row)

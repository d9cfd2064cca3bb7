"""The version of the rows: a start brings an older database up to date, and refuses a newer one.

The only row of the collection `schema` has the version, and the id of the installation. Several
processes may start at once: one takes the lease in that row and takes the steps, the others wait
until the version is theirs. If it is killed, its lease ends, and another goes on with the step that
was not finished.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError, PyMongoError

from app.errors import ConfigurationError
from app.migrations.steps import STEPS, Step

VERSION = len(STEPS)
"""Of the rows that this release reads and writes."""
COLLECTION = "schema"
PROBES = "probes"
"""A collection of one row, which nobody reads: whether the database takes writes."""
LEASE = timedelta(seconds=15)
RENEWALS = 3
"""Of a lease in its time: two may fail."""
LOOK_SECONDS = 0.2

log = structlog.get_logger()

_ROW = {"_id": "schema"}

Database = AsyncDatabase[dict[str, Any]]


async def upgrade(
    database: Database,
    media_root: Path,
    steps: Sequence[Step] = STEPS,
    *,
    lease: timedelta = LEASE,
) -> None:
    """Returns when the rows, and the files they tell of, are of the version that `steps` lead to.

    `lease`: after how long without a word a process that takes the steps counts as killed. Raises
    ConfigurationError if the rows are of a later version.
    """
    waits = False
    while (version := await _version(database, len(steps))) < len(steps):
        async with _leased(database, lease) as is_ours:
            if is_ours:
                await _climb(database, media_root, steps)
        if not is_ours:
            if not waits:
                log.info("schema_upgrade_awaited", version=version, wanted=len(steps))
            waits = True
            await asyncio.sleep(LOOK_SECONDS)
    if version > len(steps):
        raise ConfigurationError(
            f"the database has rows of version {version}, which a later release wrote; this one "
            f"knows them up to version {len(steps)}: start that release again, or restore a backup "
            "of before its first start"
        )


async def known_instance(database: Database) -> str | None:
    """The id of the installation that the database is of; None if it has had no media root yet."""
    row = await database[COLLECTION].find_one(_ROW)
    return None if row is None else row.get("instance")


async def note_instance(database: Database, instance: str) -> None:
    """Notes whose the database is, once and for all."""
    nobodys = {**_ROW, "instance": None}
    await database[COLLECTION].update_one(nobodys, {"$set": {"instance": instance}})


async def _version(database: Database, newest: int) -> int:
    """The version that the row tells.

    Without that row it is 0 if there are others, written before there were versions; an empty
    database begins with the newest.
    """
    schema = database[COLLECTION]
    row = await schema.find_one(_ROW)
    if row is None:
        # A process that made other collections just now has written the row before them.
        is_empty = not set(await database.list_collection_names()) - {COLLECTION, PROBES}
        row = {**_ROW, "version": newest if is_empty else 0, "lease": None, "lease_until": None}
        try:
            await schema.insert_one(row)
        except DuplicateKeyError:  # another process was first
            return await _version(database, newest)
    return int(row["version"])


async def _climb(database: Database, media_root: Path, steps: Sequence[Step]) -> None:
    """Takes the steps that are left. The version never goes back, even if others take them, too."""
    for version in range(await _version(database, len(steps)), len(steps)):
        log.info("schema_upgrade_begun", version=version + 1)
        await steps[version](database, media_root)
        await database[COLLECTION].update_one(
            {**_ROW, "version": version}, {"$set": {"version": version + 1}}
        )
        log.info("schema_upgraded", version=version + 1)


@asynccontextmanager
async def _leased(database: Database, lease: timedelta) -> AsyncIterator[bool]:
    """Whether the lease is ours: then it is renewed while the block runs, and given back."""
    schema, me, now = database[COLLECTION], secrets.token_hex(8), datetime.now(UTC)
    free = {**_ROW, "$or": [{"lease": None}, {"lease_until": {"$lt": now}}]}
    taken = {"$set": {"lease": me, "lease_until": now + lease}}
    if not (await schema.update_one(free, taken)).modified_count:
        yield False
        return
    renewing = asyncio.create_task(_renew(database, me, lease))
    try:
        yield True
    finally:
        renewing.cancel()
        await asyncio.wait({renewing})
        await schema.update_one(
            {**_ROW, "lease": me}, {"$set": {"lease": None, "lease_until": None}}
        )


async def _renew(database: Database, me: str, lease: timedelta) -> None:
    while True:
        await asyncio.sleep(lease.total_seconds() / RENEWALS)
        until = datetime.now(UTC) + lease
        try:
            await database[COLLECTION].update_one(
                {**_ROW, "lease": me}, {"$set": {"lease_until": until}}
            )
        except PyMongoError as error:  # the step goes on, and meets what does not pass
            log.warning("schema_lease_not_renewed", error=str(error)[:300])

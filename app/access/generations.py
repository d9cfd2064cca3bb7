"""Ends what was given to somebody: signed URLs, streams of events, sessions.

Rights are asked anew with every token. What is good without asking bears the generation of its
time, and is good as long as that is the present one. Generations are rows, not keys of Redis: a
restart that forgot one would open again what it had ended.

A row goes when all that was given before its last end is over by itself. So where there is none,
whatever is still good was given since, and no later generation is one that there was before.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from app.access import signatures
from app.models import RightsRow
from app.models.schema import Rights
from app.settings import Settings
from app.store import Store, before
from app.work.jobs import hours, job, seconds


class Endable(StrEnum):
    """What can be ended.

    `WATCHING`: the URLs and streams that somebody was given. `SHARING`: the URLs of their shares
    that anybody was given. `SESSIONS`: their own tokens of POST /session.
    """

    WATCHING = "watching"
    SHARING = "sharing"
    SESSIONS = "sessions"


KEPT = timedelta(days=40)
"""Longer than any signed URL is good, and any session can be renewed, with what clocks differ."""
_MOST = 2**40
"""What a generation is later than the one before, at most: which one comes is never known."""


@dataclass(frozen=True)
class Generations:
    """The present ones; 0: none of that kind was ended before."""

    watching: int = 0
    sharing: int = 0
    sessions: int = 0

    def accept(self, kind: Endable, given: int | str) -> bool:
        """Whether what bears a generation, and is not over by itself, was not ended."""
        present: int = getattr(self, kind.value)
        return present == 0 or str(present) == str(given)


def holder(key: bytes, identity: str) -> str:
    """Names somebody in a URL, opaquely. `key` is one of `signatures.media_keys`."""
    return hmac.new(key, identity.encode(), hashlib.sha256).hexdigest()[:16]


def holders(settings: Settings, instance: str, identity: str) -> list[str]:
    """How URLs name somebody, by each of the signing keys."""
    return [holder(key, identity) for key in signatures.media_keys(settings, instance)]


async def end(
    store: Store, settings: Settings, instance: str, identity: str, what: Iterable[Endable]
) -> None:
    """Ends what somebody was given up to now: everywhere within seconds."""
    ended, later = frozenset(what), 1 + secrets.randbelow(_MOST)
    await store.rows(Rights).update_one(
        {"_id": identity},
        {
            "$inc": {each.value: later if each in ended else 0 for each in Endable},
            "$set": {"ended_at": datetime.now(UTC)},
            "$addToSet": {"holders": {"$each": holders(settings, instance, identity)}},
        },
        upsert=True,
    )


async def of_identities(
    store: Store, settings: Settings, instance: str, identities: Collection[str]
) -> dict[str, Generations]:
    """The present generations of these people, to be told in URLs.

    Whose rights were ended under other keys is known, from then on, by how these name them, too.
    """
    found = store.rows(Rights).find({"_id": {"$in": sorted(identities)}})
    known = dict.fromkeys(identities, Generations())
    for row in await found.to_list(None):
        known[row["_id"]] = _generations(row)
        names = holders(settings, instance, row["_id"])
        if not set(names) <= set(row["holders"]):
            await store.rows(Rights).update_one(
                {"_id": row["_id"]}, {"$addToSet": {"holders": {"$each": names}}}
            )
    return known


async def of_holder(store: Store, named: str) -> Generations:
    """The present generations of the user whom a URL names."""
    row = await store.rows(Rights).find_one({"holders": named})
    return _generations(row) if row is not None else Generations()


@job("forget_rights", every=hours(1), timeout=seconds(90))
async def forget_rights(store: Store) -> None:
    """Deletes what tells of ends of which nothing is left that they have ended."""
    now = datetime.now(UTC)
    await store.rows(Rights).update_many({"ended_at": None}, {"$set": {"ended_at": now}})
    await store.rows(Rights).delete_many({"ended_at": before(now - KEPT)})


def _generations(row: RightsRow) -> Generations:
    return Generations(row["watching"], row["sharing"], row["sessions"])

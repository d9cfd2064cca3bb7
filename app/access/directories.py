"""Lists that administrators look through: a page at a time, in the order of names.

A page goes on after the name that the one before it ended with, so rows that come or go meanwhile
make none of the others be left out or told twice.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pymongo.asynchronous.collection import AsyncCollection

from app.access import communities, quota
from app.access.communities import DEFAULT, Rules
from app.access.permissions import Action
from app.access.quota import Quota
from app.access.tokens import Caller
from app.models import Row, RowOf
from app.models.schema import Community, Member, UserReplayQuota
from app.settings import Settings
from app.store import Store, first


@dataclass(frozen=True)
class Managed:
    """A community: its rules, how many of its slots are taken, how many members it has."""

    rules: Rules
    active: int
    members: int


async def managed(
    store: Store, settings: Settings, caller: Caller, *, limit: int, after: str | None
) -> tuple[list[Managed], str | None]:
    """The communities whose limits the caller may manage, and where the following ones begin.

    An instance's admin manages every one that has a row, and `default`.
    """
    names: Collection[str]
    if caller.instance_admin:
        names = await _named(store, limit, after)
    else:
        mine = await communities.all_memberships(store, caller.identity)
        names = [name for name, row in mine.items() if _manages(row)]
    beyond = sorted(name for name in names if after is None or name > after)
    wanted = beyond[:limit]
    if not wanted:
        return [], None
    rules = await communities.rules_of(store, settings, wanted)
    rows = await first(store.rows(Community).find({"_id": {"$in": wanted}}), len(wanted))
    active = {row["_id"]: len(row.get("slots", ())) for row in rows}
    members = await _counted(store, wanted)
    found = [Managed(rules[name], active.get(name, 0), members.get(name, 0)) for name in wanted]
    return found, wanted[-1] if len(beyond) > limit else None


async def members(
    store: Store, community: str, *, search: str | None, limit: int, after: str | None
) -> tuple[list[Row], str | None]:
    """Who has a row in a community, and where the following ones begin."""
    which = {"community": community} | _names("identity", search, after)
    return await _page(store.rows(Member), which, "identity", limit)


async def users(
    store: Store, settings: Settings, *, search: str | None, limit: int, after: str | None
) -> tuple[list[tuple[str, Quota]], str | None]:
    """Who has, or ever had, clips or a quota of their own, and where the following ones begin."""
    which = _names("_id", search, after)
    rows, following = await _page(store.rows(UserReplayQuota), which, "_id", limit, quota.NUMBERS)
    return [(row["_id"], quota.of_row(row, settings)) for row in rows], following


async def _named(store: Store, limit: int, after: str | None) -> set[str]:
    """The first communities after a name; one more than the limit if there are."""
    which = _names("_id", None, after)
    rows, _ = await _page(store.rows(Community), which, "_id", limit + 1, {"_id": 1})
    return {DEFAULT, *(row["_id"] for row in rows)}


def _manages(row: Row) -> bool:
    return Action.MANAGE_REPLAY_LIMITS in communities.actions_by("rbac", row)


async def _counted(store: Store, wanted: Sequence[str]) -> dict[str, int]:
    pipeline: list[Row] = [
        {"$match": {"community": {"$in": list(wanted)}}},
        {"$group": {"_id": "$community", "count": {"$sum": 1}}},
    ]
    counted = await store.rows(Member).aggregate(pipeline)
    return {row["_id"]: row["count"] async for row in counted}


def _names(field: str, search: str | None, after: str | None) -> Row:
    """Names that hold `search`, whatever its case, and come after another."""
    which: Row = {}
    if after is not None:
        which["$gt"] = after
    if search is not None:
        which |= {"$regex": re.escape(search), "$options": "i"}
    return {field: which} if which else {}


async def _page(
    collection: AsyncCollection[RowOf],
    which: Row,
    name: str,
    limit: int,
    fields: Row | None = None,
) -> tuple[list[RowOf], str | None]:
    rows = await first(collection.find(which, fields).sort(name, 1), limit + 1)
    return rows[:limit], rows[limit - 1][name] if len(rows) > limit else None

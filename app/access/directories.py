"""Lists that administrators look through: a page at a time, in the order of names."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pymongo.asynchronous.collection import AsyncCollection

from app.access import communities, policy, quota
from app.access.communities import DEFAULT, Rules
from app.access.quota import Quota
from app.access.tokens import Caller
from app.models import AccessMode, AssignedRoomRow, MemberRow, Row, RowOf, keyset
from app.models.keyset import Page
from app.models.schema import AssignedRoom, Community, Member, UserReplayQuota
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
) -> Page[Managed]:
    """The communities whose limits the caller may manage.

    An instance's admin manages every one that has a row, and `default`.
    """
    names: Collection[str]
    if policy.may_operate(caller):
        names = await _named(store, limit, after)
    else:
        mine = await communities.all_memberships(store, caller.identity)
        names = [name for name, row in mine.items() if _manages(caller, row)]
    beyond = sorted(name for name in names if after is None or name > after)
    page = keyset.cut(beyond, limit, str)
    if not page.items:
        return Page([], None)
    rules = await communities.rules_of(store, settings, page.items)
    found = store.rows(Community).find({"_id": {"$in": page.items}})
    active = {row["_id"]: len(row.get("slots", ())) async for row in found}
    members = await _counted(store, page.items)
    items = [Managed(rules[name], active.get(name, 0), members.get(name, 0)) for name in page.items]
    return Page(items, page.next)


async def members(
    store: Store, community: str, *, search: str | None, limit: int, after: str | None
) -> Page[MemberRow]:
    """Who has a row in a community."""
    which = {"community": community} | _names("identity", search, after)
    return await _page(store.rows(Member), which, "identity", limit)


async def rooms(
    store: Store, community: str, *, search: str | None, limit: int, after: str | None
) -> Page[AssignedRoomRow]:
    """The rooms that are assigned to a community."""
    which = {"community": community} | _names("_id", search, after)
    return await _page(store.rows(AssignedRoom), which, "_id", limit)


async def users(
    store: Store, settings: Settings, *, search: str | None, limit: int, after: str | None
) -> Page[tuple[str, Quota]]:
    """Who has, or ever had, clips or a quota of their own."""
    which = _names("_id", search, after)
    page = await _page(store.rows(UserReplayQuota), which, "_id", limit, quota.NUMBERS)
    return Page([(row["_id"], quota.of_row(row, settings)) for row in page.items], page.next)


async def _named(store: Store, limit: int, after: str | None) -> set[str]:
    """The first communities after a name; one more than the limit if there are."""
    which = _names("_id", None, after)
    page = await _page(store.rows(Community), which, "_id", limit + 1, {"_id": 1})
    return {DEFAULT, *(row["_id"] for row in page.items)}


def _manages(caller: Caller, row: MemberRow) -> bool:
    return policy.may_manage(caller, communities.actions_by(AccessMode.RBAC, row))


async def _counted(store: Store, wanted: Sequence[str]) -> dict[str, int]:
    pipeline: list[Row] = [
        {"$match": {"community": {"$in": list(wanted)}}},
        {"$group": {"_id": "$community", "count": {"$sum": 1}}},
    ]
    return {row["_id"]: row["count"] for row in await store.summed(Member, pipeline)}


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
) -> Page[RowOf]:
    rows = await first(collection.find(which, fields).sort(name, 1), limit + 1)
    return keyset.cut(rows, limit, lambda row: str(row[name]))

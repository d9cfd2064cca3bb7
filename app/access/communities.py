"""Communities: their rules and their members. What is recorded at once: see `slots`."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

import structlog

from app import metrics
from app.access.permissions import allowed
from app.errors import ReplayError
from app.models import Action, CapturePolicy, CommunityRow, MemberRow, Role, Row
from app.models.metric_words import ErrorKind
from app.models.schema import Community, Member
from app.settings import Settings, ceilings
from app.store import Store

log = structlog.get_logger()

DEFAULT = "default"
_FALLING_BACK = (
    "max_concurrent",
    "max_concurrent_per_user",
    "access",
    "capture_policy",
    "sharer_rights",
    "retention_minutes",
)
"""What a community may leave to the instance's settings, where it has the same name."""
_BUT_SLOTS = {"slots": 0, "sharers": 0}
AT_MOST = 500
"""Communities of one person that a list looks at."""


class LastAdmin(ReplayError):
    slug, status, title = "last-admin", 409, "A community needs an admin"


@dataclass(frozen=True)
class Rules:
    """The rules in force in a community: its own, or else the instance's settings.

    `title` is what people are shown of it, `own` names those of the last six that are its own.
    """

    community: str
    title: str
    enabled: bool
    max_concurrent: int
    max_concurrent_per_user: int
    access: str
    capture_policy: str
    sharer_rights: str
    retention_minutes: float
    own: tuple[str, ...]


async def rules(store: Store, settings: Settings, community: str) -> Rules:
    """The rules of a community; one that nobody has configured has the instance's."""
    row = await store.rows(Community).find_one({"_id": community}, _BUT_SLOTS)
    return rules_by(settings, community, row)


_NOBODYS: CommunityRow = {"_id": "", "enabled": True, "slots": [], "sharers": {}}
"""Of a community that nobody has made."""


async def rules_of(store: Store, settings: Settings, wanted: Collection[str]) -> dict[str, Rules]:
    """The rules of several communities."""
    found = store.rows(Community).find({"_id": {"$in": sorted(wanted)}}, _BUT_SLOTS)
    rows = {row["_id"]: row for row in await found.to_list()}
    return {each: rules_by(settings, each, rows.get(each)) for each in wanted}


def rules_by(settings: Settings, community: str, row: CommunityRow | None) -> Rules:
    """The rules of a community by its row, None where it has none."""
    given: CommunityRow = row or _NOBODYS | {"_id": community}

    def own(name: str) -> object:
        value = given.get(name)
        return getattr(settings, name) if value is None else value

    limit = partial(ceilings.in_force, settings)
    return Rules(
        community=community,
        title=given.get("title") or community,
        enabled=given.get("enabled", True),
        max_concurrent=int(limit("max_concurrent", given.get("max_concurrent"))),
        max_concurrent_per_user=int(
            limit("max_concurrent_per_user", given.get("max_concurrent_per_user"))
        ),
        access=str(own("access")),
        capture_policy=str(own("capture_policy")),
        sharer_rights=str(own("sharer_rights")),
        retention_minutes=limit("retention_minutes", given.get("retention_minutes")),
        own=tuple(name for name in _FALLING_BACK if given.get(name) is not None),
    )


async def opened_to_rooms(store: Store, settings: Settings) -> Row | None:
    """What fulfil communities whose CAPTURE_POLICY is `room`: a condition on a name.

    None if there are none. It costs the rows of those whose own rule differs from the instance's.
    """
    is_rule = settings.capture_policy == CapturePolicy.ROOM
    others = [each for each in CapturePolicy if (each == CapturePolicy.ROOM) != is_rule]
    found = store.rows(Community).find({"capture_policy": {"$in": others}}, {"_id": 1})
    names = sorted([row["_id"] async for row in found])
    if is_rule:
        return {"$nin": names}
    return {"$in": names} if names else None


async def exists(store: Store, community: str) -> bool:
    """Whether an admin of the instance has made the community, by rules or by a member.

    `default` is always there.
    """
    if community == DEFAULT or await store.rows(Community).find_one({"_id": community}, {"_id": 1}):
        return True
    return await store.rows(Member).find_one({"community": community}, {"_id": 1}) is not None


async def made(store: Store, claimed: str, **claims: str) -> str:
    """The community that somebody claims, if there is one; otherwise `default`, which is told.

    `claims`: who claims it, for the log.
    """
    if await exists(store, claimed):
        return claimed
    metrics.ERRORS.labels(ErrorKind.COMMUNITY_UNKNOWN).inc()
    log.warning("community_unknown", **claims, community=claimed)
    return DEFAULT


async def configure(store: Store, community: str, change: Row) -> None:
    """Changes a community's own rules. `change` holds fields of `Community`, None to fall back."""
    await store.create(Community(id=community))
    await store.rows(Community).update_one({"_id": community}, {"$set": change})


async def member(store: Store, community: str, identity: str) -> MemberRow | None:
    """Somebody's row in a community."""
    return await store.rows(Member).find_one({"_id": _member_id(community, identity)})


async def memberships(store: Store, identity: str, wanted: Collection[str]) -> dict[str, MemberRow]:
    """Somebody's rows in several communities; those without one are left out."""
    ids = {_member_id(community, identity): community for community in wanted}
    rows = await store.rows(Member).find({"_id": {"$in": sorted(ids)}}).to_list()
    return {ids[row["_id"]]: row for row in rows}


async def all_memberships(store: Store, identity: str) -> dict[str, MemberRow]:
    """Somebody's rows in all communities, at most AT_MOST."""
    rows = await store.rows(Member).find({"identity": identity}).to_list(AT_MOST)
    return {row["community"]: row for row in rows}


async def set_member(
    store: Store, community: str, identity: str, role: str, grants: list[str]
) -> None:
    """Gives somebody a role and single grants, in place of those they had. Raises LastAdmin."""
    made = Member(
        id=_member_id(community, identity),
        community=community,
        identity=identity,
        role=Role(role),
        grants=grants,
    )
    while True:
        row = await member(store, community, identity)
        if row is None:
            if await store.create(made):
                return
            continue
        if role != Role.ADMIN:
            row = await _replaceable(store, row)
        given = {"role": role, "grants": grants, "leaves": None}
        if row is not None and await store.take(Member, row, given):
            return


async def remove_member(store: Store, community: str, identity: str) -> None:
    """Takes somebody's role and grants away, if they have any. Raises LastAdmin."""
    while row := await member(store, community, identity):
        if (found := await _replaceable(store, row)) is None:
            continue
        same = {"_id": found["_id"], "role": found["role"], "leaves": found["leaves"]}
        if (await store.rows(Member).delete_one(same)).deleted_count:
            return


async def _replaceable(store: Store, row: MemberRow) -> MemberRow | None:
    """The row of somebody who may cease to be an admin; None if it was changed since it was read.

    An admin's row says first that they leave, and then the others are looked for: of several who
    leave at the same moment, none counts on another. Raises LastAdmin if there are no others.
    """
    if row["role"] != Role.ADMIN:
        return row
    leaving = await store.take(Member, row, {"leaves": secrets.token_hex(8)})
    if leaving is None:
        return None
    others = {"community": row["community"], "role": Role.ADMIN, "leaves": None}
    if await store.rows(Member).find_one(others) is None:
        await store.take(Member, leaving, {"leaves": None})
        raise LastAdmin(
            f"{row['identity']!r} is the last admin of {row['community']!r}: make somebody else "
            "an admin first"
        )
    return leaving


async def actions(store: Store, of: Rules, identity: str) -> frozenset[Action]:
    """What somebody may do in a community, by rows alone: tokens are the caller's business."""
    return actions_by(of.access, await member(store, of.community, identity))


def actions_by(access: str, row: MemberRow | None) -> frozenset[Action]:
    """What somebody with this row, or without any, may do under an access mode."""
    return allowed(access, row["role"] if row else Role.MEMBER, row["grants"] if row else ())


def _member_id(community: str, identity: str) -> str:
    text = f"{len(community)}:{community}{identity}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]

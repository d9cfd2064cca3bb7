"""The slots of communities, which limit how many shares are recorded at once: of all, of one user.

A slot is taken by one update that compares and adds: exact however many shares begin at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.access.communities import Rules
from app.models import CommunityRow, Row, Why
from app.models.schema import Community
from app.store import Change, KeyTaken, Store

_TRIES = 10
"""Of taking a slot that is free whenever it is looked at, and taken whenever it is wanted."""


@dataclass(frozen=True)
class HeldSlots:
    """The buffers that hold a community's slots: all, and by `sharer`."""

    buffers: frozenset[str]
    sharers: Mapping[str, Sequence[str]]

    def refusal(self, of: Rules, identity: str) -> Why | None:
        """Why somebody can't have another one; None: they can. Their own limit comes first."""
        if len(self.sharers.get(sharer(identity), ())) >= of.max_concurrent_per_user:
            return Why.USER_LIMIT
        return Why.LIMIT if len(self.buffers) >= of.max_concurrent else None


def held(row: CommunityRow | None) -> HeldSlots:
    """Who holds the slots of a community, as its row says."""
    return HeldSlots(frozenset(row["slots"]), row["sharers"]) if row else HeldSlots(frozenset(), {})


def sharer(identity: str) -> str:
    """How somebody is named in `sharers`: field names can't hold every character."""
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def taking(of: Rules, buffer_id: str, identity: str) -> Change:
    """The change that takes a slot for a buffer of somebody's.

    It fails, by KeyTaken, where a limit is reached, or where the buffer has its slot already.
    """
    theirs = f"sharers.{sharer(identity)}"
    free = {
        "_id": of.community,
        "slots": {"$ne": buffer_id},
        f"slots.{of.max_concurrent - 1}": {"$exists": False},
        f"{theirs}.{of.max_concurrent_per_user - 1}": {"$exists": False},
    }
    made = Community(id=of.community).model_dump_doc()
    for name in ("_id", "slots", "sharers"):
        del made[name]
    both = {"slots": buffer_id, theirs: buffer_id}
    return Change(Community, {"$push": both, "$setOnInsert": made}, free, or_new=True)


async def take(store: Store, of: Rules, buffer_id: str, identity: str) -> Why | None:
    """Takes a slot for a buffer of somebody's: None. Otherwise which limit keeps it from them.

    Who has the slot already keeps it.
    """
    for _ in range(_TRIES):
        if of.max_concurrent:
            try:
                await store.write(taking(of, buffer_id, identity))
            except KeyTaken:
                pass
            else:
                return None
        only = {"slots": 1, "sharers": 1}
        taken = held(await store.rows(Community).find_one({"_id": of.community}, only))
        if buffer_id in taken.buffers:
            return None
        if (refusal := taken.refusal(of, identity)) is not None:
            return refusal
        # Neither keeps it any more: one ended just now.
    return Why.LIMIT


def freeing(of: Rules, row: CommunityRow, buffer_id: str) -> list[Change]:
    """The changes that give a buffer's slot back, once, however often they are made."""
    holds: Row = {"_id": of.community, "slots": buffer_id}
    theirs = [f"sharers.{who}" for who, theirs in row["sharers"].items() if buffer_id in theirs]
    given_back = {"$pull": dict.fromkeys(["slots", *theirs], buffer_id)}
    last = [f"slots.{of.max_concurrent - 1}"]
    last += [f"{each}.{of.max_concurrent_per_user - 1}" for each in theirs]
    full = [holds | {each: {"$exists": True}} for each in last]
    empty = [(each, {"_id": of.community, each: []}) for each in theirs]
    return [  # the first half of them finds a row with no slot left
        *(Change(Community, given_back, each) for each in [*full, holds]),
        *(Change(Community, {"$unset": {each: ""}}, which) for each, which in empty),
    ]


def was_the_last(freed: Sequence[bool]) -> bool:
    """Whether somebody may wait for the slot: what became of the changes of `freeing` tells."""
    return any(freed[: len(freed) // 2])

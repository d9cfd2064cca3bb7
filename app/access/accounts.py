"""Finds where users' quota rows differ from the clips there are, and corrects them.

A row is corrected in one update, and only if it is still as it was when it was looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from app.access import quota
from app.models import Row
from app.models.schema import UserReplayQuota
from app.store import Store

_FIELDS = ("charges", "reservations", "used_bytes", "held_bytes")
_EMPTY: Row = {"charges": {}, "reservations": {}, "used_bytes": 0, "held_bytes": 0}

Sizes = Mapping[str, int]
"""By clip id: bytes."""


@dataclass(frozen=True)
class Correction:
    """A user's row as it is, and as it should be: the fields of _FIELDS."""

    identity: str
    found: Row
    right: Row

    @property
    def drift_bytes(self) -> int:
        """By how much too much was counted as used; negative: too little."""
        return int(self.found["used_bytes"] - self.right["used_bytes"])


async def compare(
    store: Store, clips: Mapping[str, Sizes], unfinished: Collection[str]
) -> dict[str, Correction]:
    """What has to be corrected, by identity.

    `clips`: each owner's clips. `unfinished`: clips on their way, whose entries are left alone.
    """
    rows = {row["_id"]: row async for row in store.rows(UserReplayQuota).find({})}
    corrections: dict[str, Correction] = {}
    for identity in rows.keys() | clips.keys():
        found = {field: rows.get(identity, _EMPTY)[field] for field in _FIELDS}
        right = corrected(found, clips.get(identity, {}), unfinished)
        if right != found:
            corrections[identity] = Correction(identity, found, right)
    return corrections


def corrected(found: Row, clips: Sizes, unfinished: Collection[str]) -> Row:
    """The fields of a row as they should be, given the clips that the user has."""
    on_their_way = {
        field: {clip: size for clip, size in found[field].items() if clip in unfinished}
        for field in ("charges", "reservations")
    }
    moving = on_their_way["charges"].keys() | on_their_way["reservations"].keys()
    kept = {clip: size for clip, size in clips.items() if clip not in moving}
    charges = on_their_way["charges"] | kept
    used = sum(charges.values())
    return {
        "charges": charges,
        "reservations": on_their_way["reservations"],
        "used_bytes": used,
        "held_bytes": used + sum(on_their_way["reservations"].values()),
    }


async def correct(store: Store, correction: Correction) -> bool:
    """Corrects a row. False if it has changed meanwhile: then it is looked at again another day."""
    await quota.ensure(store, correction.identity)
    changed = await store.rows(UserReplayQuota).update_one(
        {"_id": correction.identity} | correction.found, {"$set": correction.right}
    )
    return bool(changed.modified_count)

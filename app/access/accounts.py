"""Finds where users' quota rows differ from the clips there are, and corrects them.

A row is corrected in one update, and only if it is still as it was when it was looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from app.models import QuotaEntries, QuotaRow
from app.models.schema import UserReplayQuota
from app.store import Store
from app.work import rounds

Sizes = Mapping[str, int]
"""By clip id: bytes."""


@dataclass(frozen=True)
class Correction:
    """A user's entries as they are, and as they should be."""

    identity: str
    found: QuotaEntries
    right: QuotaEntries

    @property
    def drift_bytes(self) -> int:
        """By how much too much was counted as used; negative: too little."""
        return int(self.found["used_bytes"] - self.right["used_bytes"])

    @property
    def is_drift(self) -> bool:
        """Whether anything was wrong; not, if there are only turns of clips that are gone."""
        return self.found | {"turns": {}} != self.right | {"turns": {}}


async def compare(
    store: Store, clips: Mapping[str, Sizes], moving: Collection[str]
) -> dict[str, Correction]:
    """What has to be corrected, by identity.

    `clips`: each owner's clips. `moving`: clips that come or go, whose entries are left alone.
    """
    rows = {row["_id"]: row async for row in store.rows(UserReplayQuota).find({})}
    corrections: dict[str, Correction] = {}
    for identity in rows.keys() | clips.keys():
        with rounds.item(identity=identity):
            found = _entries(rows.get(identity))
            right = corrected(found, clips.get(identity, {}), moving)
            if right != found:
                corrections[identity] = Correction(identity, found, right)
    return corrections


def _entries(row: QuotaRow | None) -> QuotaEntries:
    if row is None:
        return {"charges": {}, "reservations": {}, "turns": {}, "used_bytes": 0, "held_bytes": 0}
    return {
        "charges": row["charges"],
        "reservations": row["reservations"],
        "turns": row["turns"],
        "used_bytes": row["used_bytes"],
        "held_bytes": row["held_bytes"],
    }


def corrected(found: QuotaEntries, clips: Sizes, moving: Collection[str]) -> QuotaEntries:
    """A user's entries as they should be, given the clips that the user has."""

    def of_moving(entries: Mapping[str, int]) -> dict[str, int]:
        return {clip: value for clip, value in entries.items() if clip in moving}

    charges, reservations = of_moving(found["charges"]), of_moving(found["reservations"])
    held = charges.keys() | reservations.keys()
    charges |= {clip: size for clip, size in clips.items() if clip not in held}
    of_clips = {clip: turn for clip, turn in found["turns"].items() if clip in clips}
    used = sum(charges.values())
    return {
        "charges": charges,
        "reservations": reservations,
        "turns": of_moving(found["turns"]) | of_clips,
        "used_bytes": used,
        "held_bytes": used + sum(reservations.values()),
    }


async def correct(store: Store, correction: Correction) -> bool:
    """Corrects a row. False if it has changed meanwhile: then it is looked at again another day."""
    await store.create(UserReplayQuota(id=correction.identity))
    changed = await store.rows(UserReplayQuota).update_one(
        {"_id": correction.identity} | correction.found, {"$set": correction.right}
    )
    return bool(changed.modified_count)

"""Quotas: how many bytes a user's clips may take.

A capture reserves an estimate, its clip settles it to the real size, and whatever ends either of
them gives the bytes back. Each is one atomic update of the user's row, guarded by the clip's own
entry in that row: asked for again, by a retry or after a crash, it changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pymongo.errors import DuplicateKeyError

from app.errors import QuotaExceeded
from app.models import QuotaRow
from app.models.schema import UserReplayQuota
from app.settings import Settings
from app.store import Store


@dataclass(frozen=True)
class Quota:
    """A user's numbers, in bytes: what is allowed, what clips take, what captures hold."""

    quota_bytes: int
    used_bytes: int
    reserved_bytes: int

    @property
    def free_bytes(self) -> int:
        return self.quota_bytes - self.used_bytes - self.reserved_bytes


NUMBERS = {"quota_bytes": 1, "used_bytes": 1, "held_bytes": 1}
"""The fields of a user's row that its numbers are made of."""


async def read(store: Store, settings: Settings, identity: str) -> Quota:
    """The numbers of a user; of one without any clip too."""
    row = await store.rows(UserReplayQuota).find_one({"_id": identity}, NUMBERS)
    return of_row(row, settings)


async def set_limit(store: Store, identity: str, quota_bytes: int | None) -> None:
    """Gives a user a quota of their own; None: QUOTA_BYTES again. Below use nothing is deleted."""
    await ensure(store, identity)
    await store.rows(UserReplayQuota).update_one(
        {"_id": identity}, {"$set": {"quota_bytes": quota_bytes}}
    )


async def reserve(
    store: Store, settings: Settings, identity: str, clip_id: str, size_bytes: int
) -> None:
    """Holds `size_bytes` for a clip that is about to be made.

    Raises QuotaExceeded, with the numbers, if that is more than what is left.
    """
    await _take(store, settings, identity, clip_id, size_bytes, "reservations")


async def charge(
    store: Store, settings: Settings, identity: str, clip_id: str, size_bytes: int
) -> None:
    """Charges a clip that had been given back.

    Raises QuotaExceeded, with the numbers, if it is more than what is left.
    """
    await _take(store, settings, identity, clip_id, size_bytes, "charges")


async def settle(store: Store, identity: str, clip_id: str, size_bytes: int) -> None:
    """Turns a clip's reservation into a charge of its real size, which may be above the quota."""
    rows = store.rows(UserReplayQuota)
    reservation = f"reservations.{clip_id}"
    while True:
        row = await rows.find_one({"_id": identity}, {reservation: 1})
        reserved = row.get("reservations", {}).get(clip_id) if row else None
        if reserved is None:
            return
        changed = await rows.update_one(
            {"_id": identity, reservation: reserved},
            {
                "$unset": {reservation: ""},
                "$set": {f"charges.{clip_id}": size_bytes},
                "$inc": {"used_bytes": size_bytes, "held_bytes": size_bytes - reserved},
            },
        )
        if changed.modified_count:
            return


async def give_back(store: Store, identity: str, clip_id: str) -> None:
    """Frees what a clip, or the capture that was to make it, holds; nothing if it holds nothing."""
    rows = store.rows(UserReplayQuota)
    reservation, charged = f"reservations.{clip_id}", f"charges.{clip_id}"
    while True:
        row = await rows.find_one({"_id": identity}, {reservation: 1, charged: 1})
        if row is None:
            return
        held = row.get("reservations", {}).get(clip_id)
        used = row.get("charges", {}).get(clip_id)
        if held is not None:
            entry, size_bytes, freed = reservation, held, {"held_bytes": -held}
        elif used is not None:
            entry, size_bytes, freed = charged, used, {"held_bytes": -used, "used_bytes": -used}
        else:
            return
        changed = await rows.update_one(
            {"_id": identity, entry: size_bytes}, {"$unset": {entry: ""}, "$inc": freed}
        )
        if changed.modified_count:
            return


async def _take(
    store: Store,
    settings: Settings,
    identity: str,
    clip_id: str,
    size_bytes: int,
    kind: Literal["reservations", "charges"],
) -> None:
    """Enters the bytes of a clip, and adds them to the sums that have this kind, once."""
    sums = ("held_bytes",) if kind == "reservations" else ("held_bytes", "used_bytes")
    update = {"$set": {f"{kind}.{clip_id}": size_bytes}, "$inc": dict.fromkeys(sums, size_bytes)}
    rows = store.rows(UserReplayQuota)
    reservation, charged = f"reservations.{clip_id}", f"charges.{clip_id}"
    while True:
        row = await rows.find_one({"_id": identity}, NUMBERS | {reservation: 1, charged: 1})
        if row is None:
            await ensure(store, identity)
            continue
        if clip_id in row.get("reservations", {}) or clip_id in row.get("charges", {}):
            return
        quota = of_row(row, settings)
        if size_bytes > quota.free_bytes:
            raise QuotaExceeded(
                f"the clip needs about {size_bytes} bytes and {max(0, quota.free_bytes)} of the "
                f"quota of {quota.quota_bytes} are free: delete clips, or ask for a shorter window",
                quota_bytes=quota.quota_bytes,
                used_bytes=quota.used_bytes,
                reserved_bytes=quota.reserved_bytes,
                needed_bytes=size_bytes,
            )
        # The limit, the sum and the entry are compared in the update itself: of many that fight
        # over the last bytes, each sees what the ones before it took.
        changed = await rows.update_one(
            {
                "_id": identity,
                "quota_bytes": row.get("quota_bytes"),
                "held_bytes": {"$lte": quota.quota_bytes - size_bytes},
                reservation: {"$exists": False},
                charged: {"$exists": False},
            },
            update,
        )
        if changed.modified_count:
            return


async def ensure(store: Store, identity: str) -> None:
    """Makes the user's row, if there is none."""
    fields = UserReplayQuota(id=identity).model_dump_doc()
    del fields["_id"]
    try:
        await store.rows(UserReplayQuota).update_one(
            {"_id": identity}, {"$setOnInsert": fields}, upsert=True
        )
    except DuplicateKeyError:
        return  # somebody else made it at the same moment


def of_row(row: QuotaRow | None, settings: Settings) -> Quota:
    """The numbers in a user's row, of which NUMBERS will do; None: in that of one without any."""
    if row is None:
        return Quota(settings.quota_bytes, 0, 0)
    own, used = row["quota_bytes"], row["used_bytes"]
    return Quota(
        quota_bytes=settings.quota_bytes if own is None else own,
        used_bytes=used,
        reserved_bytes=row["held_bytes"] - used,
    )

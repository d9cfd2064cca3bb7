"""Quotas: how many bytes a user's clips may take.

A capture reserves an estimate, its clip settles it to the real size, and whatever ends either of
them gives the bytes back. Each is one atomic update of the user's row, guarded by the clip's own
entries in that row: asked for again, by a retry or after a crash, it changes nothing.

A clip can be deleted and restored again and again, by several at once. Its row counts these changes
(`ReplayClip.turn`), and the newest turn that is told here holds: who comes late changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import NamedTuple

from app.access import clips_total
from app.errors import QuotaExceeded
from app.models import QuotaRow, Row
from app.models.schema import UserReplayQuota
from app.settings import Settings
from app.store import Store


@dataclass(frozen=True)
class Quota:
    """A user's numbers, in bytes: what is allowed, what clips take, what captures hold.

    `own`: what is allowed was set for them alone, else it is QUOTA_BYTES.
    """

    quota_bytes: int
    used_bytes: int
    reserved_bytes: int
    own: bool

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
    await store.create(UserReplayQuota(id=identity))
    await store.rows(UserReplayQuota).update_one(
        {"_id": identity}, {"$set": {"quota_bytes": quota_bytes}}
    )


class _Entries(NamedTuple):
    """What a user's row has of one clip, by the field that it stands in; None: no entry."""

    reservations: int | None = None
    charges: int | None = None
    turns: int | None = None

    @property
    def held_bytes(self) -> int:
        return (self.reservations or 0) + (self.charges or 0)


_NONE = _Entries()


async def reserve(
    store: Store, settings: Settings, identity: str, clip_id: str, size_bytes: int
) -> None:
    """Holds `size_bytes` for a clip that is about to be made; nothing if that has been barred.

    Raises QuotaExceeded, with the numbers, if that is more than what is left.
    """
    reserved = _Entries(reservations=size_bytes)
    await _change(
        store, identity, clip_id, lambda was: reserved if was == _NONE else was, limit=settings
    )


async def hold_more(
    store: Store, settings: Settings, identity: str, clip_id: str, size_bytes: int
) -> None:
    """Has a clip's reservation hold at least `size_bytes`, where it has one.

    Raises QuotaExceeded, with the numbers, if what that is more is more than what is left.
    """

    def held(was: _Entries) -> _Entries:
        if was.reservations is None or was.reservations >= size_bytes:
            return was
        return was._replace(reservations=size_bytes)

    await _change(store, identity, clip_id, held, limit=settings)


async def settle(store: Store, identity: str, clip_id: str, size_bytes: int) -> None:
    """Turns a clip's reservation into a charge of its real size, which may be above the quota."""

    def settled(was: _Entries) -> _Entries:
        if was.reservations is None:
            return was
        return _Entries(charges=size_bytes, turns=was.turns)

    await _change(store, identity, clip_id, settled)


async def charge(
    store: Store, settings: Settings, identity: str, clip_id: str, size_bytes: int, turn: int
) -> bool:
    """Charges a clip that is about to be shown again, with its `turn` from then on.

    False, and nothing has changed, if a later turn is known or none at all: then the clip has been
    changed or removed meanwhile. Raises QuotaExceeded, with the numbers, if it is more than what is
    left.
    """
    charged = _Entries(charges=size_bytes, turns=turn)

    def shown(was: _Entries) -> _Entries:
        return charged if was != _NONE and (was.turns or 0) < turn else was

    return await _change(store, identity, clip_id, shown, limit=settings) == charged


async def free(store: Store, identity: str, clip_id: str, turn: int) -> None:
    """Frees what a clip takes that is deleted, with its `turn` since then.

    Nothing changes if a later turn is known, or none at all.
    """

    def hidden(was: _Entries) -> _Entries:
        return _Entries(turns=turn) if was != _NONE and (was.turns or 0) < turn else was

    await _change(store, identity, clip_id, hidden)


async def bar(store: Store, identity: str, clip_id: str) -> None:
    """Frees what the capture holds that was to make a clip, and bars any later reservation.

    The process that accepts that capture may have been held up, and not know yet that it is over.
    Once it does it gives back, and nothing of the clip is left here; where it was killed, that is
    what the daily check finds.
    """
    await _change(store, identity, clip_id, lambda was: _Entries(turns=was.turns or 1))


async def give_back(store: Store, identity: str, clip_id: str) -> None:
    """Frees whatever a clip holds that is gone for good, and forgets it."""
    await _change(store, identity, clip_id, lambda _: _NONE)


async def charged(store: Store, identity: str, clip_ids: Collection[str]) -> set[str]:
    """Which of these clips take bytes of the quota now."""
    fields = {f"charges.{each}": 1 for each in clip_ids}
    row = await store.rows(UserReplayQuota).find_one({"_id": identity}, fields)
    return set() if row is None else {*clip_ids} & row.get("charges", {}).keys()


async def _change(
    store: Store,
    identity: str,
    clip_id: str,
    decide: Callable[[_Entries], _Entries],
    *,
    limit: Settings | None = None,
) -> _Entries:
    """Changes the entries of a clip to what `decide` makes of them, and the sums with them.

    The entries as they are then. With a `limit` the sum of all never grows above the quota, nor
    that of all users above CLIPS_BYTES, as far as `clips_total` knows it: raises QuotaExceeded.
    """
    rows = store.rows(UserReplayQuota)
    fields = {name: f"{name}.{clip_id}" for name in _Entries._fields}
    while True:
        row = await rows.find_one({"_id": identity}, NUMBERS | dict.fromkeys(fields.values(), 1))
        if row is None:
            if decide(_NONE) == _NONE:
                return _NONE
            await store.create(UserReplayQuota(id=identity))
            continue
        was = _Entries(*(_given(row, name).get(clip_id) for name in fields))
        will = decide(was)
        if will == was:
            return was
        same: Row = {"_id": identity}
        for name, field in fields.items():
            value = getattr(was, name)
            same[field] = {"$exists": False} if value is None else value
        grows_bytes = will.held_bytes - was.held_bytes
        if limit is not None and grows_bytes > 0:
            # The limit and the sum are compared in the update itself: of many that fight over the
            # last bytes, each sees what the ones before it took.
            most_bytes = _checked(of_row(row, limit), grows_bytes)
            await _check_total(store, limit, of_row(row, limit), grows_bytes)
            same |= {"quota_bytes": row["quota_bytes"], "held_bytes": {"$lte": most_bytes}}
        if (await rows.update_one(same, _update(fields, was, will))).modified_count:
            clips_total.note(store, grows_bytes)
            return will


async def _check_total(store: Store, limit: Settings, own: Quota, size_bytes: int) -> None:
    """Raises QuotaExceeded, with a user's own numbers, if all would take more than CLIPS_BYTES."""
    most_bytes = limit.clips_bytes
    if most_bytes and not await clips_total.has_room(store, size_bytes, most_bytes):
        raise QuotaExceeded(
            f"the clip needs about {size_bytes} bytes, and the clips of all take what CLIPS_BYTES "
            "allows: delete clips, or ask an admin of the instance",
            quota_bytes=own.quota_bytes,
            used_bytes=own.used_bytes,
            reserved_bytes=own.reserved_bytes,
            needed_bytes=size_bytes,
        )


def _given(row: QuotaRow, name: str) -> dict[str, int]:
    """The entries of a kind; none where the projection has left nothing of them."""
    given: dict[str, int] = {**row}.get(name, {})  # type: ignore[assignment]
    return given


def _checked(quota: Quota, size_bytes: int) -> int:
    """What may be held already, so that `size_bytes` more fit. Raises QuotaExceeded."""
    if size_bytes > quota.free_bytes:
        held = (
            f" (captures that are being made hold {quota.reserved_bytes} bytes)"
            if quota.reserved_bytes
            else ""
        )
        raise QuotaExceeded(
            f"the clip needs about {size_bytes} bytes and {max(0, quota.free_bytes)} of the quota "
            f"of {quota.quota_bytes} are free{held}: delete clips, or ask for a shorter window",
            quota_bytes=quota.quota_bytes,
            used_bytes=quota.used_bytes,
            reserved_bytes=quota.reserved_bytes,
            needed_bytes=size_bytes,
        )
    return quota.quota_bytes - size_bytes


def _update(fields: dict[str, str], was: _Entries, will: _Entries) -> Row:
    """The update that makes some entries others, and adds the difference to the sums."""
    setting: Row = {}
    unsetting: Row = {}
    for name, field in fields.items():
        value = getattr(will, name)
        if value is not None:
            setting[field] = value
        elif getattr(was, name) is not None:
            unsetting[field] = ""
    sums = {
        "held_bytes": will.held_bytes - was.held_bytes,
        "used_bytes": (will.charges or 0) - (was.charges or 0),
    }
    update = {"$set": setting, "$unset": unsetting, "$inc": sums}
    return {operator: what for operator, what in update.items() if what}


def of_row(row: QuotaRow | None, settings: Settings) -> Quota:
    """The numbers in a user's row, of which NUMBERS will do; None: in that of one without any."""
    if row is None:
        return Quota(settings.quota_bytes, 0, 0, own=False)
    own, used = row["quota_bytes"], row["used_bytes"]
    return Quota(
        quota_bytes=settings.quota_bytes if own is None else own,
        used_bytes=used,
        reserved_bytes=row["held_bytes"] - used,
        own=own is not None,
    )

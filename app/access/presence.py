"""Who was in which room, and when: read from the facts about participants."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from pymongo import DESCENDING

from app.models import ParticipantRow
from app.models.intervals import Interval
from app.models.schema import Participant, Room
from app.store import FAR, Store

NEWEST = 500
"""Connections of one person that a list looks back on."""
_FIELDS = {"room_sid": 1, "joined_at": 1, "left_at": 1, "unlisted_at": 1}


@dataclass(frozen=True, slots=True)
class Stay:
    """One connection of somebody to a room: from `joined_at` on, until `left_at` (None: still)."""

    room_sid: str
    joined_at: datetime
    left_at: datetime | None

    @property
    def interval(self) -> Interval:
        """The time that it takes; one that goes on has no end yet."""
        return self.joined_at, FAR if self.left_at is None else self.left_at


async def stays(store: Store, identity: str, room_sids: Collection[str]) -> list[Stay]:
    """Somebody's connections to these rooms, the newest ones if there are very many."""
    which = {"identity": identity, "room_sid": {"$in": sorted(room_sids)}}
    rows = store.rows(Participant).find(which, _FIELDS)
    newest = await rows.sort("joined_at", DESCENDING).limit(NEWEST).to_list(NEWEST)
    return [stay for row in newest if (stay := _stay(row)) is not None]


async def rooms_of(store: Store, identity: str, room: str | None) -> list[str]:
    """The sids of the rooms that somebody is or was in, of one name if that is given."""
    which = {"identity": identity} | ({} if room is None else {"room": room})
    rows = store.rows(Participant).find(which, {"room_sid": 1})
    newest = await rows.sort("joined_at", DESCENDING).limit(NEWEST).to_list(NEWEST)
    return sorted({row["room_sid"] for row in newest})


async def live_sid(store: Store, room: str) -> str | None:
    """The sid of the room that bears a name now.

    None if there is none, or if the end of an earlier one is not known yet: which one is the live
    one is then open, and nobody is to be taken for the admin of the wrong one.
    """
    rows = store.rows(Room).find({"name": room, "finished_at": None}, {"_id": 1}).limit(2)
    live = [row["_id"] for row in await rows.to_list(2)]
    return live[0] if len(live) == 1 else None


def _stay(row: ParticipantRow) -> Stay | None:
    left_at = row["left_at"] or row["unlisted_at"]
    # Where nobody told of the beginning, only the end is known to lie within it.
    joined_at = row["joined_at"] or left_at
    return Stay(row["room_sid"], joined_at, left_at) if joined_at is not None else None

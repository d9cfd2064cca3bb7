"""Who was in which room, and when: read from the facts about participants.

Anybody who has a token can leave and come again as often as they like, and each time is a row. So
of one's connections to a room only the newest are kept.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from pymongo import DESCENDING

from app.access.tokens import Caller
from app.models import ParticipantRow
from app.models.instants import EPOCH, FAR
from app.models.intervals import Interval
from app.models.schema import Participant, Room, Track
from app.store import Store, chunks

NEWEST = 500
"""Connections of one person that a list looks back on."""
_ROOMS_AT_ONCE = 20
KEPT = 200
"""Connections of one person to one room. Earlier ones are forgotten, not that there was one."""
_ONE_END_IN = 32
"""At one end in so many it is looked whether there are more than that."""
_FORGOTTEN_AT_ONCE = 500
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
    return _told(await _newest(store, identity, room_sids))


async def rooms_among(store: Store, identity: str, room_sids: Collection[str]) -> set[str]:
    """Which of these rooms somebody is or was in, as `stays` has it of each by itself.

    One read, unless they came so often that those to some rooms hide those to others.
    """
    newest = await _newest(store, identity, room_sids)
    found = {stay.room_sid for stay in _told(newest)}
    if len(newest) == NEWEST:
        for some in chunks(sorted({*room_sids} - found), _ROOMS_AT_ONCE):
            of_each = await asyncio.gather(*(stays(store, identity, [sid]) for sid in some))
            found |= {stay.room_sid for of_one in of_each for stay in of_one}
    return found


async def rooms_of(store: Store, identity: str, room: str | None) -> list[str]:
    """The sids of the rooms that somebody is or was in, of one name if that is given."""
    which = {"identity": identity} | ({} if room is None else {"room": room})
    rows = store.rows(Participant).find(which, {"room_sid": 1})
    newest = await rows.sort("joined_at", DESCENDING).limit(NEWEST).to_list(NEWEST)
    return sorted({row["room_sid"] for row in newest})


async def forget_earlier(store: Store, room_sid: str, identity: str, ended_sid: str) -> None:
    """Forgets somebody's connections to a room before the newest ones, when some have ended.

    One that has not ended is kept, and one of whose track the end is not known: it tells so. Listed
    again, an unlisted one is noted anew.
    """
    if zlib.crc32(ended_sid.encode()) % _ONE_END_IN:
        return
    participants = store.rows(Participant)
    whose = {"room_sid": room_sid, "identity": identity}
    rows = await participants.find(whose, _FIELDS).to_list(None)
    rows.sort(key=_since, reverse=True)
    earlier = [row["_id"] for row in rows[KEPT:] if _ended_at(row) is not None]
    earlier = earlier[:_FORGOTTEN_AT_ONCE]
    if not earlier:
        return
    tracks = store.rows(Track).find({"participant_sid": {"$in": earlier}})
    sharing = {row["participant_sid"] for row in await tracks.to_list(None) if row["live"]}
    over = [sid for sid in earlier if sid not in sharing]
    await participants.delete_many({"_id": {"$in": over}} | whose)


def _ended_at(row: ParticipantRow) -> datetime | None:
    """When it was first known to be over: what tells of it later does not lengthen it."""
    known = (at for at in (row["left_at"], row["unlisted_at"]) if at is not None)
    return min(known, default=None)


def _since(row: ParticipantRow) -> datetime:
    return row["joined_at"] or _ended_at(row) or EPOCH


async def live_sid(store: Store, room: str) -> str | None:
    """The sid of the room that bears a name now.

    None if there is none, or if the end of an earlier one is not known yet: which one is the live
    one is then open, and nobody is to be taken for the admin of the wrong one.
    """
    rows = store.rows(Room).find({"name": room, "finished_at": None}, {"_id": 1}).limit(2)
    live = [row["_id"] for row in await rows.to_list(2)]
    return live[0] if len(live) == 1 else None


async def live_for(store: Store, caller: Caller) -> str | None:
    """The sid of the live room, where the caller's token makes them its admin."""
    if not caller.room_admin or caller.room is None:
        return None
    return await live_sid(store, caller.room)


async def _newest(store: Store, identity: str, room_sids: Collection[str]) -> list[ParticipantRow]:
    which = {"identity": identity, "room_sid": {"$in": sorted(room_sids)}}
    rows = store.rows(Participant).find(which, _FIELDS)
    return await rows.sort("joined_at", DESCENDING).limit(NEWEST).to_list(NEWEST)


def _told(rows: Iterable[ParticipantRow]) -> list[Stay]:
    return [stay for row in rows if (stay := _stay(row)) is not None]


def _stay(row: ParticipantRow) -> Stay | None:
    left_at = _ended_at(row)
    # Where nobody told of the beginning, only the end is known to lie within it.
    joined_at = row["joined_at"] or left_at
    if joined_at is None:
        return None
    return Stay(row["room_sid"], joined_at, left_at and max(joined_at, left_at))

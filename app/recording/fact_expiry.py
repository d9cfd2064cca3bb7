"""Forgets facts that nothing refers to any more.

Presence in a room decides who may capture there and who sees its clips. So the facts of a room stay
as long as there is a buffer or a clip of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from odmantic import Model

from app import stretches
from app.lru_cache import LruCache
from app.models import Row, SessionRole, schema
from app.models.keyset import Order
from app.models.schema import ReplayClip
from app.store import Store, before, chunks
from app.work import rounds
from app.work.jobs import hours, job, seconds

RETENTION = timedelta(days=1)
_TRACK_RETENTION = timedelta(hours=1)
"""Anybody can publish any number, and an hour after the end LiveKit has long told all of it."""
_AT_ONCE = 500
_UNKNOWN_AT_ONCE = 20
"""Rooms of which all buffers and clips are read, once."""
_ROOMS = 100_000
_LEFT = {"left_at": 1, "room_sid": 1}


class Keepers:
    """What keeps facts of rooms, as one worker knows it: of each room one buffer, or one clip.

    A room that was needed is needed as long as this is there: the others are not read for it.
    """

    def __init__(self) -> None:
        models: list[type[Model]] = [schema.Buffer, ReplayClip]
        self._of_rooms = {model: LruCache[str](_ROOMS) for model in models}

    async def needed(self, store: Store, room_sids: Sequence[str]) -> set[str]:
        """Those of these rooms of which there is a buffer or a clip."""
        found: set[str] = set()
        for model, known in self._of_rooms.items():
            rooms = {row_id: sid for sid in room_sids if (row_id := known.get(sid)) is not None}
            there = store.database[+model].find({"_id": {"$in": [*rooms]}}, {"_id": 1})
            found |= {rooms[row["_id"]] async for row in there}
            for some in chunks([sid for sid in room_sids if sid not in found], _UNKNOWN_AT_ONCE):
                of_rooms = {"room_sid": {"$in": list(some)}}
                async for row in store.database[+model].find(of_rooms, {"room_sid": 1}):
                    known.put(row["room_sid"], row["_id"])
                    found.add(row["room_sid"])
        return found


@job("forget_facts", every=hours(1), timeout=seconds(90))
async def forget_facts(store: Store, keepers: Keepers | None = None) -> None:
    """Forgets tracks that ended an hour ago; participants and rooms a day, if not needed."""
    keepers = keepers or Keepers()
    now = datetime.now(UTC)
    ended: Row = {"ended_at": before(now - _TRACK_RETENTION), "live": False}
    kept = {"_id": {"$nin": await _of_open_shares(store)}}
    await store.rows(schema.Track).delete_many(ended | kept)
    until = now - RETENTION
    left = stretches.every(
        store, schema.Participant, Order("left_at"), {}, until=until, fields=_LEFT
    )
    over = stretches.every(store, schema.Room, Order("finished_at"), {}, until=until)
    finished = {row["_id"] async for row in over}
    candidates = sorted({row.get("room_sid") async for row in left} | finished, key=str)
    for chunk in chunks(candidates, _AT_ONCE):
        with rounds.item(rooms=len(chunk), first=chunk[0]):
            needed = await keepers.needed(store, chunk)
            free = [sid for sid in chunk if sid not in needed]
            await _forget(store, free, before(until))
            await _forget_rooms(store, [sid for sid in free if sid in finished])


async def _of_open_shares(store: Store) -> list[str]:
    """The tracks of shares that are not over, whatever LiveKit says: by these they come to rest."""
    recorded = {"role": {"$in": list(SessionRole)}}
    sids = set(await store.rows(schema.EgressSession).distinct("video_sid", recorded))
    sids |= set(await store.rows(schema.Buffer).distinct("video_sid", {"ended_at": None}))
    return sorted(sids, key=str)


async def _forget(store: Store, room_sids: list[str], over: Row) -> None:
    which = {"room_sid": {"$in": room_sids}, "left_at": over}
    await store.rows(schema.Participant).delete_many(which)


async def _forget_rooms(store: Store, room_sids: list[str]) -> None:
    of_rooms = {"room_sid": {"$in": room_sids}}
    await store.rows(schema.Track).delete_many(of_rooms)
    await store.rows(schema.Participant).delete_many(of_rooms)
    await store.rows(schema.Room).delete_many({"_id": {"$in": room_sids}})

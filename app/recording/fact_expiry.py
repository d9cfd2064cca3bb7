"""Forgets facts that nothing refers to any more.

Presence in a room decides who may capture there and who sees its clips. So the facts of a room stay
as long as there is a buffer or a clip of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from app.models import Row, SessionRole, schema
from app.store import Store, before, chunks
from app.work import rounds
from app.work.jobs import hours, job, seconds

RETENTION = timedelta(days=1)
_TRACK_RETENTION = timedelta(hours=1)
"""Anybody can publish any number, and an hour after the end LiveKit has long told all of it."""
_AT_ONCE = 500


@job("forget_facts", every=hours(1), timeout=seconds(90))
async def forget_facts(store: Store) -> None:
    """Forgets tracks that ended an hour ago; participants and rooms a day, if not needed."""
    now = datetime.now(UTC)
    ended: Row = {"live": False, "ended_at": before(now - _TRACK_RETENTION)}
    kept = {"_id": {"$nin": await _of_open_shares(store)}}
    await store.rows(schema.Track).delete_many(ended | kept)
    over = before(now - RETENTION)
    left = await store.rows(schema.Participant).distinct("room_sid", {"left_at": over})
    finished = set(await store.rows(schema.Room).distinct("_id", {"finished_at": over}))
    candidates = sorted({*left, *finished}, key=str)
    for chunk in chunks(candidates, _AT_ONCE):
        with rounds.item(rooms=len(chunk), first=chunk[0]):
            needed = await _needed(store, chunk)
            free = [sid for sid in chunk if sid not in needed]
            await _forget(store, free, over)
            await _forget_rooms(store, [sid for sid in free if sid in finished])


async def _of_open_shares(store: Store) -> list[str]:
    """The tracks of shares that are not over, whatever LiveKit says: by these they come to rest."""
    recorded = {"role": {"$in": list(SessionRole)}}
    sids = set(await store.rows(schema.EgressSession).distinct("video_sid", recorded))
    sids |= set(await store.rows(schema.Buffer).distinct("video_sid", {"ended_at": None}))
    return sorted(sids, key=str)


async def _needed(store: Store, room_sids: Sequence[str]) -> set[str]:
    of_rooms = {"room_sid": {"$in": room_sids}}
    buffered = await store.rows(schema.Buffer).distinct("room_sid", of_rooms)
    clipped = await store.rows(schema.ReplayClip).distinct("room_sid", of_rooms)
    return {*buffered, *clipped}


async def _forget(store: Store, room_sids: list[str], over: Row) -> None:
    which = {"room_sid": {"$in": room_sids}, "left_at": over}
    await store.rows(schema.Participant).delete_many(which)


async def _forget_rooms(store: Store, room_sids: list[str]) -> None:
    of_rooms = {"room_sid": {"$in": room_sids}}
    await store.rows(schema.Track).delete_many(of_rooms)
    await store.rows(schema.Participant).delete_many(of_rooms)
    await store.rows(schema.Room).delete_many({"_id": {"$in": room_sids}})

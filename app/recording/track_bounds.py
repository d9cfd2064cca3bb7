"""How many tracks of shares a room may have, and somebody in it: live ones, new ones in an hour.

Each live one costs every survey, and each leaves a row. Live ones that webhooks tell of are counted
in memory, and in the database where that says that there may be too many; those that a survey lists
are counted as it lists them. New ones are counted by each process by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import structlog
from livekit.protocol.models import ParticipantInfo, Room, TrackInfo

from app import metrics
from app.lru_cache import LruCache
from app.models import Row, schema
from app.models.metric_words import ErrorKind
from app.recording.fact_writing import Fact
from app.store import Store, first
from app.work.log_lines import LogLines
from app.work.rate_buckets import RateBuckets

MOST_OF_ONE = 32
"""Of one participant: a share has two at most, and nobody has 16 screens."""
MOST_IN_ROOM = 500
"""So that a survey writes of it in some seconds, even if the webhooks of all were lost."""
NEW_OF_ONE = 1_000
"""In an hour, of one participant: somebody who begins a share with sound every 8 s."""
NEW_IN_ROOM = 10_000
"""In an hour, however many people, who may come under any name, publish them."""
_HOUR = 3600.0

SharedTrack = tuple[Room, ParticipantInfo, TrackInfo]
"""A track of a share, and whose it is."""

_told: LruCache[int] = LruCache(10_000)
"""By database, room and, for one participant, identity: how many were told of, at least."""
_of_one = RateBuckets(NEW_OF_ONE, _HOUR)
_of_rooms = RateBuckets(NEW_IN_ROOM, _HOUR)
_lines = LogLines("tracks_without_lines", per_minute=60)

log = structlog.get_logger()


async def is_full(store: Store, track: Fact) -> bool:
    """Whether a room, or somebody in it, has as many tracks as they may: one more is refused.

    That is counted and logged. A track that is there already does not count against itself.
    """
    room_sid, identity = track.known["room_sid"], track.known["identity"]
    of_room: Row = {"room_sid": room_sid}
    for which, most in ((of_room | {"identity": identity}, MOST_OF_ONE), (of_room, MOST_IN_ROOM)):
        key = "\0".join([store.database.name, *which.values()])
        told = (_told.get(key) or 0) + 1
        if told > most:
            # All of it equalities, which an index serves: those that ended leave many rows.
            live = store.rows(schema.Track).find(which | {"live": True}, {"_id": 1})
            told = 1 + sum(row["_id"] != track.sid for row in await first(live, most + 1))
        if told > most:
            _tell(1, key, **which, most=most)
            return True
        _told.put(key, told)
    return not may_be_new(store, track.known["room"], identity)


def may_be_new(store: Store, room: str, identity: str) -> bool:
    """Whether one more track may leave a row, which counts. `room`: its name, which stays.

    That it may not is counted and logged. A track that is told of again counts again: there are
    far more than anybody's shares have.
    """
    of_room = f"{store.database.name}\0{room}"
    of_one = f"{of_room}\0{identity}"
    if _of_one.wait(of_one) or _of_rooms.wait(of_room):
        _tell(1, of_room, room=room, identity=identity, most=NEW_OF_ONE, most_in_room=NEW_IN_ROOM)
        return False
    _of_one.take(of_one)
    _of_rooms.take(of_room)
    return True


def fitting(
    store: Store, listed: Sequence[SharedTrack], known: Collection[str]
) -> list[SharedTrack]:
    """Those of the tracks that are listed that there may be: all that are known, and new ones."""
    fit: list[SharedTrack] = []
    left_out, of_room, of_one = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
    for room, person, track in sorted(listed, key=lambda each: each[2].sid not in known):
        one = room.sid, person.identity
        is_full = of_one[one] >= MOST_OF_ONE or of_room[room.sid] >= MOST_IN_ROOM
        if track.sid not in known:
            if is_full:
                left_out[room.sid] += 1
            if is_full or not may_be_new(store, room.name, person.identity):
                continue
        of_one[one] += 1
        of_room[room.sid] += 1
        fit.append((room, person, track))
    for room_sid, count in left_out.items():
        _tell(count, room_sid, room_sid=room_sid, most_of_one=MOST_OF_ONE, most=MOST_IN_ROOM)
    return fit


def _tell(count: int, key: str, **which: object) -> None:
    metrics.ERRORS.labels(ErrorKind.TRACKS_TOO_MANY).inc(count)
    if _lines.take(key):
        log.warning("tracks_too_many", count=count, **which)

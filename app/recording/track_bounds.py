"""How many live tracks of shares a room may have, and somebody in it: each costs every survey.

Those that webhooks tell of are counted in memory, and in the database where that says that there
may be too many; those that a survey lists are counted as it lists them.
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
from app.store import Store
from app.work.log_lines import LogLines

MOST_OF_ONE = 32
"""Of one participant: a share has two at most, and nobody has 16 screens."""
MOST_IN_ROOM = 500
"""So that a survey writes of it in some seconds, even if the webhooks of all were lost."""

SharedTrack = tuple[Room, ParticipantInfo, TrackInfo]
"""A track of a share, and whose it is."""

_told: LruCache[int] = LruCache(10_000)
"""By database, room and, for one participant, identity: how many were told of, at least."""
_lines = LogLines("tracks_without_lines", per_minute=60)

log = structlog.get_logger()


async def is_full(store: Store, room_sid: str, identity: str, track_sid: str) -> bool:
    """Whether a room, or somebody in it, has as many live tracks as they may: one more is refused.

    That is counted and logged. A track that is there already does not count against itself.
    """
    of_room: Row = {"room_sid": room_sid}
    for which, most in ((of_room | {"identity": identity}, MOST_OF_ONE), (of_room, MOST_IN_ROOM)):
        key = "\0".join([store.database.name, *which.values()])
        told = (_told.get(key) or 0) + 1
        if told > most:
            others = which | {"live": True, "_id": {"$ne": track_sid}}
            told = 1 + await store.rows(schema.Track).count_documents(others, limit=most)
        if told > most:
            _tell(1, key, **which, most=most)
            return True
        _told.put(key, told)
    return False


def fitting(listed: Sequence[SharedTrack], known: Collection[str]) -> list[SharedTrack]:
    """Those of the tracks that are listed that there may be: all that are known, and new ones."""
    fit: list[SharedTrack] = []
    left_out, of_room, of_one = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
    for room, person, track in sorted(listed, key=lambda each: each[2].sid not in known):
        one = room.sid, person.identity
        is_full = of_one[one] >= MOST_OF_ONE or of_room[room.sid] >= MOST_IN_ROOM
        if is_full and track.sid not in known:
            left_out[room.sid] += 1
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

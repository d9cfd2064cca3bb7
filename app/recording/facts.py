"""Facts: what LiveKit says of rooms, people and tracks, written down.

Each fact is one idempotent write that only adds knowledge. Events that come twice, late or in
another order leave the same rows. An end is final, because LiveKit never uses a sid again.

It is `foreign_text` that is written: each function raises NotHeld for ids that can't be held.
"""

from __future__ import annotations

import time
from datetime import datetime

import structlog
from livekit.protocol.models import ParticipantInfo, Room, TrackInfo, TrackSource
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from app.access import communities
from app.lru_cache import LruCache
from app.models import ParticipantRow, Row, RowOf, TrackRow, schema
from app.models.instants import EPOCH
from app.recording import attributes, foreign_text
from app.store import Store

SHARE_SOURCES = (TrackSource.SCREEN_SHARE, TrackSource.SCREEN_SHARE_AUDIO)
MISSED_AFTER = 2
"""Surveys in a row without a track after which it counts as over, until one lists it again."""
_EGRESS_IDENTITY = "EG_"
_LONGEST_COMMUNITY = 128
_LONGEST_MIME = 100
_FOUND_SECONDS = 60.0
"""How long a community that a room has named is not looked for again."""
_found: LruCache[float] = LruCache(1_000)
"""By database and community: until when it is not looked for."""

log = structlog.get_logger()


def is_recorder(participant: ParticipantInfo) -> bool:
    """Whether a participant is an egress: its coming and going make no facts."""
    return participant.kind == ParticipantInfo.Kind.EGRESS or participant.identity.startswith(
        _EGRESS_IDENTITY
    )


def is_share(track: TrackInfo) -> bool:
    """Whether a track belongs to a screen share."""
    return track.sid != "" and track.source in SHARE_SOURCES


def is_sharer(participant: ParticipantInfo) -> bool:
    """Whether somebody, who is no recorder, shares a screen."""
    return not is_recorder(participant) and any(map(is_share, participant.tracks))


def is_there(track: TrackRow) -> bool:
    """Whether a track goes on, as far as LiveKit has told."""
    return track["live"] and track["missing"] < MISSED_AFTER


def has_opted_out(participant: ParticipantInfo) -> bool:
    """Whether somebody refuses to be buffered: attribute `replay` = `off`.

    What a participant can write about himself is trusted to refuse, never to allow.
    """
    return participant.attributes.get(attributes.WILL) == "off"


def community_of(room: Room) -> str:
    """The community that a room's metadata names; `default` where it names none that is held."""
    named = foreign_text.members(room.metadata).get("community")
    community = foreign_text.label(named, _LONGEST_COMMUNITY)
    if community is None and named is not None:
        log.warning("community_not_held", room=room.sid, community=repr(named))
    return community or communities.DEFAULT


def claim_of(participant: ParticipantInfo) -> str | None:
    """The community that somebody's token names: its attribute `replay.community`.

    Who may change their own attributes names none: it would be their word, not the token's.
    """
    named = participant.attributes.get(attributes.COMMUNITY)
    if named is None:
        return None
    if participant.permission.can_update_metadata:
        log.warning("community_claim_ignored", identity=participant.identity, community=named)
        return None
    return foreign_text.label(named, _LONGEST_COMMUNITY)


async def _community(store: Store, room: Room) -> str:
    """The community of a room that is told of for the first time: one that an admin has made.

    A room's metadata is written by whoever makes the room: it chooses among communities, and makes
    none. Told of again, a room keeps what it has, and nothing is looked up.
    """
    claimed, now = community_of(room), time.monotonic()
    key, known = f"{store.database.name}\0{claimed}", {"_id": room.sid}
    if claimed == communities.DEFAULT or now < (_found.get(key) or 0.0):
        return claimed
    if await store.rows(schema.Room).find_one(known, {"_id": 1}):
        return claimed
    made = await communities.made(store, claimed, room=room.sid)
    if made == claimed:
        _found.put(key, now + _FOUND_SECONDS)
    return made


async def room_started(store: Store, room: Room) -> None:
    """A room is there. Its community is read now and holds for its life."""
    await _upsert(
        store.rows(schema.Room),
        foreign_text.ident(room.sid, "room sid"),
        {"name": foreign_text.ident(room.name, "room name")},
        {"community": await _community(store, room), "finished_at": None, "missing": 0},
    )


async def room_finished(store: Store, room: Room, now: datetime) -> None:
    """A room is gone, and with it everything in it."""
    await _upsert(
        store.rows(schema.Room),
        foreign_text.ident(room.sid, "room sid"),
        {"name": foreign_text.ident(room.name, "room name"), "finished_at": now},
        {"community": await _community(store, room), "missing": 0},
    )


async def participant_joined(
    store: Store, room: Room, participant: ParticipantInfo, now: datetime
) -> None:
    """Somebody is connected to a room."""
    await _upsert(
        store.rows(schema.Participant),
        foreign_text.ident(participant.sid, "participant sid"),
        _joined(room, participant, now),
        {"left_at": None, "unlisted_at": None},
    )


def is_known(room: Room, participant: ParticipantInfo, row: ParticipantRow) -> bool:
    """Whether the row of a connection says all that LiveKit says now."""
    told = _joined(room, participant, row["joined_at"] or EPOCH)
    return all(row.get(name) == value for name, value in told.items())


def _joined(room: Room, participant: ParticipantInfo, now: datetime) -> Row:
    told_ms = participant.joined_at_ms or participant.joined_at * 1000
    return _whose(room, participant) | {
        "joined_at": foreign_text.instant(told_ms) or now,
        "opted_out": has_opted_out(participant),
        "community": claim_of(participant),
    }


async def participant_left(
    store: Store, room: Room, participant: ParticipantInfo, now: datetime
) -> None:
    """One connection of somebody is over; a newer one of the same identity is another row."""
    await _upsert(
        store.rows(schema.Participant),
        foreign_text.ident(participant.sid, "participant sid"),
        _whose(room, participant) | {"left_at": now},
        {"joined_at": None, "opted_out": False, "community": None, "unlisted_at": None},
    )


async def connection_aborted(store: Store, participant: ParticipantInfo, now: datetime) -> None:
    """A connection of somebody ended before it was one.

    LiveKit tells of no beginning of such a one, so only a survey can have seen it. It makes no row:
    anybody who has a token can begin as many as they like.
    """
    known = {"_id": foreign_text.ident(participant.sid, "participant sid")}
    await store.rows(schema.Participant).update_one(known, {"$set": {"left_at": now}})


async def track_published(
    store: Store, room: Room, participant: ParticipantInfo, track: TrackInfo, now: datetime
) -> None:
    """A share's track is there. If it has ended before, it stays ended."""
    whose = _whose(room, participant)
    await _upsert(
        store.rows(schema.Track),
        foreign_text.ident(track.sid, "track sid"),
        whose
        | {
            "participant_sid": foreign_text.ident(participant.sid, "participant sid"),
            "video": track.source == TrackSource.SCREEN_SHARE,
            "width": track.width,
            "height": track.height,
            "mime": foreign_text.text(track.mime_type, _LONGEST_MIME),
            "encrypted": track.encryption != 0,
            "missing": 0,
        },
        {"published_at": now, "ended_at": None, "live": True},
    )


async def track_unpublished(
    store: Store, room: Room, participant: ParticipantInfo, track: TrackInfo, now: datetime
) -> None:
    """A share's track is gone for good."""
    await _upsert(
        store.rows(schema.Track),
        foreign_text.ident(track.sid, "track sid"),
        _whose(room, participant)
        | {
            "participant_sid": foreign_text.ident(participant.sid, "participant sid"),
            "video": track.source == TrackSource.SCREEN_SHARE,
            "ended_at": now,
            "live": False,
        },
        {
            "published_at": None,
            "width": track.width,
            "height": track.height,
            "mime": foreign_text.text(track.mime_type, _LONGEST_MIME),
            "encrypted": track.encryption != 0,
            "missing": 0,
        },
    )


def _whose(room: Room, participant: ParticipantInfo) -> Row:
    return {
        "room_sid": foreign_text.ident(room.sid, "room sid"),
        "room": foreign_text.ident(room.name, "room name"),
        "identity": foreign_text.ident(participant.identity, "identity"),
    }


async def _upsert(rows: AsyncCollection[RowOf], sid: str, known: Row, unless_known: Row) -> None:
    """Sets what this event knows for sure, and the rest only if nobody has told it before."""
    change = {"$set": known, "$setOnInsert": unless_known}
    try:
        await rows.update_one({"_id": sid}, change, upsert=True)
    except DuplicateKeyError:
        # two upserts of a new sid at once: the loser finds the row the second time
        await rows.update_one({"_id": sid}, change, upsert=True)

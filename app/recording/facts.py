"""Facts: what LiveKit says of rooms, people and tracks, written down.

Each fact is one idempotent write that only adds knowledge. Events that come twice, late or in
another order leave the same rows. An end is final, because LiveKit never uses a sid again.

It is `foreign_text` that is written: each function raises NotHeld for ids that can't be held.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import structlog
from livekit.protocol.models import ParticipantInfo, Room, TrackInfo, TrackSource

from app.access import communities
from app.lru_cache import LruCache
from app.models import ParticipantRow, Row, schema
from app.models.instants import EPOCH
from app.recording import attributes, connection_bounds, fact_writing, foreign_text, track_bounds
from app.recording.fact_writing import Fact
from app.recording.track_bounds import SharedTrack
from app.store import Store
from app.work import rounds

SHARE_SOURCES = (TrackSource.SCREEN_SHARE, TrackSource.SCREEN_SHARE_AUDIO)
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


def told_at(created_at: int) -> datetime:
    """When what a webhook of `created_at` (Unix seconds, rounded down) tells of happened, at most.

    That is now if it comes at once; LiveKit repeats what was not taken.
    """
    now = datetime.now(UTC)
    told = foreign_text.instant((created_at + 1) * 1000)
    return now if told is None else min(now, told)


async def room_started(store: Store, room: Room) -> None:
    """A room is there. Its community is read now and holds for its life."""
    await fact_writing.write(
        store.rows(schema.Room),
        Fact(
            foreign_text.ident(room.sid, "room sid"),
            {"name": foreign_text.ident(room.name, "room name")},
            {"community": await _community(store, room), "finished_at": None, "missing": 0},
        ),
    )


async def rooms_started(store: Store, rooms: Iterable[Room]) -> set[str]:
    """Many rooms are there. Returns the sids of those that can be held."""
    held: set[str] = set()
    for sid, room in {room.sid: room for room in rooms}.items():
        with rounds.item(room=sid):
            await room_started(store, room)
            held.add(sid)
    return held


async def room_finished(store: Store, room: Room, now: datetime) -> None:
    """A room is gone, and with it everything in it."""
    await fact_writing.write(
        store.rows(schema.Room),
        Fact(
            foreign_text.ident(room.sid, "room sid"),
            {"name": foreign_text.ident(room.name, "room name"), "finished_at": now},
            {"community": await _community(store, room), "missing": 0},
        ),
    )


async def participant_joined(
    store: Store, room: Room, participant: ParticipantInfo, now: datetime
) -> None:
    """Somebody is connected to a room. Too many at once are left out: see `connection_bounds`."""
    fact, people = _joined(room, participant, now), store.rows(schema.Participant)
    if connection_bounds.may_be_new(store, room.name):
        await fact_writing.write(people, fact)
    else:
        await fact_writing.add(people, fact)


async def participants_joined(
    store: Store, people: Sequence[tuple[Room, ParticipantInfo]], now: datetime
) -> None:
    """Many are connected to rooms. Who can't be held keeps no other from being noted."""
    joined: list[Fact] = []
    for room, who in people:
        with rounds.item(room=room.sid, participant=who.sid):
            joined.append(_joined(room, who, now))
    await fact_writing.write_all(store.rows(schema.Participant), "participant", joined)


def is_known(room: Room, participant: ParticipantInfo, row: ParticipantRow) -> bool:
    """Whether the row of a connection says all that LiveKit says now."""
    told = _joined(room, participant, row["joined_at"] or EPOCH).known
    return all(row.get(name) == value for name, value in told.items())


def _joined(room: Room, participant: ParticipantInfo, now: datetime) -> Fact:
    told_ms = participant.joined_at_ms or participant.joined_at * 1000
    return Fact(
        foreign_text.ident(participant.sid, "participant sid"),
        _whose(room, participant)
        | {
            "joined_at": foreign_text.instant(told_ms) or now,
            "opted_out": has_opted_out(participant),
            "community": claim_of(participant),
        },
        {"left_at": None, "unlisted_at": None},
    )


async def participant_left(
    store: Store, room: Room, participant: ParticipantInfo, now: datetime
) -> None:
    """One connection of somebody is over; a newer one of the same identity is another row."""
    fact = Fact(
        foreign_text.ident(participant.sid, "participant sid"),
        _whose(room, participant) | {"left_at": now},
        {"joined_at": None, "opted_out": False, "community": None, "unlisted_at": None},
    )
    people = store.rows(schema.Participant)
    if not await fact_writing.add(people, fact) and connection_bounds.may_be_new(store, room.name):
        await fact_writing.write(people, fact)


async def connection_aborted(store: Store, participant: ParticipantInfo, now: datetime) -> None:
    """A connection of somebody ended before it was one.

    LiveKit tells of no beginning of such a one, so only a survey can have seen it. It makes no row:
    anybody who has a token can begin as many as they like.
    """
    known = {"_id": foreign_text.ident(participant.sid, "participant sid")}
    await store.rows(schema.Participant).update_one(known, {"$set": {"left_at": now}})


async def track_published(
    store: Store, room: Room, participant: ParticipantInfo, track: TrackInfo, now: datetime
) -> bool:
    """A share's track is there. If it has ended before, it stays ended.

    False if there are as many as there may be: it is left out.
    """
    fact = _published(room, participant, track, now)
    if await track_bounds.is_full(store, fact):
        return False
    await fact_writing.write(store.rows(schema.Track), fact)
    return True


async def tracks_published(store: Store, tracks: Sequence[SharedTrack], now: datetime) -> None:
    """Many tracks of shares are there, no more than there may be.

    One that can't be held keeps no other from being noted.
    """
    published: list[Fact] = []
    for room, who, track in tracks:
        with rounds.item(room=room.sid, identity=who.identity, track=track.sid):
            published.append(_published(room, who, track, now))
    await fact_writing.write_all(store.rows(schema.Track), "track", published)


def _published(room: Room, participant: ParticipantInfo, track: TrackInfo, now: datetime) -> Fact:
    return Fact(
        foreign_text.ident(track.sid, "track sid"),
        _whose(room, participant)
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
    """A share's track is gone for good.

    Of one that is not known that is noted, too, unless there were too many of late.
    """
    fact = Fact(
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
    tracks = store.rows(schema.Track)
    if await fact_writing.add(tracks, fact):
        return
    if track_bounds.may_be_new(store, room.name, participant.identity):
        await fact_writing.write(tracks, fact)


def _whose(room: Room, participant: ParticipantInfo) -> Row:
    return {
        "room_sid": foreign_text.ident(room.sid, "room sid"),
        "room": foreign_text.ident(room.name, "room name"),
        "identity": foreign_text.ident(participant.identity, "identity"),
    }

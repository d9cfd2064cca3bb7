"""Facts: what LiveKit says of rooms, people, tracks and egresses, written down.

Each fact is one idempotent write that only adds knowledge. Events that come twice, late or in
another order leave the same rows. An end is final, because LiveKit never uses a sid again.

It is `foreign_text` that is written: each function raises NotHeld for ids that can't be held.
"""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from livekit.protocol.egress import EgressInfo
from livekit.protocol.models import ParticipantInfo, Room, TrackInfo, TrackSource
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from app.access import communities
from app.buffer import clock_correction
from app.models import EgressStatus, Row, RowOf, SessionRow, TrackRow, schema
from app.recording import asked_egress, egress_info, foreign_text
from app.store import Store

SHARE_SOURCES = (TrackSource.SCREEN_SHARE, TrackSource.SCREEN_SHARE_AUDIO)
MISSED_AFTER = 2
"""Surveys in a row without a track after which it counts as over, until one lists it again."""
_EGRESS_IDENTITY = "EG_"
# A row of a running egress may move to these from any status before them, never back.
_RANK = {status: rank for rank, status in enumerate(EgressStatus.running())}
_CLAIM = "replay.community"
_LONGEST_COMMUNITY = 128
_LONGEST_MIME = 100
_LONGEST_ERROR = 500

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
    return participant.attributes.get("replay") == "off"


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
    named = participant.attributes.get(_CLAIM)
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
    claimed = community_of(room)
    known = {"_id": foreign_text.ident(room.sid, "room sid")}
    if claimed == communities.DEFAULT or await store.rows(schema.Room).find_one(known, {"_id": 1}):
        return claimed
    return await communities.made(store, claimed, room=room.sid)


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
    told_ms = participant.joined_at_ms or participant.joined_at * 1000
    joined_at = foreign_text.instant(told_ms) or now
    await _upsert(
        store.rows(schema.Participant),
        foreign_text.ident(participant.sid, "participant sid"),
        _whose(room, participant)
        | {
            "joined_at": joined_at,
            "opted_out": has_opted_out(participant),
            "community": claim_of(participant),
        },
        {"left_at": None, "unlisted_at": None},
    )


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


async def is_sharing(store: Store, participant: ParticipantInfo) -> bool:
    """Whether a connection has shared a track of whose end nobody has told."""
    tracks = store.rows(schema.Track).find({"participant_sid": participant.sid}, {"live": 1})
    return any(row["live"] for row in await tracks.to_list(None))


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


async def egress(
    store: Store, info: EgressInfo, now: datetime, *, session_id: str | None = None
) -> SessionRow | None:
    """What became of an egress of ours: adopts it if its id was not known, never goes back.

    `session_id`: whose egress it is, where that is known; otherwise its prefix says it, and is
    believed of an egress that this session may have asked for. Returns the session's row
    afterwards, None if the egress is not ours or its row is gone.
    """
    named = session_id or asked_egress.session_of(info)
    if named is None:
        return None
    egress_id = foreign_text.ident(info.egress_id, "egress id")
    while True:
        row = await store.rows(schema.EgressSession).find_one({"_id": named})
        if row is None:
            return None
        if session_id is None and not asked_egress.may_serve(info, row):
            log.warning("egress_not_asked_for", session=named, egress=egress_id)
            return None
        if row["egress_id"] not in (None, egress_id):
            return row
        if not (news := _news(row, info, egress_id, now)):
            break
        taken = await store.take(schema.EgressSession, row, news, **{"egress_id": row["egress_id"]})
        if taken is not None:
            row = taken
            break
    clock_ns = None if row["clock_exact"] else egress_info.clock_of(info)
    if clock_ns is not None:
        if await clock_correction.is_credible(store, row, clock_ns, datetime.now(UTC)):
            await clock_correction.correct(store, named, clock_ns)
        else:
            log.warning("clock_not_believed", session=named, clock_ns=clock_ns)
    return row


def _news(row: SessionRow, info: EgressInfo, egress_id: str, now: datetime) -> Row:
    """What an egress's session does not know of it yet."""
    status = egress_info.status_of(info)
    news: Row = {}
    if row["egress_id"] is None:
        news["egress_id"] = egress_id
    if status == EgressStatus.ACTIVE and row["active_at"] is None:
        news["active_at"] = now
    rank = _RANK.get(row["status"])
    if rank is None or rank > _RANK.get(status, len(_RANK)):
        return news
    if status != row["status"]:
        news["status"] = status
    if egress_info.is_over(info):
        news |= {
            "ended_at": max(row["created_at"], _instant_of_end(info, now)),
            "error": foreign_text.text(info.error, _LONGEST_ERROR),
            "error_code": info.error_code,
        }
    return news


def _instant_of_end(info: EgressInfo, now: datetime) -> datetime:
    """When an egress ended, as it says: not after now."""
    told_at = foreign_text.instant(info.ended_at / 1e6) or now
    return min(told_at, datetime.now(UTC))


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

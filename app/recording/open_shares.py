"""Shares that are not over: of a participant, or of everybody in a room."""

from __future__ import annotations

from collections.abc import Sequence

from app.context import Context
from app.models import BufferRow, SessionRole, SessionRow, TrackRow
from app.models.instants import EPOCH
from app.models.schema import Buffer, EgressSession, Track
from app.recording.known import Known, joined
from app.store import Store
from app.work import errands, rounds
from app.work.jobs import job, seconds


def of(known: Known) -> list[str]:
    """The video tracks of a participant's shares that are not over, in the order of their coming.

    A share that is still recorded by a track before is that of the track that it has now.
    """
    now_of = {row["_id"]: row["video_sid"] for row in known.buffers}
    sessions: list[SessionRow] = [
        {**row, "video_sid": now_of.get(row["buffer_id"], row["video_sid"])}
        for row in known.sessions
    ]
    came = {row["_id"]: row["published_at"] or EPOCH for row in known.tracks}
    found = {video_sid for _, video_sid in _open(known.tracks, sessions, known.buffers)}
    return sorted(found, key=lambda video_sid: (came.get(video_sid, EPOCH), video_sid))


async def shares(store: Store, room_sid: str) -> set[tuple[str, str]]:
    """(identity, video track) of each share of a room that is not over."""
    stages = [
        {"$documents": [{"sid": {"$literal": room_sid}}]},
        joined("tracks", Track, "room_sid", "sid", [{"$match": {"live": True}}]),
        joined(
            "sessions",
            EgressSession,
            "room_sid",
            "sid",
            [{"$match": {"role": {"$in": list(SessionRole)}}}],
        ),
        joined("buffers", Buffer, "room_sid", "sid", [{"$match": {"ended_at": None}}]),
    ]
    (found,) = await (await store.database.aggregate(stages)).to_list()
    return _open(found["tracks"], found["sessions"], found["buffers"])


def _open(
    tracks: Sequence[TrackRow], sessions: Sequence[SessionRow], buffers: Sequence[BufferRow]
) -> set[tuple[str, str]]:
    """(identity, video track) of shares with a live track, a session with a role or an open row."""
    found: set[tuple[str, str]] = set()
    for track in tracks:
        with rounds.item(track=track["_id"]):
            if track["video"] and track["live"]:
                found.add((track["identity"], track["_id"]))
    for session in sessions:
        with rounds.item(session=session["_id"]):
            if session["role"] is not None:
                found.add((session["identity"], session["video_sid"]))
    for buffer in buffers:
        with rounds.item(buffer=buffer["_id"]):
            if buffer["ended_at"] is None:
                found.add((buffer["identity"], buffer["video_sid"]))
    return found


@job(errands.RECONCILE_ROOM, timeout=seconds(30))
async def reconcile_room(ctx: Context, room_sid: str) -> None:
    """Asks for a reconcile of everybody who shares, or is recorded, in a room."""
    await ctx.queue.begin(errands.RECONCILE_ROOM, room_sid)
    for identity in {who for who, _ in await shares(ctx.store, room_sid)}:
        with rounds.item(room=room_sid, identity=identity):
            await ctx.queue.ask(errands.RECONCILE, room_sid, identity)

"""Has the share of a new track go on in the buffer of one that was over: `succession` says which.

The buffer keeps its id, its beginning and what somebody has said of it, and knows the track that it
has now; its sessions know which track each of them has recorded.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from livekit.protocol.models import ParticipantInfo
from pymongo import ReturnDocument

from app.access import communities
from app.context import Context
from app.models import BufferRow, Row, TrackRow
from app.models.instants import EPOCH, FAR
from app.models.schema import Buffer, Track
from app.recording import opt_out, succession
from app.recording.known import Known

log = structlog.get_logger()


async def note_unlisted(
    ctx: Context, found: Known, track: TrackRow, sharer: ParticipantInfo | None
) -> None:
    """Notes what was published before by a new track's connection, and is not listed beside it.

    It was unpublished, and nobody told: otherwise it would be a screen that is shared at the same
    time. `sharer`: whoever bears the sharer's name in the room, as LiveKit says.
    """
    listed = {each.sid for each in sharer.tracks} if sharer is not None else set()
    if track["_id"] not in listed:
        return  # it says less than is known, or of another connection
    gone = [row for row in found.tracks if row["_id"] not in listed and _came_before(row, track)]
    if not gone:
        return
    which = {"_id": {"$in": [row["_id"] for row in gone]}}
    missed = {"$max": {"missing": succession.MISSED_AFTER}}
    await ctx.store.rows(Track).update_many(which, missed)
    for row in gone:
        row["missing"] = max(row["missing"], succession.MISSED_AFTER)


def _came_before(row: TrackRow, track: TrackRow) -> bool:
    """Whether a live track was published before another one, by the same connection."""
    return (
        row["live"]
        and row["participant_sid"] == track["participant_sid"]
        and (row["published_at"] or EPOCH) <= (track["published_at"] or FAR)
    )


async def taken_up(
    ctx: Context, found: Known, track: TrackRow, community: str, now: datetime
) -> BufferRow | None:
    """The buffer that is a new track's from now on; None if no share of its sharer was over.

    One of another community is left alone: others may see it, by other rules. If the sharer has
    opted out by now, what was recorded of any that the track may go on in is to go.
    """
    if succession.is_over(track, found.tracks, found.people):
        return None
    rules = communities.rules_by(ctx.settings, community, found.communities[community])
    kept = timedelta(minutes=rules.retention_minutes)
    theirs = [row for row in found.buffers if row["community"] == community]
    now_has: Row = {"video_sid": track["_id"], "participant_sid": track["participant_sid"]}
    begins: Row = {"ended_at": None, "why": None, "why_detail": "", "retry_at": None, "failures": 0}
    shares = succession.earlier(track, found.tracks, found.people, theirs, kept, now)
    person = found.people.get(track["participant_sid"])
    if person is not None and person["opted_out"]:
        for row in shares:
            found.note_buffer(await opt_out.erase(ctx, row, row["why"], now))
    for row in shares:
        # It may have been forgotten meanwhile, or be another track's.
        still = {"_id": row["_id"], "video_sid": {"$in": [row["video_sid"], track["_id"]]}}
        taken = await ctx.store.rows(Buffer).find_one_and_update(
            still, {"$set": now_has | begins}, return_document=ReturnDocument.AFTER
        )
        if taken is not None:
            log.info("share_goes_on", buffer=taken["_id"], share=track["_id"])
            found.note_buffer(taken)
            return taken
    return None

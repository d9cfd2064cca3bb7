"""Rows of many shares and clips, written in bulk, without media."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from odmantic import Model

from app.buffer import clock, paths
from app.buffer.coverage import CoverageRun as Run
from app.context import Context
from app.models import EgressStatus, Row
from app.models.schema import Buffer, EgressSession, File, ReplayClip, Segment, Summary
from tests.bench.recorded import ROOM, TICKS

SEGMENT_SECONDS = 2
SEGMENTS_A_SHARE = 360
"""12 minutes: what retention keeps."""
CLIPS_A_CALLER = 100
SHARER = "sharer"
_FRAMES = 30
_INDEXED_LATER = 8
"""Rows that a live share's summary does not tell of yet."""
_BATCH = 1_000
_SAMPLES = bytes(460)
"""As large as the packed table of 30 pictures and 90 frames of sound."""


@dataclass(frozen=True)
class Size:
    """How much an installation holds. Whatever the size, the first shares and clips are SHARER's,
    in ROOM."""

    segments: int
    clips: int


async def fill(ctx: Context, size: Size, now: datetime) -> str:
    """Writes the rows, all media ending at `now`; the id of a buffer of SHARER's."""
    shares = [_share(ctx, number, now) for number in range(-(-size.segments // SEGMENTS_A_SHARE))]
    await _insert(ctx, Buffer, (buffer for buffer, _ in shares))
    await _insert(ctx, EgressSession, (session for _, session in shares))
    lengths = [
        min(SEGMENTS_A_SHARE, size.segments - place * SEGMENTS_A_SHARE)
        for place in range(len(shares))
    ]
    sessions = [session for _, session in shares]
    await _insert(ctx, Summary, map(_summary, sessions, lengths, [now] * len(lengths)))
    every = (
        _segment(session, number)
        for session, length in zip(sessions, lengths, strict=True)
        for number in range(length)
    )
    await _insert(ctx, Segment, every)
    await _insert(ctx, ReplayClip, (_clip(number, now) for number in range(size.clips)))
    await _insert(ctx, File, (_file(number, now) for number in range(size.clips)))
    return str(shares[0][0]["_id"])


async def _insert(ctx: Context, model: type[Model], rows: Iterator[Row]) -> None:
    while batch := list(islice(rows, _BATCH)):
        await ctx.store.database[+model].insert_many(batch, ordered=False)


def _share(ctx: Context, number: int, now: datetime) -> tuple[Row, Row]:
    start = now - timedelta(seconds=SEGMENT_SECONDS * SEGMENTS_A_SHARE)
    session_id = paths.new_session_id(ctx.instance, start)
    mine = number < 2
    room = ROOM if mine else f"room-{number}"
    share: dict[str, Any] = {"room": room, "room_sid": f"RM_{room}", "video_sid": f"TR_{number}"}
    share["identity"] = SHARER if mine else f"person-{number}"
    buffer_id = paths.buffer_id(ctx.instance, share["room_sid"], share["video_sid"])
    buffer = Buffer(id=buffer_id, participant_sid=f"PA_{number}", since=start, **share)
    session = EgressSession(
        id=session_id,
        buffer_id=buffer_id,
        folder=str(paths.session_folder(room, share["identity"], session_id)),
        created_at=start,
        active_at=start,
        status=EgressStatus.ACTIVE,
        segment_seconds=SEGMENT_SECONDS,
        clock_ns=int(start.timestamp() * 1000) * 1_000_000,
        clock_exact=True,
        **share,
    )
    return buffer.model_dump_doc(), session.model_dump_doc()


def _summary(session: Row, length: int, now: datetime) -> Row:
    through = max(0, length - 1 - _INDEXED_LATER)
    end_ticks = (through + 1) * SEGMENT_SECONDS * TICKS
    frame_ticks = SEGMENT_SECONDS * TICKS // _FRAMES
    run = Run(0, through, 0, end_ticks, True, 160, 120, frame_ticks)
    row = Summary(id=session["_id"], through=through, runs=[asdict(run)], newest_at=now)
    return row.model_dump_doc()


def _segment(session: Row, number: int) -> Row:
    # A plain dictionary: a million models take longer to make than to write.
    start_ticks = number * SEGMENT_SECONDS * TICKS
    end_ticks = start_ticks + SEGMENT_SECONDS * TICKS
    end = clock.wall(session["clock_ns"], end_ticks)
    return {
        "_id": f"{session['_id']}:{number}",
        "session_id": session["_id"],
        "buffer_id": session["buffer_id"],
        "sequence": number,
        "name": paths.fragment_name(number),
        "start": clock.wall(session["clock_ns"], start_ticks),
        "end": end,
        "start_ticks": start_ticks,
        "end_ticks": end_ticks,
        "extinf_seconds": float(SEGMENT_SECONDS),
        "size_bytes": 30_000,
        "payload_offset": 700,
        "init_id": "0" * 16,
        "audio": True,
        "frames": _FRAMES,
        "width": 160,
        "height": 120,
        "samples": _SAMPLES,
        "levels": bytes(range(60, 68)),
        "state": "indexed",
        "fault": None,
        "indexed_at": end,
    }


def _clip(number: int, now: datetime) -> Row:
    owner, place = divmod(number, CLIPS_A_CALLER)
    room, identity = (ROOM, SHARER) if owner == 0 else (f"room-{owner}", f"person-{owner}")
    created_at = now - timedelta(seconds=60 + place)
    start = created_at - timedelta(seconds=120)
    clip = ReplayClip(
        id=f"{number:024x}",
        capture_id=f"{number:024x}",
        file_id=f"{number:024x}",
        owner=identity,
        shared_by=identity,
        room=room,
        room_sid=f"RM_{room}",
        title="bench",
        ready=True,
        requested_start=start,
        requested_end=created_at,
        delivered_start=start,
        delivered_end=created_at,
        duration_seconds=120.0,
        audio=True,
        width=160,
        height=120,
        created_at=created_at,
    )
    return clip.model_dump_doc()


def _file(number: int, now: datetime) -> Row:
    file = File(
        id=f"{number:024x}",
        filename="bench.mp4",
        size_bytes=1_800_000,
        checksum="sha256:" + "0" * 64,
        uploaded_by=SHARER,
        storage_path=f"replays/bench/{number}.mp4",
        resource_id=f"{number:024x}",
        created_at=now,
    )
    return file.model_dump_doc()

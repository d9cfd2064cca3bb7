"""The rows: what is known (facts), what is recorded, what is kept.

Rows are created with ODMantic; every change of state is one atomic update on the collection, never
a whole-document save, which would undo what another process wrote in between. All datetimes are
aware, UTC, and cut to milliseconds by MongoDB. Ids are named by their owner: `*_sid` and
`egress_id` are LiveKit's, everything else is ours.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from odmantic import Field, Index, Model
from pymongo import ASCENDING, DESCENDING, IndexModel


class Room(Model):
    """Fact: a room that LiveKit told of. One row per room sid, so a name may come again."""

    model_config = {"collection": "rooms"}

    sid: str = Field(primary_field=True)
    name: str = ""
    community: str = "default"
    finished_at: datetime | None = None


class Participant(Model):
    """Fact: one connection of somebody to a room. A re-join is another row."""

    model_config = {
        "collection": "participants",
        "indexes": lambda: [Index(Participant.room_sid, Participant.identity)],
    }

    sid: str = Field(primary_field=True)
    room_sid: str
    room: str
    identity: str
    joined_at: datetime | None = None
    left_at: datetime | None = None
    opted_out: bool = False


class Track(Model):
    """Fact: a screen share's video or audio track.

    `ended_at` is final: a track that was unpublished never comes back under its sid. `missing`
    counts the surveys in a row that did not list it; from 2 on it is taken for gone, and listed
    again it is back.
    """

    model_config = {
        "collection": "tracks",
        "indexes": lambda: [
            Index(Track.participant_sid),
            Index(Track.room_sid),
            IndexModel([("live", ASCENDING)], partialFilterExpression={"live": True}),
        ],
    }

    sid: str = Field(primary_field=True)
    room_sid: str
    room: str
    participant_sid: str
    identity: str
    video: bool
    width: int = 0
    height: int = 0
    mime: str = ""
    encrypted: bool = False
    published_at: datetime | None = None
    ended_at: datetime | None = None
    live: bool = True
    missing: int = 0


class Buffer(Model):
    """A share and what is kept of it. `id` is derived from the video track's sid: see `paths`.

    `why` says why nothing is recorded, a slug of `app.recording.reasons`; `retry_at` when it is
    tried again. `ended_at` is set when the share is over.
    """

    model_config = {
        "collection": "buffers",
        "indexes": lambda: [
            Index(Buffer.room, Buffer.identity),
            Index(Buffer.room_sid),
            IndexModel([("ended_at", ASCENDING)]),
        ],
    }

    id: str = Field(primary_field=True)
    room: str
    room_sid: str
    identity: str
    participant_sid: str
    video_sid: str
    community: str = "default"
    since: datetime
    ended_at: datetime | None = None
    why: str | None = None
    why_detail: str = ""
    retry_at: datetime | None = None
    failures: int = 0


class EgressSession(Model):
    """One egress of a share, from before its start is asked for until its media is forgotten.

    `role` is `current`, `next` (about to take over) or None once it is over; the unique index is
    what keeps a share from being recorded twice. `folder` is relative to the media root.
    `clock_ns`: Unix time in ns of media time 0 (PTS 3600 s); `clock_exact` tells that it is the
    egress's own `segment_results[0].started_at`. `takes_over_at_ticks`: media time from which this
    session holds, where the one before it was still recording.
    """

    model_config = {
        "collection": "sessions",
        "indexes": lambda: [
            IndexModel(
                [("buffer_id", ASCENDING), ("role", ASCENDING)],
                unique=True,
                partialFilterExpression={"role": {"$type": "string"}},
                name="one_egress_per_share_and_role",
            ),
            IndexModel([("buffer_id", ASCENDING), ("created_at", ASCENDING)]),
            IndexModel([("egress_id", ASCENDING)]),
            IndexModel([("indexing", ASCENDING)]),
        ],
    }

    id: str = Field(primary_field=True)
    buffer_id: str
    room: str
    room_sid: str
    identity: str
    video_sid: str
    audio_sid: str | None = None
    role: str | None = "current"
    folder: str
    created_at: datetime
    segment_seconds: int
    width: int = 0
    height: int = 0

    start_sent_at: datetime | None = None
    start_unclear_at: datetime | None = None
    looked_at: datetime | None = None
    stop_sent_at: datetime | None = None
    egress_id: str | None = None
    status: str = "EGRESS_STARTING"
    error: str = ""
    error_code: int = 0
    active_at: datetime | None = None
    ended_at: datetime | None = None
    ghost_at: datetime | None = None

    clock_ns: int | None = None
    clock_exact: bool = False

    indexing: str | None = "live"
    indexer: str | None = None
    indexer_until: datetime | None = None


class Segment(Model):
    """One piece of media that a playlist named. Identity: (session, media sequence).

    `state` is `indexed`, `marked` (about to be deleted) or `quarantined` (`fault` says why: it is
    a gap). Ticks are 1/90,000 s of the session's media time; `start` and `end` are the same
    instants on the wall clock. `samples` is a packed `app.media` SampleTable.
    """

    model_config = {
        "collection": "segments",
        "indexes": lambda: [
            IndexModel([("session_id", ASCENDING), ("sequence", ASCENDING)], unique=True),
            IndexModel([("buffer_id", ASCENDING), ("end", ASCENDING)]),
            IndexModel([("end", ASCENDING)]),
            IndexModel(
                [("state", ASCENDING)],
                partialFilterExpression={"state": {"$in": ["marked", "quarantined"]}},
            ),
        ],
    }

    id: str = Field(primary_field=True)
    session_id: str
    buffer_id: str
    sequence: int
    name: str
    start: datetime
    end: datetime
    start_ticks: int
    end_ticks: int
    extinf_seconds: float
    size_bytes: int
    payload_offset: int = 0
    init_id: str = ""
    audio: bool = False
    frames: int = 0
    width: int = 0
    height: int = 0
    samples: bytes = b""
    state: str = "indexed"
    fault: str | None = None
    indexed_at: datetime


class Pin(Model):
    """A stretch of a session that may not be deleted, until `until` at the latest.

    `end_ticks` None: open, everything from `start_ticks` on.
    """

    model_config = {
        "collection": "pins",
        "indexes": lambda: [
            IndexModel([("session_id", ASCENDING)]),
            IndexModel([("owner", ASCENDING)]),
            IndexModel([("until", ASCENDING)], expireAfterSeconds=60),
        ],
    }

    id: str = Field(primary_field=True)
    owner: str
    session_id: str
    start_ticks: int
    end_ticks: int | None = None
    until: datetime


class Capture(Model):
    """A request for a clip and its job. The row is the promise; the queue only hurries it.

    `status` is `accepting` until pin and quota are taken (shown to nobody), then `queued`,
    `waiting`, `running`, and at last `ready`, `failed` or `cancelled`.

    `spans` freeze, at the time of acceptance, what the window means in each session's media time:
    [{session_id, start_ticks, end_ticks}]; a share that is still starting has none yet.

    `lease` is the worker that has the job. `lease_until`: from then on somebody must look at the
    row again; None: nothing is left to do. `generation` counts how often the job was queued,
    `attempts` how often a worker began it.

    `result` is what the verified file holds, written once, before the file gets its name: from
    then on the capture can only become ready.
    """

    model_config = {
        "collection": "captures",
        "indexes": lambda: [
            IndexModel(
                [("caller", ASCENDING), ("idempotency_key", ASCENDING)],
                unique=True,
                partialFilterExpression={"idempotency_key": {"$type": "string"}},
                name="one_capture_per_key",
            ),
            IndexModel([("lease_until", ASCENDING)]),
            IndexModel([("buffer_id", ASCENDING), ("status", ASCENDING)]),
            IndexModel([("accepted_at", DESCENDING)]),
        ],
    }

    id: str = Field(primary_field=True)
    clip_id: str
    buffer_id: str
    caller: str
    room: str
    room_sid: str
    identity: str
    community: str = "default"
    title: str = ""
    cut: str = "precise"
    gaps: str = "skip"
    tail: str = "include"
    requested_start: datetime
    requested_end: datetime
    window_start: datetime
    window_end: datetime
    wait_until: datetime
    spans: list[dict[str, Any]] = []
    notes: list[str] = []
    accepted_at: datetime
    idempotency_key: str | None = None
    request_hash: str = ""
    status: str = "queued"
    stage: str = ""
    progress: float = 0.0
    reason: str | None = None
    detail: str = ""
    reserved_bytes: int = 0
    lease: str | None = None
    lease_until: datetime | None = None
    generation: int = 0
    attempts: int = 0
    result: dict[str, Any] | None = None
    finished_at: datetime | None = None


class ReplayClip(Model):
    """What a capture made. Rows exist from acceptance on; only `ready` ones are shown as clips."""

    model_config = {
        "collection": "clips",
        "indexes": lambda: [
            IndexModel([("owner", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)]),
            IndexModel([("room", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)]),
            IndexModel([("deleted_at", ASCENDING)]),
            IndexModel([("expires_at", ASCENDING)]),
        ],
    }

    id: str = Field(primary_field=True)
    capture_id: str
    file_id: str
    owner: str
    shared_by: str
    room: str
    room_sid: str
    community: str = "default"
    title: str = ""
    visibility: str = "private"
    ready: bool = False
    requested_start: datetime
    requested_end: datetime
    delivered_start: datetime | None = None
    delivered_end: datetime | None = None
    duration_seconds: float = 0.0
    hidden_head_seconds: float = 0.0
    tail_lag_seconds: float = 0.0
    gaps: list[dict[str, Any]] = []
    notes: list[str] = []
    audio: bool = False
    width: int = 0
    height: int = 0
    cut: str = "precise"
    clock: str = "exact"
    created_at: datetime
    expires_at: datetime | None = None
    keep: bool = False
    deleted_at: datetime | None = None


class File(Model):
    """The bytes of a clip, where they are and what they must hash to.

    `storage_path` is relative to the root of its storage. `checksum` is `sha256:` and 64 hex
    digits, None until it is known.
    """

    model_config = {
        "collection": "files",
        "indexes": lambda: [IndexModel([("resource_id", ASCENDING)])],
    }

    id: str = Field(primary_field=True)
    filename: str
    mime: str = "video/mp4"
    file_type: str = "VIDEO"
    size_bytes: int = 0
    checksum: str | None = None
    uploaded_by: str
    storage_type: str = "LOCAL"
    storage_path: str
    resource_type: str = "REPLAY_CLIP"
    resource_id: str
    created_at: datetime


class UserReplayQuota(Model):
    """What one user's clips, and captures on their way, take of the quota. `id` is the identity.

    `quota_bytes` None: QUOTA_BYTES. `charges` {clip id: bytes} are clips, `reservations`
    {clip id: bytes} captures that are not finished. `used_bytes` is the sum of the charges,
    `held_bytes` the sum of both. All change in one update of this document, guarded by the entry
    of the clip in it: whatever is repeated after a crash happens once.
    """

    model_config = {"collection": "quotas"}

    id: str = Field(primary_field=True)
    quota_bytes: int | None = None
    used_bytes: int = 0
    held_bytes: int = 0
    charges: dict[str, int] = {}
    reservations: dict[str, int] = {}


MODELS: tuple[type[Model], ...] = (
    Room,
    Participant,
    Track,
    Buffer,
    EgressSession,
    Segment,
    Pin,
    Capture,
    ReplayClip,
    File,
    UserReplayQuota,
)

"""What is recorded: shares, their egresses, the segments, and what may not be deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from odmantic import Field, Index, Model
from pymongo import ASCENDING, IndexModel

from app.models.buffer_rows import (
    BufferRow,
    EncodingStepRow,
    MarkerRow,
    PinRow,
    SegmentRow,
    SessionRow,
    SummaryRow,
)
from app.models.encoding_words import EncodingWhy
from app.models.stored import Stored
from app.models.words import (
    EgressStatus,
    FaultSlug,
    Indexing,
    SegmentState,
    SessionRole,
    Stopper,
    Why,
)


class Buffer(Model, Stored[BufferRow]):
    """A share and what is kept of it, over all of its tracks: see `app.recording.succession`.

    `id` is derived from the sid of its first video track: see `paths`. `video_sid` is that of the
    track that it has now, or had last, `participant_sid` of the connection that published it.
    `why` says why nothing is recorded, `retry_at` when that is tried again. `ended_at` is set when
    the share is over. `forget_before`: what was recorded before it is to go, for good; None when
    nothing of that is left. `forget_ranges`, each an `ErasedRange`, say the same of parts. `stops`
    are the words of those who have ended the recording of this share and not taken that back.
    `step`, an `EncodingStepDocument`, is the last time that it went on in a cheaper encoding.
    `told` is the state that events last told of, `told_count` how many times they did,
    `told_encoding` the encoding that it was in then.
    """

    model_config = {
        "collection": "buffers",
        "indexes": lambda: [
            Index(Buffer.room, Buffer.identity),
            Index(Buffer.room_sid, Buffer.identity),
            Index(Buffer.identity),
            *(
                IndexModel([(field, ASCENDING) for field in (*which, "since", "_id")])
                for narrow in ((), ("room_sid",), ("room",), ("community",))
                for which in (narrow, (*narrow, "ended_at"))
            ),
            IndexModel([("forget_before", ASCENDING)]),
            IndexModel([("forget_ranges.start", ASCENDING)]),
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
    why: Why | None = None
    why_detail: str = ""
    retry_at: datetime | None = None
    forget_before: datetime | None = None
    forget_ranges: list[dict[str, Any]] = []
    stops: dict[Stopper, str] = {}
    failures: int = 0
    step: dict[str, Any] | None = None
    told: str = ""
    told_count: int = 0
    told_encoding: str = ""


class EgressSession(Model, Stored[SessionRow]):
    """One egress of a share, from before its start is asked for until its media is forgotten.

    `video_sid` and `audio_sid` are the tracks that it records, in the room `room_sid`.
    `stopped_for`: why its share was refused when it was stopped, None if it was not.
    `role` is None once it is over; the unique index on it is what keeps a share from being recorded
    twice. `indexing` is None once it is read to its end. `folder` is relative to the media root,
    or to the prefix of egress's bucket.
    `encoding` is what egress was asked for, as ENCODING takes it, but never `source`;
    `encoding_why` why it is not the configured one. `behind_at`: when its indexer saw that egress
    can't keep up, None while it does.
    `clock_ns`: Unix time in ns of media time 0 (PTS 3600 s); `clock_exact` tells that it is the
    egress's own `segment_results[0].started_at`.
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
            IndexModel([("role", ASCENDING)]),
            IndexModel([("egress_id", ASCENDING)]),
            IndexModel([("room_sid", ASCENDING), ("identity", ASCENDING)]),
            IndexModel([("identity", ASCENDING)]),
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
    role: SessionRole | None = SessionRole.CURRENT
    folder: str
    created_at: datetime
    segment_seconds: int
    width: int = 0
    height: int = 0
    encoding: str = ""
    encoding_why: EncodingWhy | None = None
    behind_at: datetime | None = None

    start_sent_at: datetime | None = None
    start_unclear_at: datetime | None = None
    looked_at: datetime | None = None
    stop_sent_at: datetime | None = None
    stopped_for: Why | None = None
    egress_id: str | None = None
    status: EgressStatus = EgressStatus.STARTING
    error: str = ""
    error_code: int = 0
    active_at: datetime | None = None
    ended_at: datetime | None = None
    ghost_at: datetime | None = None

    clock_ns: int | None = None
    clock_exact: bool = False

    indexing: Indexing | None = Indexing.LIVE
    indexer: str | None = None
    indexer_until: datetime | None = None


class EncodingStep(Model, Stored[EncodingStepRow]):
    """The last time that a share went on in a cheaper encoding. There is one row, `LAST_STEP`."""

    model_config = {"collection": "encoding_steps"}

    id: str = Field(primary_field=True)
    buffer_id: str
    encoding: str
    why: EncodingWhy
    at: datetime


class Segment(Model, Stored[SegmentRow]):
    """One piece of media that a playlist named. Identity: (session, media sequence).

    `fault` says why a quarantined one can't be used. Ticks are 1/90,000 s of the session's media
    time; `start` and `end` are the same instants on the wall clock. `samples` is a packed
    `app.media` SampleTable; `levels`, of `app.media.loudness`, are how loud each of equal parts of
    its sound is, empty if that is not known. `modified_ns` is the fragment's st_mtime_ns, by which
    captures notice a file that was altered.
    """

    model_config = {
        "collection": "segments",
        "indexes": lambda: [
            IndexModel([("session_id", ASCENDING), ("sequence", ASCENDING)], unique=True),
            IndexModel([("buffer_id", ASCENDING), ("end", ASCENDING)]),
            IndexModel([("end", ASCENDING)]),
            IndexModel(
                [("state", ASCENDING)],
                partialFilterExpression={
                    "state": {"$in": [SegmentState.CONDEMNED, SegmentState.QUARANTINED]}
                },
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
    modified_ns: int | None = None
    payload_offset: int = 0
    init_id: str = ""
    audio: bool = False
    frames: int = 0
    width: int = 0
    height: int = 0
    samples: bytes = b""
    levels: bytes = b""
    state: SegmentState = SegmentState.INDEXED
    fault: FaultSlug | None = None
    indexed_at: datetime


class Summary(Model, Stored[SummaryRow]):
    """What of a session is indexed, and what of that is offered. `id` is the session's.

    The indexer's part: `runs` up to the sequence `through`, what lies below `floor` is over for
    good, `newest_at` when the newest row was written.

    The part of cleanup: media before `kept_from_ticks` is not offered any more (its rows, below
    `kept_from`, are gone unless pinned), and neither are `lost` stretches, whose files are gone.
    """

    model_config = {"collection": "summaries"}

    id: str = Field(primary_field=True)
    through: int = -1
    floor: int = 0
    runs: list[dict[str, Any]] = []
    newest_at: datetime | None = None
    kept_from: int = 0
    kept_from_ticks: int | None = None
    lost: list[dict[str, Any]] = []


class Pin(Model, Stored[PinRow]):
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


class Marker(Model, Stored[MarkerRow]):
    """A moment of a share that somebody marked, to cut it later.

    What is around it is not deleted before `kept_until`; then the row goes, too. The row is the
    promise: the pins of `marker:{id}` are made again if they are missing.

    `place` is one of those that the buffer has for markers, `personal_place` one of those that `by`
    has, over all buffers: of many at once, none gets a place that another has. `request_hash`: what
    the Idempotency-Key that the id is made of is compared by, if there is one.
    """

    model_config = {
        "collection": "markers",
        "indexes": lambda: [
            IndexModel([("buffer_id", ASCENDING), ("place", ASCENDING)], unique=True),
            IndexModel([("by", ASCENDING), ("personal_place", ASCENDING)], unique=True),
            IndexModel([("kept_until", ASCENDING)]),
        ],
    }

    id: str = Field(primary_field=True)
    buffer_id: str
    at: datetime
    label: str = ""
    request_hash: str = ""
    by: str
    place: int
    personal_place: int
    created_at: datetime
    kept_until: datetime

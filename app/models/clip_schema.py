"""What people keep: captures, the clips they make, their files."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from odmantic import Field, Model
from pymongo import ASCENDING, DESCENDING, IndexModel

from app.models import CaptureRow, ClipOwnerRow, ClipRow, FileRow, LinkFact, RenditionRow
from app.models.rendition_words import RenditionFormat
from app.models.stored import Stored
from app.models.words import (
    CaptureStage,
    CaptureStatus,
    ClipNote,
    ClockKind,
    Cut,
    Gaps,
    Tail,
    Visibility,
)


class Capture(Model, Stored[CaptureRow]):
    """A request for a clip and its job. The row is the promise; the queue only hurries it.

    `spans` freeze, at the time of acceptance, what the window means in each session's media time:
    [{session_id, start_ticks, end_ticks}]; a share that is still starting has none yet. `trim`
    {clip_id, start_seconds, end_seconds} is of one that is made of a clip, in its play time: it has
    no spans, and waits for nothing. `in_place`: it is still to take that clip's place. `moment_id`:
    of all that were asked for together, one for each share of a room.

    `lease` is the worker that has the job. `lease_until`: from then on somebody must look at the
    row again; None: nothing is left to do. `generation` counts how often the job was queued,
    `attempts` how often a worker began it.

    `result` is what the verified file holds, written once, before the file gets its name. `named`:
    it has that, and nobody has ended the capture before: from then on it can't be cancelled any
    more, and its clip is about to be there.
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
            # asked by: the embedded store never takes a partial index for a key
            IndexModel([(field, ASCENDING) for field in ("caller", "idempotency_key", "_id")]),
            IndexModel([("lease_until", ASCENDING)]),
            IndexModel([("caller", ASCENDING), ("accepted_at", ASCENDING)]),
            IndexModel([("buffer_id", ASCENDING), ("status", ASCENDING)]),
            IndexModel([("accepted_at", DESCENDING)]),
            IndexModel([("finished_at", ASCENDING)]),
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
    cut: Cut = Cut.PRECISE
    gaps: Gaps = Gaps.SKIP
    tail: Tail = Tail.INCLUDE
    requested_start: datetime
    requested_end: datetime
    window_start: datetime
    window_end: datetime
    wait_until: datetime
    spans: list[dict[str, Any]] = []
    trim: dict[str, Any] | None = None
    in_place: bool = False
    moment_id: str | None = None
    notes: list[ClipNote] = []
    by_rules: bool = False
    permitted_until: datetime | None = None
    accepted_at: datetime
    idempotency_key: str | None = None
    request_hash: str = ""
    status: CaptureStatus
    stage: CaptureStage = CaptureStage.NONE
    progress: float = 0.0
    reason: str | None = None
    detail: str = ""
    reserved_bytes: int = 0
    lease: str | None = None
    lease_until: datetime | None = None
    generation: int = 0
    attempts: int = 0
    result: dict[str, Any] | None = None
    named: bool = False
    finished_at: datetime | None = None


class ReplayClip(Model, Stored[ClipRow]):
    """What a capture made. Only `ready` ones that are not deleted are shown.

    `trimmed_from`: the clip that it is a part of, which may be gone since; `ancestors`: that one,
    what that is a part of, and so on. `moment_id`: as of its capture. `in_place_of` {clip_id,
    first, grant, turn, own_grant}: the clip whose place it was given last, which had this `grant`
    and `turn`, and its own grant since; `first`: which of its ancestors had that place first.
    `replaced_by`: the clip that has its place; None once it was restored.

    `audience` is the sid of the room whose people may see it, `link_secret` what a link bears until
    `link_expires_at`; None otherwise. `link_tells`: what its page may say, `views`: how often
    somebody looked at it. `grant` counts how often it changed who may see it: signed URLs of others
    than the owner bear it. `opened`: it is open to others, or was until somebody else closed it,
    `closed_by`, who alone lets it be opened again. `deletion_request` {requested_by, reason,
    requested_at}: its owner is asked to delete it. `turn` counts how often it was deleted and
    restored: it is odd while the clip is deleted. `chapters` [{seconds, label}]: what was marked in
    it when it was made.

    `hidden_head_shared`: others get what its file hides before the start. `clean_…` are of the copy
    without it: its size, once it is there, and its checksum; who makes it, until when, and how
    often one began. From `clean_until` on somebody must look at it again; None: it is there, or
    nobody needs it.
    """

    model_config = {
        "collection": "clips",
        # ascending, though lists go back in time: see app.store
        "indexes": lambda: [
            *(
                IndexModel([(field, ASCENDING) for field in (*which, "created_at", "_id")])
                for which in (("owner", "room"), ("owner",), ("room",), ("audience",), ())
            ),
            *(
                IndexModel([(field, ASCENDING) for field in (*which, "created_at", "_id")])
                for which in (
                    ("shared_by", "opened"),
                    ("shared_by", "opened", "room"),
                    ("room", "opened"),
                    ("room", "visibility"),
                    ("room_sid", "opened"),
                )
            ),
            IndexModel([("moment_id", ASCENDING)]),
            IndexModel([("ancestors", ASCENDING)]),
            IndexModel([("replaced_by", ASCENDING)]),
            IndexModel([("link_secret", ASCENDING)]),
            IndexModel([("clean_until", ASCENDING)]),
            IndexModel([("deleted_at", ASCENDING)]),
            IndexModel([("owner", ASCENDING), ("deleted_at", ASCENDING)]),
            IndexModel(
                [
                    (field, ASCENDING)
                    for field in ("keep", "ready", "deleted_at", "expires_at", "_id")
                ]
            ),
        ],
    }

    id: str = Field(primary_field=True)
    capture_id: str
    trimmed_from: str | None = None
    ancestors: list[str] = []
    in_place_of: dict[str, Any] | None = None
    replaced_by: str | None = None
    moment_id: str | None = None
    file_id: str
    owner: str
    shared_by: str
    buffer_id: str = ""
    room: str
    room_sid: str
    community: str = "default"
    title: str = ""
    visibility: Visibility = Visibility.PRIVATE
    audience: str | None = None
    link_secret: str | None = None
    link_expires_at: datetime | None = None
    link_tells: list[LinkFact] = [LinkFact.WHO, LinkFact.WHEN]
    views: int = 0
    grant: int = 0
    opened: bool = False
    closed_by: str | None = None
    deletion_request: dict[str, Any] | None = None
    ready: bool = False
    requested_start: datetime
    requested_end: datetime
    delivered_start: datetime | None = None
    delivered_end: datetime | None = None
    duration_seconds: float = 0.0
    hidden_head_seconds: float = 0.0
    hidden_head_shared: bool = False
    clean_bytes: int | None = None
    clean_checksum: str | None = None
    clean_lease: str | None = None
    clean_until: datetime | None = None
    clean_attempts: int = 0
    tail_lag_seconds: float = 0.0
    gaps: list[dict[str, Any]] = []
    chapters: list[dict[str, Any]] = []
    notes: list[ClipNote] = []
    audio: bool = False
    width: int = 0
    height: int = 0
    cut: Cut = Cut.PRECISE
    clock: ClockKind = ClockKind.EXACT
    created_at: datetime
    expires_at: datetime | None = None
    keep: bool = False
    deleted_at: datetime | None = None
    turn: int = 0


class File(Model, Stored[FileRow]):
    """The bytes of a clip, or of a rendition of it, where they are and what they must hash to.

    `storage_path` is relative to the root of its storage. `checksum` is `sha256:` and 64 hex
    digits, None until it is known.
    """

    model_config = {
        "collection": "files",
        "indexes": lambda: [
            IndexModel([("resource_id", ASCENDING)]),
            *(
                IndexModel([(field, ASCENDING) for field in (*which, "size_bytes", "_id")])
                for which in (("uploaded_by",), ())
            ),
        ],
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


class Rendition(Model, Stored[RenditionRow]):
    """A clip, or a part of it, in another format: a file of the clip's that bears its own id.

    `content` says what it is; of one that is withdrawn it is the id, so that the same can be asked
    for again, and its row is there until it is counted no longer. `beside`: the other clips of a
    side by side, in its order. `start_seconds` and `end_seconds` are of the clip's play time, of a
    side by side of its own. `lease`, `lease_until`, `attempts`: as of a capture. `size_bytes`: once
    it is ready.
    """

    model_config = {
        "collection": "renditions",
        "indexes": lambda: [
            IndexModel([("clip_id", ASCENDING), ("content", ASCENDING)], unique=True),
            IndexModel([("beside", ASCENDING)]),
            IndexModel([("lease_until", ASCENDING)]),
            IndexModel([("caller", ASCENDING), ("accepted_at", ASCENDING)]),
        ],
    }

    id: str = Field(primary_field=True)
    clip_id: str
    caller: str
    content: str
    format: RenditionFormat
    beside: list[str] = []
    start_seconds: float
    end_seconds: float
    storage_path: str
    accepted_at: datetime
    status: CaptureStatus
    progress: float = 0.0
    reason: str | None = None
    detail: str = ""
    size_bytes: int | None = None
    lease: str | None = None
    lease_until: datetime | None = None
    attempts: int = 0


class ClipOwner(Model, Stored[ClipOwnerRow]):
    """Somebody who has clips, and when they were last seen. `id` is the identity."""

    model_config = {
        "collection": "clip_owners",
        "indexes": lambda: [IndexModel([("seen_at", ASCENDING)])],
    }

    id: str = Field(primary_field=True)
    seen_at: datetime

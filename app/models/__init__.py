"""The rows: what is known (facts), what is recorded, what is kept, who may.

Here are the types of rows, and the words that they hold: plain Python, which every module may
import. The models that make rows, with the collections and their indexes, are in `schema`: they
need the database's driver.

Most rows are created with ODMantic. Facts, pins and generations are upserted: the update must name
every field. A summary has only the parts of it that were written. Every change of state is one
atomic update on the collection, never a whole-document save, which would undo what another process
wrote in between. All datetimes are aware, UTC, and cut to milliseconds by MongoDB. Ids are named by
their owner: `*_sid` and `egress_id` are LiveKit's, everything else is ours.
"""

from __future__ import annotations

from typing import Any

from app.models.access_rows import (
    AssignedRoomRow,
    AuditRow,
    CommunityRow,
    DeedRow,
    MemberRow,
    NotedRulesRow,
    QuotaEntries,
    QuotaRow,
    RightsRow,
)
from app.models.access_words import Action
from app.models.audit_words import AuditAction
from app.models.buffer_rows import (
    BufferRow,
    EncodingStepDocument,
    EncodingStepRow,
    ErasedRange,
    LostRange,
    MarkerRow,
    MediaRange,
    PinRow,
    RunDocument,
    SegmentRow,
    SessionRow,
    SummaryRow,
)
from app.models.clip_rows import (
    CaptureResult,
    CaptureRow,
    ClipChapter,
    ClipFields,
    ClipGap,
    ClipOwnerRow,
    ClipRow,
    DeletionRequest,
    FileRow,
    RenditionRow,
    TakenPlace,
    TrimRange,
)
from app.models.clip_words import ClipOrder
from app.models.condition_rows import SampleRow
from app.models.encoding_words import EncodingWhy
from app.models.event_rows import DeliveryDocument, EventNumberRow, EventRow
from app.models.event_words import ClipLoss, EventFormat, EventName
from app.models.fact_rows import ParticipantRow, RoomRow, TrackRow
from app.models.failure_words import FailureReason
from app.models.link_words import LinkFact
from app.models.pack_rows import PackedFragment, PackRow
from app.models.pack_words import PackState
from app.models.process_words import ProcessRole
from app.models.rendition_words import RenditionFormat
from app.models.stored import RowOf, Stored
from app.models.words import (
    AccessMode,
    BufferGapWhy,
    BufferState,
    CapturePolicy,
    CaptureStage,
    CaptureStatus,
    ClipNote,
    ClockKind,
    CommunityClaims,
    Cut,
    EgressStatus,
    EventState,
    FaultSlug,
    Gaps,
    GapWhy,
    Indexing,
    Role,
    SegmentState,
    SessionRole,
    SharerRights,
    Stopper,
    Tail,
    Visibility,
    Why,
)

Row = dict[str, Any]
"""A document without a type of its own: a query, a change, a projection."""

__all__ = [
    "AccessMode",
    "Action",
    "AssignedRoomRow",
    "AuditAction",
    "AuditRow",
    "BufferGapWhy",
    "BufferRow",
    "BufferState",
    "CapturePolicy",
    "CaptureResult",
    "CaptureRow",
    "CaptureStage",
    "CaptureStatus",
    "ClipChapter",
    "ClipFields",
    "ClipGap",
    "ClipLoss",
    "ClipNote",
    "ClipOrder",
    "ClipOwnerRow",
    "ClipRow",
    "ClockKind",
    "CommunityClaims",
    "CommunityRow",
    "Cut",
    "DeedRow",
    "DeletionRequest",
    "DeliveryDocument",
    "EgressStatus",
    "EncodingStepDocument",
    "EncodingStepRow",
    "EncodingWhy",
    "ErasedRange",
    "EventFormat",
    "EventName",
    "EventNumberRow",
    "EventRow",
    "EventState",
    "FailureReason",
    "FaultSlug",
    "FileRow",
    "GapWhy",
    "Gaps",
    "Indexing",
    "LinkFact",
    "LostRange",
    "MarkerRow",
    "MediaRange",
    "MemberRow",
    "NotedRulesRow",
    "PackRow",
    "PackState",
    "PackedFragment",
    "ParticipantRow",
    "PinRow",
    "ProcessRole",
    "QuotaEntries",
    "QuotaRow",
    "RenditionFormat",
    "RenditionRow",
    "RightsRow",
    "Role",
    "RoomRow",
    "Row",
    "RowOf",
    "RunDocument",
    "SampleRow",
    "SegmentRow",
    "SegmentState",
    "SessionRole",
    "SessionRow",
    "SharerRights",
    "Stopper",
    "Stored",
    "SummaryRow",
    "Tail",
    "TakenPlace",
    "TrackRow",
    "TrimRange",
    "Visibility",
    "Why",
]

"""Closed lists of words that rows hold, and that callers say or are shown.

Rows hold plain text: compare words with `==` and `in`, never with `is`.
"""

from __future__ import annotations

from enum import StrEnum


class EgressStatus(StrEnum):
    """How far an egress is, spelled as LiveKit spells it."""

    STARTING = "EGRESS_STARTING"
    ACTIVE = "EGRESS_ACTIVE"
    ENDING = "EGRESS_ENDING"
    COMPLETE = "EGRESS_COMPLETE"
    FAILED = "EGRESS_FAILED"
    ABORTED = "EGRESS_ABORTED"
    LIMIT_REACHED = "EGRESS_LIMIT_REACHED"

    @classmethod
    def running(cls) -> list[EgressStatus]:
        """Those of an egress that is not over, in the order that they follow each other in."""
        return [cls.STARTING, cls.ACTIVE, cls.ENDING]


class SessionRole(StrEnum):
    """What an egress is to its share, as long as it is not over. The next is about to take over."""

    CURRENT = "current"
    NEXT = "next"


class Indexing(StrEnum):
    """What an indexer has to do with a session; a session that is read to its end has no word."""

    LIVE = "live"


class SegmentState(StrEnum):
    """What becomes of a segment."""

    INDEXED = "indexed"
    CONDEMNED = "marked"
    """About to be deleted."""
    QUARANTINED = "quarantined"
    """It can't be used, and is a gap."""


class FaultSlug(StrEnum):
    """What is wrong with a segment: the reason of its gap, and a metric's label."""

    CODEC = "codec"
    """Another codec, or an audio layout, than H.264 and AAC-LC in mono or stereo."""
    CORRUPT = "corrupt"
    """Lost or altered transport packets, or pictures without their parameters."""
    EMPTY = "empty"
    """A file of zero bytes."""
    NOT_A_FILE = "not-a-file"
    """A link, a folder, a pipe or a device in place of the file."""
    NO_KEYFRAME = "no-keyframe"
    """The first picture is no keyframe, so that nothing can start here."""
    NO_VIDEO = "no-video"
    """No picture at all."""
    TIMESTAMPS = "timestamps"
    """Times that no camera made: doubled, before the session's, after now, longer than promised."""
    TOO_LARGE = "too-large"
    """More than 64 MiB, 40,000 NAL units, 20,000 frames of sound, or 9,437,184 pixels a picture."""
    TRUNCATED = "truncated"
    """The file ends before the media that its playlist line promised."""
    UNREADABLE = "unreadable"
    """Absent, not permitted, or not MPEG-TS."""
    MISSING = "missing"
    """The file of a segment that was indexed is gone."""
    DELETED = "deleted"
    """Deleted by the sharer, or by an admin."""


class BufferGapWhy(StrEnum):
    """Why a part of a buffer has no segment."""

    LOST = "lost"
    """Segments that no playlist ever named."""
    EXPIRED = "expired"
    """Older than what is offered, between marked stretches."""
    NOT_PRESENT = "not-present"
    """The caller was not in the room, and may watch only what happened while they were."""
    NOT_SHARED = "not-shared"
    """Nothing was shared: the share went on in another track, such as after a reconnect."""
    REFUSED = "refused"
    """Nothing was to be recorded: somebody had stopped it, or no rule permitted it."""
    EGRESS_FAILED = "egress-failed"
    """The egress failed, and was started again."""
    EGRESS_ENDED = "egress-ended"
    """Nothing was recorded: the egress before had ended."""


class ClockKind(StrEnum):
    """Whether wall-clock times come from the egress's own clock, or from a stand-in."""

    EXACT = "exact"
    APPROXIMATE = "approximate"


class BufferState(StrEnum):
    """What a share is doing."""

    WAITING = "waiting"
    STARTING = "starting"
    RECORDING = "recording"
    LAGGING = "lagging"
    STALLED = "stalled"
    ENDED = "ended"
    REFUSED = "refused"


class Why(StrEnum):
    """Why a share is not recorded: stored in `Buffer.why` and told by `GET /buffers`."""

    OPTED_OUT = "opted-out"
    STOPPED_BY_SHARER = "stopped-by-sharer"
    STOPPED_BY_ADMIN = "stopped-by-admin"
    ENCRYPTED = "encrypted"
    CODEC = "codec"
    NO_WORKER = "no-worker"
    USER_LIMIT = "user-limit"
    LIMIT = "limit"
    TOO_OFTEN = "too-often"
    QUOTA = "quota"
    DISK = "disk"
    NOT_PERMITTED = "not-permitted"
    COMMUNITY_OFF = "community-off"
    EGRESS_FAILED = "egress-failed"
    STARTING = "starting"

    @property
    def refuses(self) -> bool:
        """Whether nothing is tried until the reason goes."""
        return self not in Why.trying()

    @classmethod
    def limits(cls) -> list[Why]:
        """Those that go when another share ends; their detail is how many there may be."""
        return [cls.USER_LIMIT, cls.LIMIT]

    @classmethod
    def trying(cls) -> list[Why]:
        """Those of a share that is still tried for."""
        return [cls.NO_WORKER, cls.EGRESS_FAILED, cls.STARTING]


class Stopper(StrEnum):
    """As whom somebody ends the recording of a share. Each side takes back only its own word."""

    SHARER = "sharer"
    ADMIN = "admin"


class CaptureStatus(StrEnum):
    """How far a capture is. Which follows which: `app.captures.lifecycle`."""

    ACCEPTING = "accepting"
    """Pin and quota are not taken yet: shown to nobody."""
    QUEUED = "queued"
    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether it stays so."""
        return self in (CaptureStatus.READY, CaptureStatus.FAILED, CaptureStatus.CANCELLED)

    @classmethod
    def unfinished(cls) -> list[CaptureStatus]:
        """Those that are not final."""
        return [status for status in cls if not status.is_final]


class CaptureStage(StrEnum):
    """What is done for a capture right now, in words that its caller is shown."""

    NONE = ""
    WAITING = "waiting for media"
    COPYING = "copying"
    ENCODING = "encoding"
    FINISHING = "finishing"
    STORE_AWAY = "waiting for storage"


class Cut(StrEnum):
    """Where a clip begins and ends."""

    PRECISE = "precise"
    """On the frame that was asked for, by an edit list."""
    SEGMENT = "segment"
    """Where whole segments do."""
    EXACT = "exact"
    """On the frame that was asked for; what was cut off is not in the file."""


class Gaps(StrEnum):
    """What becomes of pauses between recordings."""

    SKIP = "skip"
    KEEP = "keep"


class Tail(StrEnum):
    """Whether a window reaches to the moment of the call, and waits for that moment's media."""

    INCLUDE = "include"
    SKIP = "skip"


class ClipNote(StrEnum):
    """How a window or a clip differs from what was asked for, or was permitted at first."""

    START_CLAMPED = "start-clamped"
    END_CLAMPED = "end-clamped"
    SHARE_ENDED = "share-ended"
    CLOCK_APPROXIMATE = "clock-approximate"
    WHILE_PRESENT = "while-present"
    """Only what happened while the caller was in the room."""
    PERMISSION_ENDED = "permission-ended"


class GapWhy(StrEnum):
    """Why a part of a clip has no new picture."""

    NO_PICTURE = "no-picture"
    LOST = "lost"
    NOT_RECORDED = "not-recorded"
    NOT_PRESENT = "not-present"


class Visibility(StrEnum):
    """Who may see a clip besides its owner."""

    PRIVATE = "private"
    ROOM = "room"
    LINK = "link"


class EventState(StrEnum):
    """What became of one of our events. A dead one was given up after a day."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


class Role(StrEnum):
    """What somebody is in a community."""

    MEMBER = "member"
    MODERATOR = "moderator"
    ADMIN = "admin"


class AccessMode(StrEnum):
    """Whether everybody buffers and captures their own shares, or who has a role for it."""

    OPEN = "open"
    RBAC = "rbac"


class CommunityClaims(StrEnum):
    """Who names a share's community: its room, by metadata, or the sharer, by their token."""

    ROOM = "room"
    TOKEN = "token"  # noqa: S105 - a word, no secret


class CapturePolicy(StrEnum):
    """Whose shares one may capture in a community, besides one's own."""

    SELF = "self"
    ROOM = "room"
    ROLE = "role"


class SharerRights(StrEnum):
    """What a sharer may do with opened clips of their screen that others have made.

    Each includes those before it. A room's admin may do the same with clips of their room.
    """

    SEE = "see"
    """See them, and ask their owners to delete them."""
    CLOSE = "close"
    """Make them private."""
    DELETE = "delete"
    """Delete them."""

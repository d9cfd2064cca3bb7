"""The names of our own events, and words that they say."""

from __future__ import annotations

from enum import StrEnum


class EventName(StrEnum):
    """What one of our events tells of."""

    BUFFER_STARTED = "buffer_started"
    """A share is being recorded."""
    BUFFER_ENDED = "buffer_ended"
    """The share is over."""
    BUFFER_REFUSED = "buffer_refused"
    """The share is not recorded."""
    BUFFER_ENCODING = "buffer_encoding"
    """The share goes on in another encoding."""
    BUFFER_ERASED = "buffer_erased"
    """What is kept of a share, or its last part, was deleted."""
    CAPTURE_READY = "capture_ready"
    """A capture has become a clip."""
    SCREEN_CAPTURED = "screen_captured"
    """Somebody else has made a clip of a share."""
    CAPTURE_FAILED = "capture_failed"
    """A capture could not be made."""
    QUOTA_EXCEEDED = "quota_exceeded"
    """A capture was refused for want of quota; once an hour for each caller."""
    ROLE_CHANGED = "role_changed"
    """A user has got another role or other grants in a community."""
    CLIP_SHARED = "clip_shared"
    """A user posts a clip in the chat."""
    CLIP_WITHDRAWN = "clip_withdrawn"
    """Somebody else than its owner has closed or deleted a clip."""
    DELETION_REQUESTED = "deletion_requested"
    """A clip's owner is asked to delete it."""
    PING = "ping"
    """An admin tries whether events arrive."""


class EventFormat(StrEnum):
    """In which shape a target gets our events."""

    LIVEKIT = "livekit"
    """As LiveKit sends its own webhooks: its receivers verify and read them."""
    PLAIN = "plain"
    """A CloudEvent as JSON, signed by an HMAC of its time and its bytes."""
    SLACK = "slack"
    """A message for an incoming webhook of Slack."""
    DISCORD = "discord"
    """A message for a webhook of Discord."""
    MATRIX = "matrix"
    """A notice, sent into a room of Matrix by its client-server API."""
    MATTERMOST = "mattermost"
    """A message for an incoming webhook of Mattermost."""

    @property
    def is_chat(self) -> bool:
        """Whether people read it, not a program."""
        return self not in (EventFormat.LIVEKIT, EventFormat.PLAIN)

    @property
    def has_secret(self) -> bool:
        """Whether a secret goes with it; else the URL is one."""
        return self in (EventFormat.LIVEKIT, EventFormat.PLAIN, EventFormat.MATRIX)


class ClipLoss(StrEnum):
    """What becomes of a clip by somebody else than its owner."""

    CLOSED = "closed"
    DELETED = "deleted"

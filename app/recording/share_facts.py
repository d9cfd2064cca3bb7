"""A share as the facts tell it: what the planner decides on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.models import EncodingStepDocument, EncodingWhy, SessionRow, Why


@dataclass(frozen=True)
class Chosen:
    """An encoding, and why it is not the configured one."""

    name: str
    why: EncodingWhy | None = None


UNNAMED = Chosen("")
"""What egress was asked for is not known."""


@dataclass(frozen=True)
class ShareFacts:
    """A share as the facts tell it. `refusal` says why it must not be recorded.

    `video_sid`: the track that it has now. What records another is of a track before.
    `encodings`: those that it may be recorded in, the dearest first; `begins_in` the one that an
    egress would begin in now; `step` the last time that it went on in a cheaper one.
    """

    live: bool
    video_sid: str
    published_at: datetime
    audio_sid: str | None = None
    refusal: Why | None = None
    failures: int = 0
    retry_at: datetime | None = None
    encodings: tuple[str, ...] = ()
    begins_in: Chosen = UNNAMED
    step: EncodingStepDocument | None = None

    def is_of(self, session: SessionRow) -> bool:
        """Whether a session records the track that the share has now."""
        return session["video_sid"] == self.video_sid

    def resting(self, now: datetime) -> bool:
        """Whether the next start has to wait for the back-off's end."""
        return self.retry_at is not None and now < self.retry_at

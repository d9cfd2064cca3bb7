"""How much may be captured and kept, and for how long."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field
from pydantic_settings import BaseSettings

from app.settings.values import LinkDays, QuotaBytes

AT_LEAST = timedelta(seconds=60)
"""A slip of the hand can always be taken back."""


class ClipSettings(BaseSettings):
    """How much may be captured and kept, and for how long."""

    quota_bytes: QuotaBytes = Field(
        5 * 2**30,
        description="A user's quota for clips; what captures that are being made hold counts.",
    )
    quota_bytes_top: QuotaBytes = Field(
        2**40, description="The most that a user may be given as their own QUOTA_BYTES."
    )
    clips_bytes: QuotaBytes = Field(
        0,
        description="What the clips of all may take together; what captures that are being made "
        "hold counts; 0: any number of bytes.",
    )
    orphan_clip_days: float = Field(
        0,
        ge=0,
        le=36500,
        description="Days after which clips expire whose owner was in no room and asked for no "
        "session; kept ones stay; 0: never.",
    )
    max_capture_minutes: float = Field(
        10, gt=0, le=1440, description="The longest window of a capture."
    )
    clip_days: float = Field(
        0, ge=0, le=36500, description="Days after which a clip expires; 0: never."
    )
    trash_days: float = Field(
        7,
        ge=0,
        le=365,
        description="Days that a deleted clip rests at most, and can be restored; less than 60 s "
        "counts as 60 s.",
    )
    link_days: LinkDays = Field(
        7, description="Days that a clip's link holds, unless its owner says."
    )
    captures_at_once: int = Field(4, ge=1, le=64, description="Captures written at once a worker.")
    captures_pending_per_user: int = Field(
        16,
        ge=1,
        description="Captures of one user that are not finished; fewer, and at last one, once "
        "half of CAPTURES_PENDING are taken.",
    )
    captures_pending: int = Field(
        1000, ge=1, description="Captures of all users that are not finished."
    )
    captures_per_minute: int = Field(
        60, ge=0, description="Captures that one user may ask for in a minute; 0: any number."
    )
    captures_per_hour: int = Field(
        600, ge=0, description="Captures that one user may ask for in an hour; 0: any number."
    )

    @property
    def trash(self) -> timedelta:
        """How long a deleted clip rests at most before its file goes."""
        return max(timedelta(days=self.trash_days), AT_LEAST)

    @property
    def max_capture(self) -> timedelta:
        return timedelta(minutes=self.max_capture_minutes)

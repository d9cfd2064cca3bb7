"""How much may be captured and kept, by whom, and who hears of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from app.models.words import AccessMode, CapturePolicy, CommunityClaims
from app.settings.values import HttpUrl, Names, QuotaBytes, Shares, SharesOfOne


class ClipSettings(BaseSettings):
    """How much may be captured and kept, by whom, and who hears of it."""

    access: AccessMode = Field(AccessMode.OPEN, description="Who may buffer and capture.")
    capture_policy: CapturePolicy = Field(
        CapturePolicy.SELF, description="Whose share may be captured by whom."
    )
    community_claims: CommunityClaims = Field(
        CommunityClaims.ROOM,
        description="Whose word says which community a share belongs to, where no admin has "
        "assigned its room: the room's metadata, or the sharer's token.",
    )
    admins: Names = Field(
        (), description="Identities, comma separated, that administrate the instance."
    )
    max_concurrent: Shares = Field(5, description="Shares buffered at once per community.")
    max_concurrent_per_user: SharesOfOne = Field(
        2, description="Of them of one user, from however many devices."
    )
    max_concurrent_top: Shares = Field(
        100,
        description="The most that a community may have as its own MAX_CONCURRENT, or "
        "MAX_CONCURRENT_PER_USER.",
    )
    quota_bytes: QuotaBytes = Field(
        5 * 2**30,
        description="A user's quota for clips; what captures that are being made hold counts.",
    )
    quota_bytes_top: QuotaBytes = Field(
        2**40, description="The most that a user may be given as their own QUOTA_BYTES."
    )
    max_capture_minutes: float = Field(
        10, gt=0, le=1440, description="The longest window of a capture."
    )
    clip_days: float = Field(
        0, ge=0, le=36500, description="Days after which a clip expires; 0: never."
    )
    link_days: float = Field(
        7, gt=0, le=3650, description="Days that a clip's link holds, unless its owner says."
    )
    audit_days: float = Field(90, gt=0, le=36500, description="Days that audit entries are kept.")
    captures_at_once: int = Field(4, ge=1, le=64, description="Captures written at once a worker.")
    captures_pending_per_user: int = Field(
        16, ge=1, description="Captures of one user that are not finished."
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
    events_url: HttpUrl = Field("", description="Where our own webhooks go; empty: nowhere.")
    events_key: str = Field("", description="Key our webhooks are signed with.")
    events_secret: SecretStr = Field(SecretStr(""), description="Its secret.")

    @field_validator("admins")
    @classmethod
    def _identities(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if strange := [name for name in value if "*" in name]:
            raise ValueError(f"must be identities, one by one: {strange[0]!r} is no pattern here")
        return value

    @model_validator(mode="after")
    def _events_are_signed(self) -> Self:
        if self.events_url and not (self.events_key and self.events_secret.get_secret_value()):
            raise ValueError(
                "EVENTS_URL needs EVENTS_KEY and EVENTS_SECRET: our events are never signed with "
                "LiveKit's key"
            )
        return self

    @property
    def max_capture(self) -> timedelta:
        return timedelta(minutes=self.max_capture_minutes)

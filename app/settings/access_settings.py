"""Who may do what, how many shares are recorded at once, how long the audit is kept."""

from __future__ import annotations

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from app.models.words import AccessMode, CapturePolicy, CommunityClaims, SharerRights
from app.settings.values import Names, Shares, SharesOfOne


class AccessSettings(BaseSettings):
    """Who may do what, how many shares are recorded at once, how long the audit is kept."""

    access: AccessMode = Field(AccessMode.OPEN, description="Who may buffer and capture.")
    capture_policy: CapturePolicy = Field(
        CapturePolicy.SELF, description="Whose share may be captured by whom."
    )
    sharer_rights: SharerRights = Field(
        SharerRights.CLOSE,
        description="What whoever is on screen may do with clips that others have made and opened, "
        "and a room's admin with those of their room: see them, close them, delete them.",
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
    shares_per_hour: int = Field(
        120,
        ge=0,
        description="Shares of one user in a community that begin to be recorded in an hour, and "
        "refusals of theirs that are told; of all there, so many for each of MAX_CONCURRENT. "
        "0: any number.",
    )
    max_concurrent_top: Shares = Field(
        100,
        description="The most that a community may have as its own MAX_CONCURRENT, or "
        "MAX_CONCURRENT_PER_USER.",
    )
    audit_days: float = Field(90, gt=0, le=36500, description="Days that audit entries are kept.")

    @field_validator("admins")
    @classmethod
    def _identities(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if strange := [name for name in value if "*" in name]:
            raise ValueError(f"must be identities, one by one: {strange[0]!r} is no pattern here")
        return value

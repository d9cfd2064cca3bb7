"""Where stores and media lie, and how long media stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from app.settings.redis_url import taken_apart
from app.settings.values import RetentionMinutes


class StorageSettings(BaseSettings):
    """Where stores and media lie, and how long media stays."""

    data_dir: Path = Field(Path("data"), description="Where the embedded stores keep their files.")
    mongo_url: str = Field("", description="MongoDB; empty: an embedded store under DATA_DIR.")
    redis_url: str = Field(
        "",
        description="Redis or Valkey, also behind Sentinels: `redis+sentinel://`; empty: an "
        "embedded one.",
    )
    file_upload_dest: Path | None = Field(
        None, description="Media root as this service sees it; default: DATA_DIR/media."
    )
    egress_file_upload_dest: str = Field(
        "",
        description="The same folder as egress sees it, which needs only its `replay-buffer`; "
        "default: FILE_UPLOAD_DEST.",
    )
    retention_minutes: RetentionMinutes = Field(
        12, description="Age at which a segment is deleted."
    )
    retention_minutes_top: RetentionMinutes = Field(
        120,
        description="The most that a community may have as its own RETENTION_MINUTES.",
    )
    marker_minutes: float = Field(
        30, gt=0, le=1440, description="How long after a marked moment what is around it is kept."
    )
    cleanup_minutes: float = Field(
        5, ge=0.01, le=1440, description="How often old segments are deleted."
    )
    free_space_min_bytes: int = Field(
        2 * 2**30, ge=0, description="Below this, windows shrink and new sessions are refused."
    )
    watch: Literal["auto", "poll"] = Field(
        "auto", description="`poll` where file events are silent (NFS, SMB)."
    )

    @field_validator("egress_file_upload_dest")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if value and not value.startswith("/"):
            raise ValueError("must be an absolute path: egress knows no other folder to start from")
        return value

    @field_validator("redis_url")
    @classmethod
    def _known_redis(cls, value: str) -> str:
        if value:
            taken_apart(value)
        return value

    @property
    def media_root(self) -> Path:
        """The media root as this service sees it, absolute."""
        return (self.file_upload_dest or self.data_dir / "media").absolute()

    @property
    def egress_media_root(self) -> str:
        """The media root as the egress sees it, absolute, without a trailing slash."""
        return (self.egress_file_upload_dest or str(self.media_root)).rstrip("/")

    @property
    def retention(self) -> timedelta:
        return timedelta(minutes=self.retention_minutes)

    @property
    def marks_keep(self) -> timedelta:
        """How long after a marked moment what is around it is kept."""
        return timedelta(minutes=self.marker_minutes)

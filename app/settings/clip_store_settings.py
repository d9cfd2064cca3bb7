"""Where the files of clips are kept, and how they are served from there."""

from __future__ import annotations

import re
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from app.settings.store_place import StorePlace, store_place
from app.settings.values import HttpUrl

_REGION = re.compile(r"[a-z0-9-]{1,40}")


class ClipStoreSettings(BaseSettings):
    """Where the files of clips are kept, and how they are served from there."""

    clips_url: str = Field(
        "",
        description="Where clips are kept: `s3://BUCKET/PREFIX`, `gs://…`, `az://…`, or "
        "`file:///FOLDER`; empty: in FILE_UPLOAD_DEST.",
    )
    clips_proxy: bool = Field(
        False,
        description="Whether clips in a bucket are read through this service; else callers are "
        "redirected to the bucket, by URLs that hold for 5 minutes.",
    )
    s3_endpoint: HttpUrl = Field(
        "", description="URL of an S3 store, as this service and browsers reach it; empty: AWS."
    )
    s3_region: str = Field("us-east-1", description="Its region.")
    aws_access_key_id: str = Field(
        "",
        description="Key for the bucket; empty: the one that AWS's tools would take, from files, "
        "web identity or the instance's role.",
    )
    aws_secret_access_key: SecretStr = Field(SecretStr(""), description="Its secret.")
    aws_session_token: SecretStr = Field(
        SecretStr(""), description="Its session token, if it is a temporary one."
    )

    @field_validator("clips_url")
    @classmethod
    def _is_a_place(cls, value: str) -> str:
        if value:
            store_place(value, "CLIPS_URL")
        return value

    @field_validator("s3_region")
    @classmethod
    def _is_a_region(cls, value: str) -> str:
        if not _REGION.fullmatch(value):
            raise ValueError("must be a region such as eu-central-1; `auto` for Cloudflare's R2")
        return value

    @model_validator(mode="after")
    def _has_both_halves(self) -> Self:
        halves = bool(self.aws_access_key_id), bool(self.aws_secret_access_key.get_secret_value())
        if self.clips_url.startswith("s3:") and any(halves) and not all(halves):
            raise ValueError(
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together: set both, or neither"
            )
        return self

    @property
    def clips_place(self) -> StorePlace | None:
        """Where clips are kept; None: in the media root."""
        return store_place(self.clips_url, "CLIPS_URL") if self.clips_url else None

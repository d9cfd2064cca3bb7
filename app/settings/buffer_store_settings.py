"""Where egress writes the buffer's segments, and how it gets there."""

from __future__ import annotations

from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from app.settings.clip_store_settings import ClipStoreSettings
from app.settings.store_place import StorePlace, store_place
from app.settings.values import HttpUrl


class BufferStoreSettings(ClipStoreSettings):
    """Where egress writes the buffer's segments, and how it gets there."""

    buffer_url: str = Field(
        "",
        description="Where egress writes, if it sees no folder of ours: `s3://BUCKET/PREFIX`; "
        "empty: in FILE_UPLOAD_DEST.",
    )
    egress_s3_endpoint: HttpUrl = Field(
        "", description="S3_ENDPOINT as egress reaches it; default: S3_ENDPOINT."
    )
    egress_s3_access_key: str = Field(
        "",
        description="Key that each request gives egress for BUFFER_URL; empty: it has its own "
        "storage, or takes EGRESS_S3_ROLE_ARN.",
    )
    egress_s3_secret: SecretStr = Field(SecretStr(""), description="Its secret.")
    egress_s3_role_arn: str = Field("", description="Role that egress takes for BUFFER_URL.")
    egress_s3_role_external_id: str = Field(
        "", description="External id that the role's policy asks for."
    )

    @field_validator("buffer_url")
    @classmethod
    def _is_a_bucket(cls, value: str) -> str:
        if not value:
            return value
        place = store_place(value, "BUFFER_URL")
        if place.scheme == "file":
            raise ValueError("must be a bucket: FILE_UPLOAD_DEST names the folder that egress sees")
        if place.scheme != "s3":
            raise ValueError(
                f"must begin with s3://: this service asks egress for no output into "
                f"{place.scheme}:// yet; Google's buckets speak S3 too, with HMAC keys"
            )
        return value

    @model_validator(mode="after")
    def _gives_egress_one_way_in(self) -> Self:
        ours = self.aws_access_key_id, self.aws_secret_access_key.get_secret_value()
        if self.buffer_url and any(ours) and not all(ours):
            raise ValueError(
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together: set both, or neither"
            )
        theirs = self.egress_s3_access_key, self.egress_s3_secret.get_secret_value()
        if any(theirs) and not all(theirs):
            raise ValueError(
                "EGRESS_S3_ACCESS_KEY and EGRESS_S3_SECRET belong together: set both, or neither"
            )
        if self.egress_s3_access_key and self.egress_s3_role_arn:
            raise ValueError(
                "EGRESS_S3_ACCESS_KEY and EGRESS_S3_ROLE_ARN are two ways in for egress: set one"
            )
        if self.egress_s3_role_external_id and not self.egress_s3_role_arn:
            raise ValueError("EGRESS_S3_ROLE_EXTERNAL_ID belongs to EGRESS_S3_ROLE_ARN: set both")
        return self

    @property
    def buffer_place(self) -> StorePlace | None:
        """The bucket that egress writes in; None: the media root."""
        return store_place(self.buffer_url, "BUFFER_URL") if self.buffer_url else None

"""Where the files of clips are kept, and how they are served from there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from app.settings.values import HttpUrl

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,255}")
_REGION = re.compile(r"[a-z0-9-]{1,40}")
_SCHEMES = ("file", "s3", "gs", "az")


@dataclass(frozen=True)
class ClipPlace:
    """A bucket, and the prefix in it below which all keys of ours lie.

    `scheme`: s3, gs or az; with `file` there is no bucket, and `prefix` is a folder's path.
    """

    scheme: str
    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.prefix.removeprefix('/')}"


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
            clip_place(value)
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
    def clips_place(self) -> ClipPlace | None:
        """Where clips are kept; None: in the media root."""
        return clip_place(self.clips_url) if self.clips_url else None


def clip_place(url: str) -> ClipPlace:
    """What a CLIPS_URL names. Raises ValueError with what is allowed."""
    try:
        split = urlsplit(url)
        strange = bool(split.query or split.fragment or split.port or "@" in split.netloc)
    except ValueError:
        strange = True
    if strange:
        raise ValueError("must be no more than scheme, bucket and prefix: keys have settings")
    if split.scheme not in _SCHEMES:
        raise ValueError(f"must begin with one of {', '.join(f'{each}://' for each in _SCHEMES)}")
    if split.scheme == "file":
        return _folder(split.netloc, split.path)
    if not _BUCKET.fullmatch(split.netloc) or ".." in split.netloc:
        raise ValueError(
            "must name a bucket: 3 to 63 of a-z, 0-9, '-', '.', '_', a letter or digit at both "
            "ends, no '..'"
        )
    prefix = split.path.strip("/")
    if not prefix:
        raise ValueError(
            f"must have a prefix that is this installation's alone, such as {url.rstrip('/')}/clips"
        )
    if not all(map(_is_name, prefix.split("/"))):
        raise ValueError("must have a prefix of names out of A-Z, a-z, 0-9, '_', '.', '-'")
    return ClipPlace(split.scheme, split.netloc, prefix)


def _folder(host: str, path: str) -> ClipPlace:
    if host or not path.startswith("/") or path == "/" or ".." in path.split("/"):
        raise ValueError("must be file:/// and the absolute path of a folder, not that of the root")
    return ClipPlace("file", "", str(Path(path)))


def _is_name(part: str) -> bool:
    return bool(_NAME.fullmatch(part)) and part not in (".", "..")

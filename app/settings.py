"""The settings: one environment variable each, read here and nowhere else.

`.env` in the working directory is read too; the environment wins over it.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.errors import ConfigurationError

_ENCODING_WXH = re.compile(r"^(\d{2,4})x(\d{2,4})@(\d{1,3}):(\d{2,6})$")
PRESETS = (
    "H264_720P_30",
    "H264_720P_60",
    "H264_1080P_30",
    "H264_1080P_60",
    "PORTRAIT_H264_720P_30",
    "PORTRAIT_H264_720P_60",
    "PORTRAIT_H264_1080P_30",
    "PORTRAIT_H264_1080P_60",
)


class Settings(BaseSettings):
    """Every setting of the service. Field names are the environment variables in lower case."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    livekit_url: str = Field("ws://127.0.0.1:7880", description="LiveKit's URL, ws or http.")
    livekit_api_key: str = Field("", description="LiveKit API key. Required.")
    livekit_api_secret: SecretStr = Field(SecretStr(""), description="Its secret. Required.")
    livekit_keys: SecretStr = Field(
        SecretStr(""),
        description="More pairs `key:secret`, comma separated, that webhooks and tokens may be "
        "signed with: for rotation.",
    )
    tenant_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="API keys, comma separated, of pairs that others hold too: their tokens never "
        "make an instance admin.",
    )
    host: str = Field("127.0.0.1", description="Address the HTTP API listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port of the HTTP API.")
    public_url: str = Field("", description="URL under which callers reach us; default: HOST:PORT.")
    data_dir: Path = Field(Path("data"), description="Where the embedded stores keep their files.")
    mongo_url: str = Field("", description="MongoDB; empty: an embedded store under DATA_DIR.")
    redis_url: str = Field("", description="Redis or Valkey; empty: an embedded one.")
    file_upload_dest: Path | None = Field(
        None, description="Media root as this service sees it; default: DATA_DIR/media."
    )
    egress_file_upload_dest: str = Field(
        "", description="The same folder as egress sees it; default: FILE_UPLOAD_DEST."
    )
    segment_seconds: int = Field(2, ge=1, le=30, description="Length of a segment.")
    encoding: str = Field(
        "H264_1080P_60",
        description="A LiveKit preset, `WxH@FPS:KBPS`, or `source` (the share's own size).",
    )
    audio_wait_seconds: float = Field(
        0.5, ge=0, le=10, description="How long a start waits for the share's audio track."
    )
    retention_minutes: float = Field(
        12, gt=0, le=1e8, description="Age at which a segment is deleted."
    )
    max_capture_minutes: float = Field(
        10, gt=0, le=1440, description="The longest window of a capture."
    )
    cleanup_minutes: float = Field(
        5, ge=0.01, le=1440, description="How often old segments are deleted."
    )
    reap_minutes: float = Field(
        60, ge=0.05, le=10080, description="How often orphaned sessions are reaped."
    )
    reconcile_seconds: float = Field(
        20, ge=1, le=86_400, description="How often the facts are compared with LiveKit."
    )
    quota_bytes: int = Field(5 * 2**30, ge=0, description="A user's quota for clips.")
    max_concurrent: int = Field(5, ge=0, description="Shares buffered at once per community.")
    access: Literal["open", "rbac"] = Field("open", description="Who may buffer and capture.")
    capture_policy: Literal["self", "room", "role"] = Field(
        "self", description="Whose share may be captured by whom."
    )
    events_url: str = Field("", description="Where our own webhooks go; empty: nowhere.")
    events_key: str = Field("", description="Key our webhooks are signed with.")
    events_secret: SecretStr = Field(SecretStr(""), description="Its secret.")
    admins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Identities, comma separated, that administrate the instance."
    )
    session_minutes: float = Field(
        15, ge=1, le=1440, description="How long a token of POST /session is valid."
    )
    session_hours: float = Field(
        12, ge=1, le=720, description="How long it can be renewed without a LiveKit token."
    )
    clip_days: float = Field(
        0, ge=0, le=36500, description="Days after which a clip expires; 0: never."
    )
    link_days: float = Field(
        7, gt=0, le=3650, description="Days that a clip's link holds, unless its owner says."
    )
    marker_minutes: float = Field(
        30, gt=0, le=1440, description="How long what is around a marked moment is kept."
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
    streams_per_user: int = Field(8, ge=1, description="Event streams of one user at once.")
    metrics_port: int = Field(0, ge=0, le=65535, description="Own port for /metrics; 0: none.")
    metrics_token: SecretStr = Field(
        SecretStr(""), description="Bearer token for /metrics on PORT; empty: not served there."
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Origins, comma separated, whose pages may call the API."
    )
    free_space_min_bytes: int = Field(
        2 * 2**30, ge=0, description="Below this, windows shrink and new sessions are refused."
    )
    watch: Literal["auto", "poll"] = Field(
        "auto", description="`poll` where file events are silent (NFS, SMB)."
    )
    log_format: Literal["console", "json"] = Field("console", description="Shape of log lines.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Level.")

    @field_validator("livekit_api_key")
    @classmethod
    def _needed(cls, value: str) -> str:
        if not value:
            raise ValueError("is missing: give the API key that livekit-server signs webhooks with")
        return value

    @field_validator("livekit_api_secret")
    @classmethod
    def _secret_needed(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value():
            raise ValueError("is missing: give the secret that belongs to LIVEKIT_API_KEY")
        return value

    @field_validator("livekit_keys")
    @classmethod
    def _pairs(cls, value: SecretStr) -> SecretStr:
        for pair in filter(None, value.get_secret_value().split(",")):
            key, _, secret = pair.strip().partition(":")
            if not key or not secret:
                raise ValueError("must be `key:secret` pairs, comma separated")
        return value

    @field_validator("livekit_url", "events_url", "public_url")
    @classmethod
    def _url(cls, value: str, info: ValidationInfo) -> str:
        allowed = {"http", "https"} | ({"ws", "wss"} if info.field_name == "livekit_url" else set())
        if value and (urlsplit(value).scheme not in allowed or not urlsplit(value).hostname):
            raise ValueError(f"must be a URL with one of the schemes {', '.join(sorted(allowed))}")
        return value.rstrip("/")

    @field_validator("host", "livekit_url")
    @classmethod
    def _not_empty(cls, value: str) -> str:
        if not value:
            raise ValueError("must not be empty")
        return value

    @field_validator("egress_file_upload_dest")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if value and not value.startswith("/"):
            raise ValueError("must be an absolute path: egress knows no other folder to start from")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            split = urlsplit(origin)
            if split.scheme not in ("http", "https") or not split.netloc or split.path:
                raise ValueError("must be origins such as https://app.example.com")
        return value

    @model_validator(mode="after")
    def _together(self) -> Settings:
        if self.metrics_port and self.metrics_port == self.port:
            raise ValueError(f"METRICS_PORT and PORT are both {self.port}: choose another")
        if self.events_url and not (self.events_key and self.events_secret.get_secret_value()):
            raise ValueError(
                "EVENTS_URL needs EVENTS_KEY and EVENTS_SECRET: our events are never signed with "
                "LiveKit's key"
            )
        return self

    @field_validator("encoding")
    @classmethod
    def _encoding(cls, value: str) -> str:
        if value == "source" or value in PRESETS:
            return value
        match = _ENCODING_WXH.match(value)
        if match and all(int(side) % 2 == 0 and int(side) >= 16 for side in match.groups()[:2]):
            return value
        raise ValueError(
            "must be `source`, `WxH@FPS:KBPS` with even sides of at least 16, or one of "
            + ", ".join(PRESETS)
        )

    @field_validator("admins", "cors_origins", "tenant_keys", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @property
    def key_pairs(self) -> dict[str, str]:
        """API key → secret, the current pair first."""
        pairs = {self.livekit_api_key: self.livekit_api_secret.get_secret_value()}
        for pair in filter(None, self.livekit_keys.get_secret_value().split(",")):
            key, _, secret = pair.strip().partition(":")
            pairs.setdefault(key, secret)
        return pairs

    @property
    def livekit_http_url(self) -> str:
        """The URL of LiveKit's HTTP API: `ws` becomes `http`, `wss` becomes `https`."""
        return re.sub(r"^ws", "http", self.livekit_url)

    @property
    def media_root(self) -> Path:
        """The media root as this service sees it, absolute."""
        return (self.file_upload_dest or self.data_dir / "media").absolute()

    @property
    def egress_media_root(self) -> str:
        """The media root as the egress sees it, absolute, without a trailing slash."""
        return (self.egress_file_upload_dest or str(self.media_root)).rstrip("/")

    @property
    def base_url(self) -> str:
        """The URL under which callers reach the HTTP API."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def retention(self) -> timedelta:
        return timedelta(minutes=self.retention_minutes)

    @property
    def max_capture(self) -> timedelta:
        return timedelta(minutes=self.max_capture_minutes)


def load(**given: object) -> Settings:
    """The settings of the environment, `given` values first.

    Raises ConfigurationError that names each wrong variable, its value (not if it is a secret)
    and what is allowed.
    """
    try:
        # pydantic-settings fills the fields from the environment
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        raise ConfigurationError(_explain(error)) from error


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        message = problem["msg"].removeprefix("Value error, ")
        if not problem["loc"]:
            lines.append(message)
            continue
        name = str(problem["loc"][0])
        secret = Settings.model_fields[name].annotation is SecretStr
        shown = "" if secret or problem["input"] in ("", None) else f"={problem['input']!r}"
        lines.append(f"{name.upper()}{shown} {message}")
    return "\n".join(lines)

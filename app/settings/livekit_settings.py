"""Where LiveKit is, which keys sign for it, and what egress is asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from app.settings.values import LiveKitUrl, Names

_ENCODING_WXH = re.compile(r"(\d{2,4})x(\d{2,4})@(\d{1,3}):(\d{2,6})")
MOST_PIXELS = 9_437_184
"""The largest picture of H.264's level 5.2. Of a larger one no segment is taken."""
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


@lru_cache(16)  # each request asks, and an installation may have hundreds
def _read_pairs(
    key: str, secret: str, others: str, without: tuple[str, ...] = ()
) -> Mapping[str, str]:
    pairs = {key: secret}
    for pair in filter(None, others.split(",")):
        name, _, its_secret = pair.strip().partition(":")
        pairs.setdefault(name, its_secret)
    return MappingProxyType({each: pairs[each] for each in pairs if each not in without})


def _sized(value: str, besides: str = "") -> str:
    """An encoding whose size is known. Raises ValueError; `besides`: what else may be given."""
    if value in PRESETS:
        return value
    if match := _ENCODING_WXH.fullmatch(value):
        width, height = map(int, match.groups()[:2])
        if all(side % 2 == 0 and side >= 16 for side in (width, height)):
            if width * height > MOST_PIXELS:
                raise ValueError(
                    f"asks for {width * height} pixels: at most {MOST_PIXELS}, as 4096x2304 has"
                )
            return value
    raise ValueError(
        f"must be {besides}`WxH@FPS:KBPS` with even sides of at least 16, or one of "
        + ", ".join(PRESETS)
    )


class LiveKitSettings(BaseSettings):
    """Where LiveKit is, which keys sign for it, and what egress is asked for."""

    livekit_url: LiveKitUrl = Field("ws://127.0.0.1:7880", description="LiveKit's URL, ws or http.")
    livekit_api_key: str = Field("", description="LiveKit API key. Required.")
    livekit_api_secret: SecretStr = Field(
        SecretStr(""), description="Its secret, of 32 bytes at least. Required."
    )
    livekit_keys: SecretStr = Field(
        SecretStr(""),
        description="More pairs `key:secret`, comma separated, that webhooks and tokens may be "
        "signed with: for rotation.",
    )
    tenant_keys: Names = Field(
        (),
        description="API keys, comma separated, of pairs that others hold too: their tokens never "
        "make an instance admin, they sign no URL of media, and no webhook is taken that is signed "
        "with one.",
    )
    segment_seconds: int = Field(2, ge=1, le=30, description="Length of a segment.")
    encoding: str = Field(
        "H264_1080P_60",
        description="A LiveKit preset, `WxH@FPS:KBPS`, or `source` (the share's own size).",
    )
    encoding_steps: Names = Field(
        (),
        description="In what a share goes on, one after the other, where egress can't keep up with "
        "ENCODING: those of these that are clearly cheaper, comma separated; empty: it stays as it "
        "is. A capture over a step that changes the size has to be cut with `exact`.",
    )
    audio_wait_seconds: float = Field(
        0.5, ge=0, le=10, description="How long a start waits for the share's audio track."
    )
    reconcile_seconds: float = Field(
        20, ge=1, le=86_400, description="How often the facts are compared with LiveKit."
    )
    reap_minutes: float = Field(
        60,
        ge=0.05,
        le=10080,
        description="How often egresses of ours that no session knows are looked for, and stopped.",
    )

    @field_validator("livekit_api_key")
    @classmethod
    def _needed(cls, value: str) -> str:
        if not value:
            raise ValueError("is missing: give the API key that livekit-server signs webhooks with")
        if value != value.strip():
            raise ValueError("begins or ends with white space: take it away, `$(cat FILE)` does")
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

    @field_validator("livekit_url")
    @classmethod
    def _livekit_url_given(cls, value: str) -> str:
        if not value:
            raise ValueError("must not be empty")
        return value

    @field_validator("encoding")
    @classmethod
    def _encoding(cls, value: str) -> str:
        return value if value == "source" else _sized(value, "`source`, ")

    @field_validator("encoding_steps")
    @classmethod
    def _encoding_steps(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_sized(each) for each in value)

    @property
    def key_pairs(self) -> Mapping[str, str]:
        """API key → secret, the current pair first."""
        return _read_pairs(
            self.livekit_api_key,
            self.livekit_api_secret.get_secret_value(),
            self.livekit_keys.get_secret_value(),
        )

    @property
    def own_pairs(self) -> Mapping[str, str]:
        """Of these the ones that nobody else holds: for webhooks, and for URLs of media."""
        return _read_pairs(
            self.livekit_api_key,
            self.livekit_api_secret.get_secret_value(),
            self.livekit_keys.get_secret_value(),
            self.tenant_keys,
        )

    @property
    def livekit_http_url(self) -> str:
        """The URL of LiveKit's HTTP API: `ws` becomes `http`, `wss` becomes `https`."""
        return re.sub(r"^ws", "http", self.livekit_url)

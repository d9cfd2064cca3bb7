"""Where the HTTP API listens, who may call it, and what it tells of itself."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from app.settings import safety
from app.settings.values import HttpUrl, Names

_EMBEDDER = re.compile(r"\*|https?://(\*\.)?[A-Za-z0-9.-]+(:[0-9]{1,5})?")


class ServerSettings(BaseSettings):
    """Where the HTTP API listens, who may call it, and what it tells of itself."""

    host: str = Field("127.0.0.1", description="Address the HTTP API listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port of the HTTP API.")
    public_url: HttpUrl = Field(
        "", description="URL under which callers reach us; default: HOST:PORT."
    )
    cors_origins: Names = Field(
        (), description="Origins, comma separated, whose pages may call the API."
    )
    embed_origins: Names = Field(
        (),
        description="Origins, comma separated, whose pages may embed the player of a clip's link; "
        "`https://*.example.com` for all of a domain, `*` for all there are.",
    )
    plain_http_hosts: Names = Field(
        (),
        description="Hosts, comma separated, of your own network to which URLs without TLS may "
        "lead; private addresses and names without a dot need not be listed.",
    )
    trusted_proxies: Names = Field(
        (),
        description="Addresses or networks, comma separated, of proxies whose X-Forwarded-For and "
        "X-Forwarded-Proto are believed; `127.0.0.1,::1` of one on this machine.",
    )
    max_connections: int = Field(
        2000, ge=16, description="Connections to the HTTP API at once; the longest idle makes room."
    )
    max_connections_per_address: int = Field(
        256,
        ge=8,
        description="Of them from one address, of IPv6 from one /64; a trusted proxy has all but "
        "a tenth.",
    )
    requests_per_minute: int = Field(
        1200,
        ge=0,
        description="Requests that one user may send in a minute: five times as many for media, "
        "half for playlists, a quarter for sprite sheets and for changes. As many changes, and "
        "five times as many captures, in a day; a twentieth as many messages for chats in an hour. "
        "0: any number.",
    )
    streams_per_user: int = Field(8, ge=1, description="Event streams of one user at once.")
    session_minutes: float = Field(
        15, ge=1, le=1440, description="How long a token of POST /session is valid."
    )
    session_hours: float = Field(
        12, ge=1, le=720, description="How long it can be renewed without a LiveKit token."
    )
    metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Own port for /metrics, on HOST; 0: none. Beyond loopback it needs "
        "METRICS_TOKEN.",
    )
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="Bearer token for /metrics, of 32 bytes at least; empty: not served on PORT.",
    )
    otel_exporter_otlp_endpoint: HttpUrl = Field(
        "",
        description="OpenTelemetry collector that gets traces by OTLP over HTTP, such as "
        "`http://collector:4318`; empty: none. Needs the extra `otel`.",
    )
    log_format: Literal["console", "json"] = Field("console", description="Shape of log lines.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Level.")

    @field_validator("host")
    @classmethod
    def _host_given(cls, value: str) -> str:
        if not value:
            raise ValueError("must not be empty")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                everybody = ip_network(network).prefixlen == 0
            except ValueError as error:
                raise ValueError(
                    "must be addresses or networks such as 10.0.0.0/8 (without bits behind the /8)"
                ) from error
            if everybody:
                raise ValueError(
                    f"would let everybody say which address they come from, by {network}: name "
                    "your proxies, or the network that they are in"
                )
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            split = urlsplit(origin)
            if split.scheme not in ("http", "https") or not split.netloc or split.path:
                raise ValueError("must be origins such as https://app.example.com")
        return value

    @field_validator("embed_origins")
    @classmethod
    def _embedders(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        # They stand in a header, where a space or a semicolon would be a word of its own.
        for origin in value:
            if not _EMBEDDER.fullmatch(origin):
                raise ValueError("must be origins such as https://app.example.com, or *")
        return value

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.metrics_port and self.metrics_port == self.port:
            raise ValueError(f"METRICS_PORT and PORT are both {self.port}: choose another")
        return self

    @property
    def base_url(self) -> str:
        """The URL under which callers reach the HTTP API."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def is_placeless(self) -> bool:
        """Whether `base_url` leads nobody here: it is HOST's, which stands for all addresses."""
        return not self.public_url and safety.is_unspecified(self.host)

"""The settings: one environment variable each, read here and nowhere else.

`.env` in the working directory is read too; the environment wins over it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

from pydantic import SecretStr, ValidationError, model_validator
from pydantic_settings import DotEnvSettingsSource, SettingsConfigDict

from app.errors import ConfigurationError
from app.settings import event_targets, safety
from app.settings.access_settings import AccessSettings
from app.settings.buffer_store_settings import BufferStoreSettings
from app.settings.clip_settings import ClipSettings
from app.settings.event_settings import EventSettings
from app.settings.livekit_settings import LiveKitSettings
from app.settings.server_settings import ServerSettings
from app.settings.storage_settings import StorageSettings
from app.settings.terminal_settings import TerminalSettings

COUNTERS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Where the processes of one service share what they count. prometheus_client reads it, too."""
_URLS = (
    "LIVEKIT_URL",
    "PUBLIC_URL",
    "EVENTS_URL",
    "S3_ENDPOINT",
    "EGRESS_S3_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
)
_WITH_LOGIN = ("mongo_url", "redis_url")
"""URLs that hold passwords, and are not shown."""


# pydantic reads the fields of the last base first
class Settings(
    EventSettings,
    ClipSettings,
    AccessSettings,
    BufferStoreSettings,
    StorageSettings,
    ServerSettings,
    LiveKitSettings,
):
    """Every setting of the service. Field names are the environment variables in lower case."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if reasons := list(self._unsafe()):
            raise ValueError("\n".join(reasons))
        return self

    def _unsafe(self) -> Iterator[str]:
        reached = (self.host, self.public_url, self.livekit_url, self.events_url)
        pairs = {self._called(key): secret for key, secret in self.key_pairs.items()}
        yield from safety.unsafe_secrets(pairs, reached)
        own = {
            "EVENTS_SECRET": self.events_secret.get_secret_value(),
            "METRICS_TOKEN": self.metrics_token.get_secret_value(),
        }
        for target in self.all_event_targets:
            own[f"the secret of {target.name!r} in EVENTS_TARGETS"] = (
                target.own_secret if target.name != event_targets.DEFAULT else ""
            )
        yield from safety.unsafe_secrets(
            {name: each for name, each in own.items() if each}, reached
        )
        urls = {name: getattr(self, name.lower()) for name in _URLS}
        urls |= {
            f"url of {target.name} in EVENTS_TARGETS": target.origin
            for target in self.all_event_targets
            if target.name != event_targets.DEFAULT
        }
        yield from safety.plain_urls(urls, self.plain_http_hosts)
        stores = {"MONGO_URL": self.mongo_url, "REDIS_URL": self.redis_url}
        yield from safety.open_stores(stores, self.plain_http_hosts)
        for key in self.tenant_keys:
            if key not in self.key_pairs:
                yield (
                    f"TENANT_KEYS={key!r} is the key of no pair in LIVEKIT_API_KEY or LIVEKIT_KEYS:"
                    " a key that is misspelt would leave its tokens all rights"
                )
            if key == self.livekit_api_key:
                yield (
                    f"TENANT_KEYS={key!r} is LIVEKIT_API_KEY: the service's own pair, with which "
                    "LiveKit signs its webhooks, can't be one that others hold"
                )
        if self.metrics_port and not (own["METRICS_TOKEN"] or safety.is_loopback(self.host)):
            yield (
                f"METRICS_PORT={self.metrics_port} with HOST={self.host!r} tells others the "
                "service's numbers: set METRICS_TOKEN, which it then asks for"
            )

    def _called(self, key: str) -> str:
        if key == self.livekit_api_key:
            return "LIVEKIT_API_SECRET"
        return f"the secret of {key!r} in LIVEKIT_KEYS"


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
    except OSError as error:
        raise ConfigurationError(
            f"{error.filename} in {Path.cwd()}: {error.strerror} (uid {os.getuid()}, gid "
            f"{os.getgid()}): run as a user, or in a group, that may read the working directory"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f".env in {Path.cwd()} is no UTF-8 text: {error}") from error


def load_terminal(**given: object) -> TerminalSettings:
    """REPLAY_URL and REPLAY_TOKEN, which need no other setting. Raises ConfigurationError."""
    try:
        return TerminalSettings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        wrong = error.errors(include_input=False)[0]
        names, message = wrong["loc"], wrong["msg"].removeprefix("Value error, ")
        named = " ".join([*(str(name).upper() for name in names[:1]), message])
        raise ConfigurationError(named) from error


def misspelt(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Variables that nobody reads, by name, with the setting that is meant: of the environment, and
    of `.env`."""
    names = {name.upper() for name in Settings.model_fields}
    return safety.misspelt({*environment, *DotEnvSettingsSource(Settings).env_vars}, names)


def add_to_environment(more: Mapping[str, str]) -> None:
    """Gives this process what a child of it would be given: variables that settings are read of."""
    os.environ.update(more)


def counters_are_shared() -> bool:
    """Whether this process shares what it counts with others."""
    return COUNTERS_FOLDER in os.environ


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        message = problem["msg"].removeprefix("Value error, ")
        if not problem["loc"]:
            lines.append(message)
            continue
        name = str(problem["loc"][0])
        secret = Settings.model_fields[name].annotation is SecretStr or name in _WITH_LOGIN
        shown = "" if secret or problem["input"] in ("", None) else f"={problem['input']!r}"
        lines.append(f"{name.upper()}{shown} {message}")
    return "\n".join(lines)

"""Where the commands for people ask, and as whom: REPLAY_URL and REPLAY_TOKEN."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.settings import safety
from app.settings.values import HttpUrl, Names


class TerminalSettings(BaseSettings):
    """Both may be empty: then the service's own settings say where it is, and sign a token."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    replay_url: Annotated[HttpUrl, Field(description="Where the service is.")] = ""
    replay_token: Annotated[SecretStr, Field(description="Whose token is shown.")] = SecretStr("")
    plain_http_hosts: Annotated[Names, Field(description="As of the service.")] = ()

    @model_validator(mode="after")
    def _safe(self) -> Self:
        """A token is sent in each request."""
        for reason in safety.plain_urls({"REPLAY_URL": self.replay_url}, self.plain_http_hosts):
            raise ValueError(reason)
        return self

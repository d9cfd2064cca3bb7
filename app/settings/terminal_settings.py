"""Where the commands for people ask, and as whom: REPLAY_URL and REPLAY_TOKEN."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.settings.values import HttpUrl


class TerminalSettings(BaseSettings):
    """Both may be empty: then the service's own settings say where it is, and sign a token."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    replay_url: Annotated[HttpUrl, Field(description="Where the service is.")] = ""
    replay_token: Annotated[SecretStr, Field(description="Whose token is shown.")] = SecretStr("")

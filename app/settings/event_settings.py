"""Who hears of our own events."""

from __future__ import annotations

from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings

from app.settings.values import HttpUrl


class EventSettings(BaseSettings):
    """Who hears of our own events."""

    events_url: HttpUrl = Field("", description="Where our own webhooks go; empty: nowhere.")
    events_key: str = Field("", description="Key our webhooks are signed with.")
    events_secret: SecretStr = Field(SecretStr(""), description="Its secret.")

    @model_validator(mode="after")
    def _events_are_signed(self) -> Self:
        if self.events_url and not (self.events_key and self.events_secret.get_secret_value()):
            raise ValueError(
                "EVENTS_URL needs EVENTS_KEY and EVENTS_SECRET: our events are never signed with "
                "LiveKit's key"
            )
        return self

"""Who hears of our own events."""

from __future__ import annotations

from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from app.models import EventFormat, EventName
from app.settings import event_targets
from app.settings.event_targets import EventTarget
from app.settings.values import HttpUrl


class EventSettings(BaseSettings):
    """Who hears of our own events."""

    events_url: HttpUrl = Field("", description="Where our own webhooks go; empty: nowhere.")
    events_key: str = Field("", description="Key our webhooks are signed with.")
    events_secret: SecretStr = Field(SecretStr(""), description="Its secret.")
    events_targets: SecretStr = Field(
        SecretStr(""),
        description="Further receivers: a JSON list of `{name, url, secret}`, each with `format`, "
        "`key`, `events`, `communities`, `rooms` if need be.",
    )

    @model_validator(mode="after")
    def _events_are_signed(self) -> Self:
        if self.events_url and not (self.events_key and self.events_secret.get_secret_value()):
            raise ValueError(
                "EVENTS_URL needs EVENTS_KEY and EVENTS_SECRET: our events are never signed with "
                "LiveKit's key"
            )
        return self

    @field_validator("events_targets")
    @classmethod
    def _targets(cls, value: SecretStr) -> SecretStr:
        event_targets.read(value.get_secret_value())
        return value

    @property
    def all_event_targets(self) -> tuple[EventTarget, ...]:
        """Every target, that of EVENTS_URL first."""
        further = event_targets.read(self.events_targets.get_secret_value())
        if not self.events_url:
            return further
        first = EventTarget(
            name=event_targets.DEFAULT,
            url=self.events_url,
            secret=self.events_secret,
            format=EventFormat.LIVEKIT,
            key=self.events_key,
        )
        return first, *further

    @property
    def posts_clips(self) -> bool:
        """Whether some target hears of clips that are shared, in some room at least."""
        return any(target.hears_of(EventName.CLIP_SHARED) for target in self.all_event_targets)

"""Where our own events go: the URL of each target, how it is signed for, what it wants."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from app.models import EventFormat, EventName
from app.settings.values import HttpUrl

DEFAULT = "default"
"""The target that EVENTS_URL, EVENTS_KEY and EVENTS_SECRET make."""
_SECRET_LENGTH = 8
"""Shorter parts of a URL are words such as `services`."""
_MATRIX_ROOM = re.compile(r"https?://[^/?#]+/_matrix/client/v3/rooms/[^/?#]+/send/m\.room\.message")


class EventTarget(BaseModel):
    """One of them. Of `events`, `communities` and `rooms` an empty list is all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]
    url: Annotated[HttpUrl, Field(min_length=1, repr=False)]
    secret: SecretStr = SecretStr("")
    format: EventFormat = EventFormat.PLAIN
    key: str = ""
    events: tuple[EventName, ...] = ()
    communities: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _key_for_livekit(self) -> EventTarget:
        if self.format == EventFormat.LIVEKIT and not self.key:
            raise ValueError(f"needs a key, as its format is {EventFormat.LIVEKIT}")
        return self

    @model_validator(mode="after")
    def _fits_format(self) -> EventTarget:
        given = bool(self.secret.get_secret_value())
        if self.format.has_secret and not given:
            raise ValueError(f"secret is missing, as its format is {self.format}")
        if given and not self.format.has_secret:
            raise ValueError(
                f"secret must not be given: the URL is one, as its format is {self.format}"
            )
        if self.format == EventFormat.MATRIX and not _MATRIX_ROOM.fullmatch(self.url):
            raise ValueError(
                "url must be https://SERVER/_matrix/client/v3/rooms/ROOM_ID/send/m.room.message"
            )
        return self

    @property
    def own_secret(self) -> str:
        """What signs events, which we choose; empty if another server has chosen it."""
        return "" if self.format.is_chat else self.secret.get_secret_value()

    @property
    def origin(self) -> str:
        """The URL as far as it is no secret."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What nobody is to read: the secret, and what stands in the URL."""
        parts = urlsplit(self.url)
        told = (self.secret.get_secret_value(), parts.query, *parts.path.split("/"))
        return self.url, *(text for text in told if len(text) >= _SECRET_LENGTH)

    def hears_of(self, event: str) -> bool:
        """Whether events of a name are for it, those of some rooms and communities at least."""
        return not self.events or event in self.events

    def wants(self, event: str, room: str, community: str) -> bool:
        """Whether an event is for it."""
        return (
            self.hears_of(event)
            and (not self.rooms or room in self.rooms)
            and (not self.communities or community in self.communities)
        )


def read(text: str) -> tuple[EventTarget, ...]:
    """The targets of a JSON list; none of an empty text.

    Raises ValueError, which names what is wrong and never shows what was given: it holds secrets.
    """
    if not text:
        return ()
    try:
        listed = json.loads(text)
    except ValueError as error:
        raise ValueError("must be a JSON list of targets") from error
    if not isinstance(listed, list):
        raise ValueError("must be a JSON list of targets")
    targets = tuple(_target(place, each) for place, each in enumerate(listed, start=1))
    names = [DEFAULT, *(each.name for each in targets)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(
            f"has more than one target of the name {twice[0]!r}; {DEFAULT!r} is that of EVENTS_URL"
        )
    return targets


def _target(place: int, given: object) -> EventTarget:
    try:
        return EventTarget.model_validate(given)
    except ValidationError as error:
        raise ValueError(f"target {place}: {'; '.join(_wrong(error))}") from error


def _wrong(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_input=False, include_url=False):
        where = ".".join(str(part) for part in problem["loc"])
        yield f"{where} {problem['msg'].removeprefix('Value error, ')}".strip()

"""What is asked of the service: a request, and by its type what is answered. Nothing is sent."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote

Replied = TypeVar("Replied")
Moment = datetime | str
VERSION = "/v1"
_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True)
class Ask(Generic[Replied]):
    """A request, and by its type what is answered.

    `names`: what stands for which part of `template`. `key`: makes it be done once, however often
    it is sent.
    """

    method: str
    template: str
    names: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    key: str = ""

    @property
    def path(self) -> str:
        """The path, with names as they are written in one. Raises ValueError for none or dots."""
        for what, name in self.names.items():
            if name.strip(".") == "":
                raise ValueError(f"{what} is {name!r}, which names nothing")
        return VERSION + self.template.format(**{k: quote(v, "") for k, v in self.names.items()})


def given(**members: Any) -> dict[str, Any]:
    """What is not None, times as text."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in members.items()
        if value is not None
    }


def path_part(name: str) -> str:
    """A room or a user in a path: names of few characters as they are, others encoded."""
    if not name or _PLAIN.fullmatch(name):
        return name
    return "~" + base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")

"""What a check of the doctor found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Level = Literal["ok", "warn", "unknown", "fail"]


class CheckResult(NamedTuple):
    """What a check found: how bad it is, in words what is so, and what to do about it."""

    level: Level
    detail: str
    advice: str = ""


@dataclass(frozen=True)
class Finding:
    """The outcome of one check. Only `fail` is a failure."""

    name: str
    level: Level
    detail: str
    advice: str = ""

    @property
    def text(self) -> str:
        """What is so, and what to do."""
        return f"{self.detail}: {self.advice}" if self.advice else self.detail

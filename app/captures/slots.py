"""How much of the work on captures a process does at the same time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from app.settings import Settings


@dataclass(frozen=True)
class Slots:
    """For copying, and for encoding. A process has one set of them."""

    copying: asyncio.Semaphore
    encoding: asyncio.Semaphore

    @classmethod
    def of(cls, settings: Settings) -> Slots:
        """All free. One for encoding: an encoder takes every core there is, for minutes."""
        return cls(asyncio.Semaphore(settings.captures_at_once), asyncio.Semaphore(1))

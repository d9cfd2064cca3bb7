"""How much of the work on captures a process does at the same time."""

from __future__ import annotations

from dataclasses import dataclass

from app.settings import Settings
from app.work.turns import Turn, Turns


@dataclass(frozen=True)
class Slots:
    """For copying, and for encoding. A process has one set of them, and callers take turns."""

    copies: Turns
    encodings: Turns

    @classmethod
    def of(cls, settings: Settings) -> Slots:
        """All free. One for encoding: an encoder takes every core there is, for minutes."""
        return cls(Turns(settings.captures_at_once), Turns())


@dataclass(frozen=True)
class CallersSlots:
    """The slots, for a capture of one caller."""

    slots: Slots
    caller: str

    def copying(self) -> Turn:
        """A slot to copy in."""
        return self.slots.copies.turn(self.caller)

    def encoding(self) -> Turn:
        """A slot to encode in."""
        return self.slots.encodings.turn(self.caller)

"""What a worker makes captures with."""

from __future__ import annotations

from dataclasses import dataclass

from app.captures.slots import Slots
from app.captures.verification import Verifier
from app.settings import Settings


@dataclass(frozen=True)
class CaptureTools:
    """What all captures of one process share. Its verifier is to be closed."""

    slots: Slots
    verifier: Verifier

    @classmethod
    def of(cls, settings: Settings) -> CaptureTools:
        """Every slot free, and a verifier that is not started yet."""
        return cls(Slots.of(settings), Verifier())

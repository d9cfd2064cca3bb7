"""What a checker found: an invariant between files and rows that does not hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """Which invariant does not hold (1, 2, 3 or 5), and where."""

    invariant: int
    detail: str

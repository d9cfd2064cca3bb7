"""What can be wrong with a segment that egress wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.models.words import FaultSlug


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: a stable slug, a sentence with the values that show it."""

    slug: FaultSlug
    detail: str

    def __str__(self) -> str:
        return f"{self.slug}: {self.detail}"


class Unpreparable(Exception):
    """A segment that can't become a fragment. `faults` is never empty, the gravest first."""

    def __init__(self, path: str, faults: Sequence[Fault]) -> None:
        self.path = path
        self.faults = tuple(faults)
        super().__init__(f"{path}: " + "; ".join(map(str, self.faults)))

    @property
    def slug(self) -> FaultSlug:
        """The reason to show: the first fault's slug."""
        return self.faults[0].slug

"""What can be wrong with a segment that egress wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

FaultSlug = Literal[
    "codec",
    "corrupt",
    "empty",
    "no-keyframe",
    "no-video",
    "timestamps",
    "truncated",
    "unreadable",
]
"""Stable names, fit for a gap's reason and a metric's label.

- `codec`: another codec, or an audio layout, than H.264 and AAC-LC in mono or stereo.
- `corrupt`: lost or altered transport packets, or pictures without their parameters.
- `empty`: a file of zero bytes.
- `no-keyframe`: the first picture is not an IDR, so that nothing can start here.
- `no-video`: no picture at all.
- `timestamps`: times that no camera made: doubled, before the session, or far too long.
- `truncated`: the file ends before the media that its playlist line promised.
- `unreadable`: absent, not permitted, or not MPEG-TS.
"""


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

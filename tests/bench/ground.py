"""What every benchmark stands on: its folder, how long it may take, its media."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from tests.bench import media, recorded
from tests.bench.media import Shape
from tests.bench.recorded import Recorded

T = TypeVar("T")
LONGEST_SECONDS = 600
_MARGIN_SECONDS = 12
"""More is recorded than is ever asked for, so that a window may begin within a segment."""


@dataclass(frozen=True)
class Ground:
    """`folder` is kept from run to run. `quick`: everything once over, in under 3 minutes."""

    folder: Path
    quick: bool

    def pick(self, *, quick: T, full: T) -> T:
        return quick if self.quick else full

    def cycle(self, shape: Shape, segment_seconds: int = 2) -> list[Path]:
        """A few seconds of `.ts` segments."""
        seconds = self.pick(quick=8, full=40)
        return media.cycle(self.folder / "media", shape, seconds, segment_seconds)

    def recorded(self, shape: Shape, segment_seconds: int) -> Recorded:
        """Ten minutes and a little more."""
        each = segment_seconds
        seconds = -(-(LONGEST_SECONDS + _MARGIN_SECONDS) // each) * each
        kept = self.folder / self.pick(quick="quick", full="full")
        return recorded.recorded(kept, shape, self.cycle(shape, each), seconds, each)

    @cached_property
    def full_hd(self) -> Recorded:
        """1080p60 in segments of 2 s: what the targets are about."""
        self.say("making 10 minutes of 1080p60, if they are not there")
        return self.recorded(media.FULL_HD_60, 2)

    @property
    def scratch(self) -> Path:
        """A folder for what is measured, on the same file system as the media."""
        path = self.folder / "scratch"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def say(self, text: str) -> None:
        print(f"bench: {text}", file=sys.stderr, flush=True)

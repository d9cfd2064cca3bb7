"""What a process finds wrong with itself now: for whoever asks it how it is."""

from __future__ import annotations

import math
import time


class Troubles:
    """A sentence for each thing that is wrong, by what it is about."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[str, float]] = {}

    def tell(self, about: str, text: str, seconds: float = math.inf) -> None:
        """It is so until `over`, or for `seconds`. A newer sentence takes the place of an older."""
        self._told[about] = (text, time.monotonic() + seconds)

    def over(self, about: str) -> None:
        """It is so no more, if it was."""
        self._told.pop(about, None)

    def current(self) -> list[str]:
        """The sentences, in the order of what they are about."""
        now = time.monotonic()
        return [text for _, (text, until) in sorted(self._told.items()) if now < until]

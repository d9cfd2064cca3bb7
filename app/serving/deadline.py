"""One deadline of a connection at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Deadline:
    """What happens after a while unless something else comes first."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        return self._timer is not None

    def set(self, seconds: float, act: Callable[[], object]) -> None:
        """Acts in so many seconds, and no more at what was to happen before."""
        self.stop()
        self._timer = self._loop.call_later(seconds, self._act, act)

    def stop(self) -> None:
        """Nothing happens any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _act(self, act: Callable[[], object]) -> None:
        self._timer = None
        act()

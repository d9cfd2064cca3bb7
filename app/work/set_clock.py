"""Whether somebody has set this machine's clock: NTP after a boot without a clock, an admin."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

STEP = timedelta(seconds=2)
"""What is less is left to those whose clock it is: NTP slews it."""
CAUTION = timedelta(minutes=10)
"""So long after the clock was set forward no segment and no clip is deleted because it has become
old by that: it may be set back."""
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # it goes on while a machine sleeps

log = structlog.get_logger()


class SetClock:
    """The machine's clock, held against the one that nobody sets. Both are in ns."""

    def __init__(
        self,
        wall_ns: Callable[[], int] = time.time_ns,
        steady_ns: Callable[[], int] = lambda: time.clock_gettime_ns(_STEADY),
    ) -> None:
        self._wall_ns, self._steady_ns = wall_ns, steady_ns
        self._apart_ns = wall_ns() - steady_ns()
        self._forward: list[tuple[int, timedelta]] = []

    def cautious(self, now: datetime) -> datetime:
        """What time it is by the clock as it was before it was set forward, for CAUTION."""
        steady_ns = self._steady_ns()
        before, self._apart_ns = self._apart_ns, self._wall_ns() - steady_ns
        step = timedelta(microseconds=(self._apart_ns - before) // 1000)
        if step >= STEP:
            self._forward.append((steady_ns, step))
            log.warning("clock_set_forward", seconds=round(step.total_seconds()))
        from_ns = steady_ns - CAUTION // timedelta(microseconds=1) * 1000
        self._forward = [each for each in self._forward if each[0] > from_ns]
        return now - sum((each for _, each in self._forward), timedelta(0))


OURS = SetClock()
"""This machine's, for all of a process: what one job has noticed holds for the others."""

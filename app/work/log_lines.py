"""How many log lines there are of what anybody may cause: a disk that is full is everybody's."""

from __future__ import annotations

import structlog

from app.work.rate_buckets import RateBuckets

LINES = 600
"""Lines a minute for each key: whoever may cause one sends 2,000 requests a second."""

log = structlog.get_logger()


class LogLines:
    """Whether there may be one more line. What has none is counted, and told of as `event`."""

    def __init__(self, event: str, per_minute: int = LINES) -> None:
        self._event = event
        self._lines = RateBuckets(per_minute)
        self._untold = 0

    def take(self, key: str = "") -> bool:
        """Takes a line out of those that a key has. False: there is none left at the moment."""
        if self._lines.take(key):
            self._untold += 1
            return False
        if self._untold:
            log.warning(self._event, count=self._untold)
            self._untold = 0
        return True

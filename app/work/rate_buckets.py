"""Token buckets: how many of something there may be in a time, for each of many keys. Pure."""

from __future__ import annotations

import time
from collections import OrderedDict

KEYS = 20_000


class RateBuckets:
    """One bucket for each key, of `size` requests, that fills in `seconds`; size 0: no limit.

    `keys`: how many buckets are remembered. The one asked for longest ago goes first: it is nearly
    full.
    """

    def __init__(self, size: float, seconds: float = 60.0, keys: int = KEYS) -> None:
        self._size = size
        self._keys = keys
        self._per_second = size / seconds
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now: float | None = None, *, part: float = 1.0) -> float:
        """Takes one request, or a `part` of one, out of a key's bucket.

        Returns 0, or after how many seconds to come. `now`: in seconds of the monotonic clock.
        """
        if not self._size:
            return 0.0
        now = time.monotonic() if now is None else now
        left = self._filled(key, now)
        wait = self._wait(left, part)
        self._left.pop(key, None)
        self._left[key] = (left if wait else left - part, now)
        if len(self._left) > self._keys:
            self._left.popitem(last=False)
        return wait

    def wait(self, key: str, now: float | None = None, *, part: float = 1.0) -> float:
        """What `take` would return now; nothing is taken."""
        if not self._size:
            return 0.0
        return self._wait(self._filled(key, time.monotonic() if now is None else now), part)

    def _filled(self, key: str, now: float) -> float:
        left, since = self._left.get(key, (self._size, now))
        return min(self._size, left + (now - since) * self._per_second)

    def _wait(self, left: float, part: float) -> float:
        return max(0.0, (part - left) / self._per_second)

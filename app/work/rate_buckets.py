"""Token buckets: how many of something there may be a minute, for each of many keys. Pure."""

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

    def take(self, key: str, now: float | None = None) -> float:
        """Takes one request out of a key's bucket. Returns 0, or after how many seconds to come.

        `now`: in seconds of the monotonic clock.
        """
        if not self._size:
            return 0.0
        now = time.monotonic() if now is None else now
        left, since = self._left.pop(key, (self._size, now))
        left = min(self._size, left + (now - since) * self._per_second)
        wait = max(0.0, (1.0 - left) / self._per_second)
        self._left[key] = (left if wait else left - 1.0, now)
        if len(self._left) > self._keys:
            self._left.popitem(last=False)
        return wait

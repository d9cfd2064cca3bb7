"""How many requests one user may send: a token bucket for each user and class of cost.

In the memory of the process that answers, so that a flood costs no store anything. `limits` (5.8)
was looked at: it has no token bucket, and its memory starts a thread for each request.
"""

from __future__ import annotations

from enum import StrEnum

from app.work.log_lines import LogLines
from app.work.rate_buckets import RateBuckets


class Cost(StrEnum):
    """What a request costs: FACTORS tells how many of REQUESTS_PER_MINUTE may be sent of it.

    - `WINDOW`: the rows of all its segments are read.
    - `POSTER`: one picture, or the index of a movie. `PICTURE`: a sheet of them.
    - `FREE`: next to nothing, so that it is answered however many come.
    """

    MEDIA = "media"
    WINDOW = "window"
    READ = "read"
    WRITE = "write"
    POSTER = "poster"
    PICTURE = "picture"
    FREE = "free"


FACTORS = {
    Cost.MEDIA: 5.0,
    Cost.READ: 1.0,
    Cost.POSTER: 1.0,
    Cost.WINDOW: 0.5,
    Cost.WRITE: 0.25,
    Cost.PICTURE: 0.25,
}


class Rates:
    """The buckets of a process: of its users, and of addresses that show no good credentials."""

    def __init__(self, per_minute: int) -> None:
        self._of = {cost: RateBuckets(per_minute * factor) for cost, factor in FACTORS.items()}
        self._refused = RateBuckets(per_minute / 10)
        self.refused_lines = LogLines("refusals_without_lines")

    def take(self, cost: Cost, user: str) -> float:
        """Takes a request of this cost. Returns 0, or after how many seconds to come again."""
        return self._of[cost].take(user) if cost in self._of else 0.0

    def refuse(self, address: str) -> float:
        """Counts bad credentials. Returns 0, or for how many seconds there were too many."""
        return self._refused.take(address)

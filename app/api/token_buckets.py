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


OF_URLS = 4.0
"""So many times what one user may send, all may who have URLs that were made for one user: each
address of theirs as much as a user."""


class Kept(StrEnum):
    """What is kept for days of a request, and how many of it one user may send in ALLOWANCES.

    - `CHANGE`: a row of the audit, perhaps an event. `CAPTURE`: these, and its own row.
    - `MESSAGE`: an event with texts for a chat.
    - `RULE`: what an admin sets.
    """

    CHANGE = "change"
    CAPTURE = "capture"
    MESSAGE = "message"
    RULE = "rule"


ALLOWANCES = {
    Kept.CHANGE: (1.0, 24.0),
    Kept.CAPTURE: (5.0, 24.0),
    Kept.MESSAGE: (0.05, 1.0),
    Kept.RULE: (5.0, 24.0),
}
"""So many times REQUESTS_PER_MINUTE in so many hours."""


class Rates:
    """The buckets of a process: of its users, and of addresses that show no good credentials."""

    def __init__(self, per_minute: int) -> None:
        self._of = {cost: RateBuckets(per_minute * factor) for cost, factor in FACTORS.items()}
        self._of_urls = {
            cost: RateBuckets(per_minute * factor * OF_URLS) for cost, factor in FACTORS.items()
        }
        self._kept = {
            kept: RateBuckets(max(1.0, per_minute * factor) if per_minute else 0, hours * 3600)
            for kept, (factor, hours) in ALLOWANCES.items()
        }
        self._refused = RateBuckets(per_minute / 10)
        self.refused_lines = LogLines("refusals_without_lines")

    def take(self, cost: Cost, user: str, address: str | None = None) -> float:
        """Takes a request of this cost. Returns 0, or after how many seconds to come again.

        `address`: of one by a URL that was made for the user, where it came from.
        """
        if cost not in self._of:
            return 0.0
        if address is None:
            return self._of[cost].take(user)
        return self._of[cost].take(f"{user} {address}") or self._of_urls[cost].take(user)

    def keep(self, kept: Kept, user: str) -> float:
        """Takes a request of which this is kept. Returns 0, or after how many seconds to come."""
        return self._kept[kept].take(user)

    def refuse(self, address: str) -> float:
        """Counts bad credentials. Returns 0, or for how many seconds there were too many."""
        return self._refused.take(address)

"""How often shares begin to be recorded, and refusals are told: in an hour, of a user, of all.

Anybody who may share can publish, stop and publish again as often as they like. Each beginning
leaves rows, files and events, each refusal an event. In the memory of the worker that decides: what
it has counted is gone with it, and each worker counts by itself.
"""

from __future__ import annotations

from enum import StrEnum

import structlog

from app.work.log_lines import LogLines
from app.work.rate_buckets import RateBuckets

_HOUR = 3600.0

log = structlog.get_logger()


class Often(StrEnum):
    """What a share may do so often."""

    BEGIN = "begin"
    """Begin to be recorded, anew or with other sound."""
    REFUSED = "refused"
    """Have it told that it is not recorded."""


class ShareRates:
    """So many in an hour of one user in a community, and for each slot of a community; 0: any.

    What a user has not used up is there at once: at first, all of an hour.
    """

    def __init__(self, per_hour: int) -> None:
        self.per_hour = per_hour
        self._of_users = RateBuckets(per_hour, _HOUR)
        self._of_communities = RateBuckets(per_hour, _HOUR)
        self._lines = LogLines("shares_too_often_without_lines", per_minute=1)

    def take(
        self, what: Often, community: str, slots: int, identity: str, now: float | None = None
    ) -> float:
        """Takes one. Returns 0, or after how many seconds to come again; then nothing is taken.

        `slots`: how many the community has. Users may change their names: all together have no more
        than those whose shares take all of the slots all of the time. `now`: as of RateBuckets.
        """
        of_all, part = f"{what}\0{community}", 1 / max(1, slots)
        of_one = f"{of_all}\0{identity}"
        wait = max(
            self._of_users.wait(of_one, now), self._of_communities.wait(of_all, now, part=part)
        )
        if wait:
            if self._lines.take(of_all):
                whose = {"community": community, "identity": identity}
                log.warning("shares_too_often", what=what, most=self.per_hour, **whose)
            return wait
        self._of_users.take(of_one, now)
        self._of_communities.take(of_all, now, part=part)
        return 0.0

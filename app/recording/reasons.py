"""Why a share is not recorded: the closed list of slugs that `why` may hold."""

from __future__ import annotations

from enum import StrEnum


class Why(StrEnum):
    """A reason slug, stored in `Buffer.why` and told by `GET /buffers`."""

    OPTED_OUT = "opted-out"
    STOPPED_BY_SHARER = "stopped-by-sharer"
    STOPPED_BY_ADMIN = "stopped-by-admin"
    ENCRYPTED = "encrypted"
    NO_WORKER = "no-worker"
    LIMIT = "limit"
    QUOTA = "quota"
    DISK = "disk"
    NOT_PERMITTED = "not-permitted"
    COMMUNITY_OFF = "community-off"
    EGRESS_FAILED = "egress-failed"
    STARTING = "starting"


# A share for one of these reasons is refused: nothing is tried until the reason goes.
REFUSALS = frozenset(
    {
        Why.OPTED_OUT,
        Why.STOPPED_BY_SHARER,
        Why.STOPPED_BY_ADMIN,
        Why.ENCRYPTED,
        Why.LIMIT,
        Why.QUOTA,
        Why.DISK,
        Why.NOT_PERMITTED,
        Why.COMMUNITY_OFF,
    }
)

"""What LiveKit says of an egress, as far as it can be believed. Pure."""

from __future__ import annotations

from livekit.protocol.egress import EgressInfo
from livekit.protocol.egress import EgressStatus as LiveKitStatus

from app.models import EgressStatus

_FINAL = (
    LiveKitStatus.EGRESS_COMPLETE,
    LiveKitStatus.EGRESS_FAILED,
    LiveKitStatus.EGRESS_ABORTED,
    LiveKitStatus.EGRESS_LIMIT_REACHED,
)


def is_over(info: EgressInfo) -> bool:
    """Whether an egress has ended. A status that is newer than our library parses as STARTING."""
    return info.ended_at != 0 or info.status in _FINAL


def status_of(info: EgressInfo) -> EgressStatus:
    """How far an egress is; one that is over is never said to run."""
    if is_over(info) and info.status not in _FINAL:
        return EgressStatus.FAILED if info.error else EgressStatus.COMPLETE
    if info.status not in LiveKitStatus.values():
        return EgressStatus.ACTIVE
    return EgressStatus(LiveKitStatus.Name(info.status))


def clock_of(info: EgressInfo) -> int | None:
    """Unix time in ns of the egress's media time 0; None as long as nothing was recorded.

    `segment_results[0].started_at`, right within 41 ms for every frame. A killed handler's last
    info has lost it.
    """
    if info.segment_results and info.segment_results[0].started_at > 0:
        return info.segment_results[0].started_at
    return None

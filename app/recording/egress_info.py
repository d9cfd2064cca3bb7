"""What LiveKit says of an egress, as far as it can be believed. Pure."""

from __future__ import annotations

import re

from livekit.protocol.egress import EgressInfo
from livekit.protocol.egress import EgressStatus as LiveKitStatus

from app.models import EgressStatus

_UPLOAD_FAILED = "S3 upload failed"
_CODE = re.compile(r"api error ([A-Za-z0-9.]{1,60})")
_STATUS = re.compile(r"StatusCode: (\d{3})")
_LOOKED_AT = 65_536
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


def error_of(info: EgressInfo) -> str:
    """Why an egress failed. Of a store's own words no more than its code: they repeat what was
    signed."""
    told, failed, why = info.error.partition(_UPLOAD_FAILED)
    if not failed:
        return info.error
    code = _CODE.search(why[:_LOOKED_AT]) or _STATUS.search(why[:_LOOKED_AT])
    return f"{told}{failed}: {code[1]}" if code else f"{told}{failed}"


def clock_of(info: EgressInfo) -> int | None:
    """Unix time in ns of the egress's media time 0; None as long as nothing was recorded.

    `segment_results[0].started_at`, right within 41 ms for every frame. A killed handler's last
    info has lost it.
    """
    if info.segment_results and info.segment_results[0].started_at > 0:
        return info.segment_results[0].started_at
    return None

"""What became of the captures of the last days, hour by hour: their rows are kept as long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from app.condition.answer_cache import AnswerCache
from app.condition.measures import COST_FACTOR
from app.context import Context
from app.models import CaptureStatus, Row
from app.models.schema import Capture
from app.store import after

WINDOW = timedelta(days=7)
EVERY_SECONDS = 60.0
_HOUR = "%Y-%m-%dT%H:00:00+00:00"


@dataclass(frozen=True)
class Failure:
    """How many captures have failed for one reason."""

    reason: str
    count: int


@dataclass
class Hour:
    """What became of the captures that ended in the hour that begins at `at`."""

    at: datetime
    ready: int = 0
    cancelled: int = 0
    failed: int = 0
    failures: list[Failure] = field(default_factory=list)


class Outcomes(AnswerCache[Sequence[Hour]]):
    """Counts at most every EVERY_SECONDS, and no more often than the cost allows."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(
            partial(_count, ctx),
            lambda _, took_seconds: max(EVERY_SECONDS, COST_FACTOR * took_seconds),
        )


async def _count(ctx: Context) -> Sequence[Hour]:
    """The hours in which captures ended, oldest first."""
    hour = {"$dateToString": {"format": _HOUR, "date": "$finished_at"}}
    group = {"hour": hour, "status": "$status", "reason": "$reason"}
    stages: list[Row] = [
        {"$match": {"finished_at": after(datetime.now(UTC) - WINDOW)}},
        {"$group": {"_id": group, "count": {"$sum": 1}}},
    ]
    hours: dict[str, Hour] = {}
    for each in await ctx.store.summed(Capture, stages):
        told, count = each["_id"], each["count"]
        found = hours.setdefault(told["hour"], Hour(datetime.fromisoformat(told["hour"])))
        match told["status"]:
            case CaptureStatus.READY:
                found.ready += count
            case CaptureStatus.CANCELLED:
                found.cancelled += count
            case CaptureStatus.FAILED:
                found.failed += count
                found.failures.append(Failure(told.get("reason") or "", count))
    for found in hours.values():
        found.failures.sort(key=lambda failure: (-failure.count, failure.reason))
    return [hours[each] for each in sorted(hours)]

"""How many captures, and renditions, somebody may ask for: at once, in a minute, in an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pymongo import DESCENDING

from app.context import Context
from app.errors import TooManyCaptures
from app.models import CaptureRow, CaptureStatus, RenditionRow, Row
from app.models.schema import Capture, Rendition
from app.store import dated

RETRY_SECONDS = 5
LONGEST_PERIOD = timedelta(hours=1)
"""In which captures are counted: so long each has its row, whatever became of it."""


async def check(ctx: Context, row: CaptureRow | RenditionRow) -> None:
    """Raises TooManyCaptures, with `retry_after`, if the row of a new capture is one too many.

    The row is there already and counts: of many at the same moment none can miss the others, so no
    limit is ever passed, though at the very limit more may be refused than had to be.
    """
    await _check_pending(ctx, row)
    await _check_rate(ctx, row, ctx.settings.captures_per_minute, timedelta(minutes=1))
    await _check_rate(ctx, row, ctx.settings.captures_per_hour, LONGEST_PERIOD)


async def _check_pending(ctx: Context, row: CaptureRow | RenditionRow) -> None:
    mine, all_of_them = await _pending(ctx, row["caller"])
    most = ctx.settings.captures_pending
    most_of_one = _limit_of_one(ctx.settings.captures_pending_per_user, all_of_them, most)
    for count, limit, what in (
        (mine, most_of_one, f"{mine} captures of {row['caller']!r}"),
        (all_of_them, most, f"{all_of_them} captures"),
    ):
        if count > limit:
            raise TooManyCaptures(
                f"{what} are not finished, with this one; at most {limit} may be: wait for one of "
                "them, or cancel one",
                retry_after=RETRY_SECONDS,
                limit=limit,
            )


def _limit_of_one(usual: int, taken: int, most: int) -> int:
    """How many of `most` places one user may have while so many are taken.

    All of theirs up to the half, then fewer and fewer, and always one: who has many names fills it
    no sooner than many people would.
    """
    if 2 * taken <= most:
        return usual
    return max(1, 2 * usual * (most - taken) // most)


async def _pending(ctx: Context, caller: str) -> tuple[int, int]:
    """How many captures are not finished: those of the caller, and all.

    Counted among those with a `lease_until`, which has an index: what is not finished, and some
    that lack their checksum.
    """
    unfinished = {"lease_until": dated(), "status": {"$in": CaptureStatus.unfinished()}}
    is_mine = {"$eq": ["$caller", {"$literal": caller}]}
    sums = {"mine": {"$sum": {"$cond": [is_mine, 1, 0]}}, "all": {"$sum": 1}}
    stages: list[Row] = [{"$match": unfinished}, {"$group": {"_id": None} | sums}]
    counts = await ctx.store.summed(Capture, stages) + await ctx.store.summed(Rendition, stages)
    return sum(each["mine"] for each in counts), sum(each["all"] for each in counts)


async def _check_rate(
    ctx: Context, row: CaptureRow | RenditionRow, limit: int, period: timedelta
) -> None:
    if not limit:
        return
    now = datetime.now(UTC)
    mine = {"caller": row["caller"], "accepted_at": {"$gt": now - period}}
    found: list[datetime] = []
    for rows in (ctx.store.rows(Capture), ctx.store.rows(Rendition)):
        newest = rows.find(mine, {"accepted_at": 1}).sort("accepted_at", DESCENDING)
        found += [each["accepted_at"] async for each in newest.limit(limit + 1)]
    # The newest is this one; when the limit-th before it is too old, there is room for another.
    if len(found) > limit:
        wait = (sorted(found, reverse=True)[limit] + period - now).total_seconds()
        raise TooManyCaptures(
            f"{row['caller']!r} may ask for {limit} captures in {period.total_seconds():g} s",
            retry_after=max(1.0, round(wait, 3)),
            limit=limit,
        )

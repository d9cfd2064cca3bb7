"""Looks for the rows of clips that a page may hold: what matches, from a position on.

A look costs the same however many clips there are: see `app.stretches`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app import stretches
from app.context import Context
from app.models import ClipRow, Row
from app.models.keyset import Order, Position
from app.models.schema import ReplayClip
from app.store import first

NEWEST_FIRST = Order("created_at")
OLDEST_FIRST = Order("created_at", newest_first=False)
_GROWTH = 4
_TICK = timedelta(milliseconds=1)
"""How exact instants in rows are."""


def _is_looked_through_once(scope: Row) -> bool:
    """Whether no index has its conditions before an instant: each look reads all that match it."""
    return "moment_id" in scope or any(isinstance(each, dict) for each in scope.values())


async def before(
    ctx: Context, scope: Row, begin: Position, since: datetime, count: int
) -> list[ClipRow]:
    """The newest rows of a scope before a position, at most `count` and not older than `since`."""
    at_once = _is_looked_through_once(scope)
    return await stretches.before(
        ctx.store, ReplayClip, NEWEST_FIRST, scope, begin, since, count, at_once=at_once
    )


async def resting(
    ctx: Context, scope: Row, begin: Position, end: datetime, count: int, *, is_oldest: bool
) -> list[ClipRow]:
    """The first rows of a scope of deleted clips from a position on to an instant, at most `count`.

    No index has both the instants, of deleting and of making: all that rest are looked through.
    """
    clips = ctx.store.rows(ReplayClip)
    made = await clips.find(scope, {"created_at": 1}).to_list(None)
    places = sorted(map(NEWEST_FIRST.position, made), reverse=not is_oldest)
    if is_oldest:
        ids = [clip_id for at, clip_id in places if begin < (at, clip_id) and at < end]
    else:
        ids = [clip_id for at, clip_id in places if (at, clip_id) < begin and at >= end]
    rows = await clips.find({"_id": {"$in": ids[:count]}}).to_list(None)
    return sorted(rows, key=NEWEST_FIRST.position, reverse=not is_oldest)


async def after(
    ctx: Context, scope: Row, begin: Position, until: datetime, count: int
) -> list[ClipRow]:
    """The oldest rows of a scope after a position, at most `count` and made before `until`."""
    at, clip_id = begin
    clips = ctx.store.rows(ReplayClip)
    rows: list[ClipRow] = []
    end = min(until, stretches.latest(datetime.now(UTC)))
    stretch = end - at
    if clip_id and at < end:
        same = clips.find(scope | OLDEST_FIRST.beside(begin)).sort(OLDEST_FIRST.sorting)
        rows, at, stretch = await first(same, count), at + _TICK, stretches.FIRST_STRETCH
    while len(rows) < count and at < end:
        # Never more than half of what is left: nobody knows where the oldest lies.
        stretch = min(stretch, max(stretches.FIRST_STRETCH, (end - at) / 2))
        stop = min(end, at + stretch)
        younger = clips.find(scope | OLDEST_FIRST.beyond(None, at, stop))
        rows += await first(younger.sort(OLDEST_FIRST.sorting), count - len(rows))
        at, stretch = stop, stretch * _GROWTH
    return rows

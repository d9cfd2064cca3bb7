"""Targets that have asked to be left alone for a while: this process sends them nothing then.

Another worker hears it by its own first try; an event that was put off has the time in its row.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from app.context import Context
from app.lru_cache import LruCache

_paused: LruCache[datetime] = LruCache(1000)


def begin(ctx: Context, target: str, seconds: float, now: datetime) -> None:
    """Leaves a target alone."""
    _paused.put(_key(ctx, target), now + timedelta(seconds=seconds))


def names(ctx: Context, now: datetime) -> set[str]:
    """The targets that are to be left alone now."""
    told = (each.name for each in ctx.settings.all_event_targets)
    return {name for name in told if (until := _paused.get(_key(ctx, name))) and until > now}


def _key(ctx: Context, target: str) -> str:
    return f"{ctx.store.database.name}\0{target}"

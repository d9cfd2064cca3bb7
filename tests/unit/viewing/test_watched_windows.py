"""How long watching a window keeps its media."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.viewing.watched_windows import LEASE, Watch, Watcher, lease_end

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RETENTION = timedelta(minutes=12)


def watch(start: datetime, end: datetime) -> Watch:
    return Watch(Watcher("holder", ""), "b1", start, end)


def test_a_lease_lasts_no_longer_than_what_is_watched() -> None:
    begin = NOW - timedelta(hours=1)
    late, over = NOW - timedelta(minutes=5), NOW - timedelta(minutes=30)
    assert lease_end(watch(begin, late), NOW, RETENTION) == NOW + LEASE
    assert lease_end(watch(begin, over), NOW, RETENTION) == over + RETENTION + LEASE


def test_a_window_may_have_any_dates_that_there_are() -> None:
    first, last = datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert lease_end(watch(first, last), NOW, RETENTION) == NOW + LEASE
    assert lease_end(watch(first, first), NOW, RETENTION) == first + RETENTION + LEASE

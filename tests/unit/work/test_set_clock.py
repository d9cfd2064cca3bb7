"""A clock that is set is noticed, and makes nothing old for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.work.set_clock import CAUTION, SetClock

NOW = datetime(2026, 11, 22, 20, 48, tzinfo=UTC)
SECOND = 10**9


class Machine:
    """Its clocks, in ns."""

    def __init__(self) -> None:
        self.wall, self.steady = 1_700_000_000 * SECOND, 77 * SECOND
        self.clock = SetClock(lambda: self.wall, lambda: self.steady)

    def passes(self, seconds: float, set_by: float = 0.0) -> None:
        self.steady += round(seconds * SECOND)
        self.wall += round((seconds + set_by) * SECOND)


def test_a_clock_that_is_slewed_makes_nothing_younger() -> None:
    machine = Machine()
    for _ in range(100):
        machine.passes(60, set_by=0.03)
        assert machine.clock.cautious(NOW) == NOW


def test_for_a_while_nothing_becomes_old_by_a_step() -> None:
    machine = Machine()
    assert machine.clock.cautious(NOW) == NOW
    machine.passes(15, set_by=86_400 * 365)
    assert machine.clock.cautious(NOW) == NOW - timedelta(days=365)
    machine.passes(15, set_by=60)
    assert machine.clock.cautious(NOW) == NOW - timedelta(days=365, seconds=60)
    machine.passes(CAUTION.total_seconds() + 1)
    assert machine.clock.cautious(NOW) == NOW


def test_a_clock_that_is_set_back_makes_nothing_older() -> None:
    machine = Machine()
    machine.passes(15, set_by=-1_200)
    assert machine.clock.cautious(NOW) == NOW

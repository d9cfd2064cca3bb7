"""How far a share has got by the clock of its own media."""

from __future__ import annotations

from datetime import datetime

import pytest

from app.buffer import clock, reach
from app.models import FaultSlug
from tests.unit.buffer.rows import at, indexed, over, run, session

COMMITTED = 2 + clock.PIPELINE.total_seconds()
"""How many seconds after its end a segment of 2 s is there, by egress's own clock."""


def reached(ahead: float, *, age: float = 0.5) -> datetime:
    """At 100 s, of a share whose newest segment is there since `age` seconds."""
    ends = 100 - age - COMMITTED
    media = indexed(run(0, ends), newest_at=at(100 - age))
    return reach.latest([session(clock_at=ahead)], {"s": media}, at(100))


@pytest.mark.parametrize("ahead", [0, 0.7, 2, 5, 10])
def test_a_share_reaches_to_now_by_the_clock_of_its_media(ahead: float) -> None:
    """What was recorded at this moment, and is still to come, will be dated so."""
    assert reached(ahead) == at(100 + ahead)


def test_where_egress_is_behind_a_share_reaches_to_now_by_ours() -> None:
    assert reached(-5) == at(100)


def test_more_than_is_believed_of_a_clock_is_not_added() -> None:
    assert reached(40) == max(at(100 + 10), at(100 - 0.5 - COMMITTED + 40))


def test_media_that_is_there_is_always_reached() -> None:
    media = {"s": indexed(run(0, 130), newest_at=at(40)), "t": indexed(run(0, 20))}
    sessions = [over("s"), session("t", clock_at=None)]
    assert reach.latest(sessions, media, at(100)) == at(130)


def test_a_gap_is_where_a_playlist_says_and_tells_nothing() -> None:
    gap = run(90, 5000, first=45, fault=FaultSlug.UNREADABLE)
    media = {"s": indexed(run(0, 90), gap, newest_at=at(100))}
    assert reach.latest([session()], media, at(100)) == at(100)


def test_a_clock_is_seen_to_be_ahead_by_media_of_a_time_to_come() -> None:
    def seen(clock_at: float) -> float:
        media = indexed(run(0, 90), newest_at=at(90 + COMMITTED))
        return reach.seen_ahead(session(clock_at=clock_at), media).total_seconds()

    assert [seen(each) for each in (-5, 0, 2, 5, 10, 40)] == [0, 0, 0, 5, 10, 10]

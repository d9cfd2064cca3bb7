"""The timeline of somebody who may watch only what they were there for."""

from __future__ import annotations

from app.models import BufferGapWhy
from app.viewing.timeline import Timeline, build
from app.viewing.witness_view import witnessed
from tests.unit.buffer.rows import SECOND, at, buffer, indexed, run, session


def line() -> Timeline:
    """100 s of which the seconds 40 to 50 are lost."""
    media = {"s": indexed(run(0, 40), run(50, 100, first=30), newest_at=at(100))}
    return build(buffer(), [session()], media, at(101), at(-500))


def told(found: Timeline) -> list[tuple[float, float, str]]:
    """Spans and gaps, in seconds, in order of time."""
    spans = [(span.start, span.end, "media") for span in found.spans]
    gaps = [(gap.start, gap.end, str(gap.why)) for gap in found.gaps]
    return [
        ((start - at(0)).total_seconds(), (end - at(0)).total_seconds(), what)
        for start, end, what in sorted(spans + gaps)
    ]


def test_what_lies_between_two_stays_is_a_gap() -> None:
    found = witnessed(line(), [(at(-9), at(10)), (at(20), at(30)), (at(90), at(900))])
    assert told(found) == [
        (0, 10, "media"),
        (10, 20, "not-present"),
        (20, 30, "media"),
        (30, 90, "not-present"),
        (90, 100, "media"),
    ]
    assert (found.oldest, found.newest, found.seconds) == (at(0), at(100), 30)
    assert [span.end_ticks for span in found.spans] == [10 * SECOND, 30 * SECOND, 100 * SECOND]


def test_a_gap_of_the_share_within_a_stay_remains_one() -> None:
    found = witnessed(line(), [(at(30), at(45)), (at(47), at(60))])
    assert told(found) == [
        (30, 40, "media"),
        (40, 45, BufferGapWhy.LOST),
        (45, 47, "not-present"),
        (47, 50, BufferGapWhy.LOST),
        (50, 60, "media"),
    ]


def test_who_was_there_all_the_time_sees_all_of_it() -> None:
    assert witnessed(line(), [(at(-9), at(900))]) == line()


def test_without_media_during_a_stay_there_is_nothing() -> None:
    found = witnessed(line(), [(at(41), at(44))])
    assert (found.spans, found.gaps, found.oldest, found.seconds) == ((), (), None, 0)
    assert found.state == line().state

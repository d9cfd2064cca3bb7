"""Which moments may be marked, and what is kept around them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.buffer import marked_ranges
from app.errors import BufferEmpty, Invalid
from app.viewing import mark_moment
from app.viewing.timeline import Timeline, build
from tests.unit.buffer.rows import at, buffer, indexed, over, run, session

NOW = 1000.0
KEPT = timedelta(minutes=30)


def live() -> Timeline:
    media = {"s": indexed(run(0, NOW - 4))}
    return build(buffer(), [session()], media, at(NOW), at(400), [(at(100), at(175))])


def ended() -> Timeline:
    media = {"s": indexed(run(500, 700))}
    return build(buffer(ended_at=at(700)), [over()], media, at(NOW), at(400))


def test_what_is_kept_around_marks_is_joined_where_it_meets() -> None:
    assert marked_ranges.merged([]) == []
    found = marked_ranges.merged([at(200), at(100), at(151), at(1000)])
    assert found == [(at(40), at(215)), (at(940), at(1015))]


def test_marked_is_the_present_or_the_end_of_a_share_that_is_over() -> None:
    assert mark_moment.present(live(), at(NOW)) == at(NOW)
    assert mark_moment.present(ended(), at(NOW)) == at(700)


def test_the_present_is_that_of_the_medias_own_clock() -> None:
    """Which was 6 s ahead of ours, as its newest segment tells."""
    media = {"s": indexed(run(0, NOW - 4.3), newest_at=at(NOW - 1))}
    line = build(buffer(), [session(clock_at=6)], media, at(NOW), at(400))
    assert mark_moment.present(line, at(NOW)) == at(NOW + 6)
    mark_moment.check_within(line, at(NOW + 11), at(NOW), KEPT)


@pytest.mark.parametrize(
    ("line", "moment", "word"),
    [
        (live(), NOW, None),
        (live(), NOW + 5, None),
        (live(), NOW + 5.001, "after the end"),
        (live(), 400, None),
        (live(), 399, "before the beginning"),
        (live(), 150, None),  # kept, because it is marked
        (ended(), 700, None),
        (ended(), 700.5, "after the end"),
        (ended(), 499, "before the beginning"),
    ],
)
def test_a_mark_lies_where_media_is_or_will_be(
    line: Timeline, moment: float, word: str | None
) -> None:
    if word is None:
        mark_moment.check_within(line, at(moment), at(NOW), KEPT)
        return
    with pytest.raises(Invalid, match=word):
        mark_moment.check_within(line, at(moment), at(NOW), KEPT)


def test_a_moment_that_no_mark_keeps_any_more_is_not_marked_again() -> None:
    """What is around 150 is there because it was marked."""
    mark_moment.check_within(live(), at(150), at(NOW), timedelta(seconds=NOW - 149))
    with pytest.raises(Invalid, match=f"too old to be marked.*{at(NOW).isoformat()[:19]}"):
        mark_moment.check_within(live(), at(150), at(NOW), timedelta(seconds=NOW - 150))


def test_a_share_without_media_is_marked_only_while_it_may_come() -> None:
    waiting = build(buffer(), [], {}, at(NOW), at(400))
    with pytest.raises(BufferEmpty) as found:
        mark_moment.check_within(waiting, at(NOW), at(NOW), KEPT)
    assert found.value.extra == {"retry_after": 5}
    over_and_gone = build(buffer(ended_at=at(100)), [], {}, at(NOW), at(400))
    with pytest.raises(BufferEmpty, match="ended"):
        mark_moment.check_within(over_and_gone, at(NOW), at(NOW), KEPT)
    starting = build(buffer(since=at(990)), [session(clock_at=None)], {}, at(NOW), at(400))
    mark_moment.check_within(starting, at(NOW), at(NOW), KEPT)
    with pytest.raises(Invalid, match="before the beginning"):
        mark_moment.check_within(starting, at(980), at(NOW), KEPT)

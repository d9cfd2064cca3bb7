"""What part of a buffer a caller means, and what callers may not mean."""

from __future__ import annotations

import itertools
import math
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BufferEmpty, Gone, Invalid, NotPermitted, WindowTooLong
from app.models import BufferRow, SessionRow
from app.settings import Settings, load
from app.viewing.timeline import Timeline, build
from app.viewing.windows import Window, ranges_between, refuse_gone, resolve
from tests.unit.buffer.rows import SECOND, at, buffer, indexed, over, run, session

SETTINGS: Settings = load(
    _env_file=None, livekit_api_key="k", livekit_api_secret="s" * 32, max_capture_minutes=10
)
NOW = 1000.0


def timeline(*sessions: SessionRow, row: BufferRow | None = None, **media: Any) -> Timeline:
    return build(row or buffer(), sessions, media, at(NOW), at(NOW - 600))


def live(newest: float = NOW - 4) -> Timeline:
    """A share that has been recorded since START, its newest media 4 s old."""
    return timeline(session(), s=indexed(run(0, newest), newest_at=at(NOW - 1)))


def ended(newest: float = NOW - 60) -> Timeline:
    return timeline(over(), row=buffer(ended_at=at(newest)), s=indexed(run(0, newest)))


def ask(buffer_timeline: Timeline, **asked: Any) -> Window:
    return resolve(buffer_timeline, at(NOW), SETTINGS, **asked)


def test_include_reaches_to_the_moment_of_the_call_and_waits_for_it() -> None:
    window = ask(live(), last=30)
    assert (window.requested_start, window.requested_end) == (at(970), at(1000))
    assert (window.start, window.end) == (at(970), at(1000))
    expected = {"session_id": "s", "start_ticks": 970 * SECOND, "end_ticks": 1000 * SECOND}
    assert window.ranges == (expected,)
    assert window.notes == ()
    assert at(1005) < window.wait_until < at(1060)


def ahead(seconds: float) -> Timeline:
    """A share whose egress has a clock that is ahead: 3.3 s after its end the newest is there."""
    media = indexed(run(0, NOW - 4.3), newest_at=at(NOW - 1))
    return timeline(session(clock_at=seconds), s=media)


def test_the_moment_of_the_call_is_that_of_the_medias_own_clock() -> None:
    window = ask(ahead(6), last=30)
    assert (window.requested_start, window.requested_end) == (at(976), at(1006))
    assert window.ranges[0]["end_ticks"] == 1000 * SECOND
    assert window.wait_until > at(1006)


def test_what_is_there_can_be_asked_for_though_it_is_dated_ahead_of_us() -> None:
    newest = ahead(6).newest
    assert newest is not None
    assert newest > at(NOW)
    assert ask(ahead(6), start=at(900), end=newest).end == newest


def test_skip_counts_back_from_the_newest_media_and_does_not_wait() -> None:
    window = ask(live(), last=30, tail="skip")
    assert (window.start, window.end) == (at(966), at(996))
    assert window.ranges[0]["end_ticks"] == 996 * SECOND
    assert window.wait_until == at(NOW)


def test_post_roll_reaches_beyond_the_call() -> None:
    window = ask(live(), last=30, post_roll=20)
    assert (window.start, window.end) == (at(970), at(1020))
    assert window.wait_until > at(1020)


def test_a_share_that_is_over_is_counted_back_from_its_end() -> None:
    window = ask(ended(), last=30)
    assert (window.start, window.end) == (at(910), at(940))
    assert window.notes == ("share-ended",)
    assert window.wait_until == at(NOW)


def test_last_segments_that_may_still_come_are_waited_for() -> None:
    draining = session(role=None, ended_at=at(NOW - 1))
    found = timeline(draining, row=buffer(ended_at=at(NOW - 1)), s=indexed(run(0, NOW - 3)))
    window = ask(found, last=30)
    assert window.end == at(NOW)
    assert window.wait_until > at(NOW)


@pytest.mark.edge("a window longer than the buffer, an empty buffer")
def test_a_longer_window_than_the_buffer_is_clamped_and_said() -> None:
    short = timeline(session(clock_at=990), s=indexed(run(0, 6)))
    window = ask(short, last=120)
    assert (window.requested_start, window.start) == (at(880), at(990))
    assert "start-clamped" in window.notes


def test_an_absolute_window_within_the_buffer_is_taken_as_it_is() -> None:
    window = ask(live(), start=at(900), end=at(930))
    assert (window.start, window.end, window.notes) == (at(900), at(930), ())
    assert window.wait_until == at(NOW)


def test_an_absolute_window_beyond_the_newest_media_waits_or_is_clamped() -> None:
    assert ask(live(), start=at(990), end=at(999)).wait_until > at(NOW)
    window = ask(live(), start=at(990), end=at(999), tail="skip")
    assert (window.end, window.notes) == (at(996), ("end-clamped",))


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"last": 0},
        {"last": -5},
        {"last": math.nan},
        {"last": 5, "start": at(900), "end": at(910)},
        {"start": at(900)},
        {"end": at(900)},
        {"start": at(910), "end": at(900)},
        {"start": at(900), "end": at(900)},
        {"start": at(990), "end": at(1001)},
        {"start": at(900).replace(tzinfo=None), "end": at(910)},
        {"last": 5, "post_roll": -1},
        {"last": 5, "post_roll": 61},
        {"last": 5, "post_roll": math.nan},
        {"last": 5, "post_roll": 5, "tail": "skip"},
        {"start": at(300), "end": at(390)},
    ],
)
def test_what_can_be_no_window_is_invalid(asked: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        ask(live(), **asked)


@pytest.mark.parametrize(
    "asked",
    [
        {"last": 600.5},
        {"last": math.inf},
        {"last": 590, "post_roll": 11},
        {"start": at(NOW) - timedelta(days=10), "end": at(NOW)},
        {"start": at(NOW).replace(year=1), "end": at(NOW)},
    ],
)
def test_more_than_max_capture_minutes_is_too_long(asked: dict[str, Any]) -> None:
    with pytest.raises(WindowTooLong):
        ask(live(), **asked)


def test_a_window_within_a_gap_is_invalid_and_says_what_there_is() -> None:
    sessions = [over("a", 500), session("b", 900)]
    found = timeline(*sessions, a=indexed(run(0, 100)), b=indexed(run(0, 96)))
    with pytest.raises(Invalid) as caught:
        ask(found, start=at(700), end=at(800))
    assert caught.value.extra["newest"] == "2026-11-22T20:16:36.000Z"


def test_a_share_that_only_starts_is_waited_for() -> None:
    window = ask(timeline(session(clock_at=None)), last=30)
    assert window.ranges == ()
    assert (window.start, window.end) == (at(970), at(1000))
    assert window.wait_until > at(1030)
    with pytest.raises(BufferEmpty):
        ask(timeline(session(clock_at=None)), last=30, tail="skip")


@pytest.mark.edge("a window longer than the buffer, an empty buffer")
def test_an_empty_buffer_says_when_to_try_again() -> None:
    waiting = timeline(row=buffer(why="no-worker", retry_at=at(NOW + 30)))
    for asked in ({"last": 30}, {"start": at(900), "end": at(930)}):
        with pytest.raises(BufferEmpty) as caught:
            ask(waiting, **asked)
        assert caught.value.extra == {"retry_after": 30}
        assert "no-worker" in caught.value.detail
    with pytest.raises(BufferEmpty) as caught:
        ask(timeline(row=buffer(ended_at=at(1))), last=30)
    assert caught.value.extra == {}


def test_a_window_over_two_sessions_has_a_span_of_each() -> None:
    sessions = [over("a", 500), session("b", 650)]
    found = timeline(*sessions, a=indexed(run(0, 100)), b=indexed(run(0, 346)))
    window = ask(found, start=at(590), end=at(660))
    assert window.ranges == (
        {"session_id": "a", "start_ticks": 90 * SECOND, "end_ticks": 100 * SECOND},
        {"session_id": "b", "start_ticks": 0, "end_ticks": 10 * SECOND},
    )


@given(st.integers(0, 1000), st.integers(1, 600))
def test_ranges_lie_within_their_window_and_within_their_media(start: int, length: int) -> None:
    sessions = [over("a", 400), over("b", 550), over("c", 800)]
    media: dict[str, Any] = {"a": indexed(run(0, 200)), "b": indexed(run(2, 150), run(160, 230)),
             "c": indexed(run(0, 100))}  # fmt: skip
    found = timeline(*sessions, **media)
    ranges = ranges_between(found, at(start), at(start + length))
    clocks = {"a": 400, "b": 550, "c": 800}
    edges = [
        (clocks[s["session_id"]] + s["start_ticks"] / SECOND,
         clocks[s["session_id"]] + s["end_ticks"] / SECOND)
        for s in ranges
    ]  # fmt: skip
    assert edges == sorted(edges)
    for begin, end in edges:
        assert start <= begin < end <= start + length
    for (_, end), (begin, _) in itertools.pairwise(edges):
        assert end <= begin  # they never overlap


MARKED = [(at(-3600), at(-3525)), (at(100), at(175))]


def kept() -> Timeline:
    """A share of which, besides the last ten minutes, two marked stretches are there."""
    media = {"s": indexed(run(0, NOW + 3600), newest_at=at(NOW - 1))}
    return build(buffer(), [session(clock_at=-3600)], media, at(NOW), at(NOW - 600), MARKED)


@pytest.mark.parametrize(
    ("start", "end", "got", "notes"),
    [
        (-3590, -3530, (-3590, -3530), ()),
        (110, 120, (110, 120), ()),
        (50, 120, (100, 120), ("start-clamped",)),
        (120, 500, (120, 500), ()),  # with what has expired in between left out
        (180, 410, (400, 410), ("start-clamped",)),
    ],
)
def test_a_window_may_lie_within_what_is_marked(
    start: float, end: float, got: tuple[float, float], notes: tuple[str, ...]
) -> None:
    window = ask(kept(), start=at(start), end=at(end))
    assert (window.start, window.end, window.notes) == (at(got[0]), at(got[1]), notes)
    (span,) = window.ranges
    assert span["start_ticks"] == (got[0] + 3600) * SECOND
    refuse_gone(kept(), at(start), at(end), at(400))


def test_what_lies_between_marked_stretches_is_gone() -> None:
    with pytest.raises(Invalid, match="nothing was recorded"):
        ask(kept(), start=at(180), end=at(190))
    with pytest.raises(Gone):
        refuse_gone(kept(), at(180), at(190), at(400))
    with pytest.raises(WindowTooLong):
        ask(kept(), start=at(-3590), end=at(500))
    assert ask(kept(), last=600, tail="skip").start == at(400)


@pytest.mark.parametrize(
    ("stays", "pieces"),
    [
        ([(0, 2000)], [(900, 960)]),
        ([(959.6, 2000)], [(959.6, 960)]),  # 0.4 s at the end are 0.4 s
        ([(0, 900.4)], [(900, 900.4)]),
        ([(0, 910), (920, 930), (950, 2000)], [(900, 910), (920, 930), (950, 960)]),
    ],
)
def test_a_window_is_cut_to_the_stays_of_who_asks(
    stays: list[tuple[float, float]], pieces: list[tuple[float, float]]
) -> None:
    window = ask(live(), start=at(900), end=at(960), stays=[(at(a), at(b)) for a, b in stays])
    assert [(span["start_ticks"], span["end_ticks"]) for span in window.ranges] == [
        (a * SECOND, b * SECOND) for a, b in pieces
    ]
    assert (window.start, window.end) == (at(pieces[0][0]), at(pieces[-1][1]))
    assert (window.requested_start, window.requested_end) == (at(900), at(960))
    assert window.stays == tuple((at(a), at(b)) for a, b in pieces)
    assert window.notes == ("while-present",)
    assert window.wait_until == at(NOW)


@pytest.mark.parametrize("stays", [[], [(0, 900)], [(960, 2000)], [(0, 5), (970, 980)]])
def test_a_window_without_a_moment_of_ones_stays_is_not_permitted(
    stays: list[tuple[float, float]],
) -> None:
    with pytest.raises(NotPermitted, match="happened while you were in the room"):
        ask(live(), start=at(900), end=at(960), stays=[(at(a), at(b)) for a, b in stays])


def test_only_who_is_still_there_waits_for_what_is_to_come() -> None:
    there, left = [(at(0), at(5000))], [(at(0), at(990))]
    waiting = ask(live(), last=30, post_roll=10, stays=there)
    assert (waiting.end, waiting.wait_until > at(1010)) == (at(1010), True)
    over = ask(live(), last=30, post_roll=10, stays=left)
    assert (over.end, over.wait_until) == (at(990), at(NOW))

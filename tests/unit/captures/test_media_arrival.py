"""app.captures.media_arrival: which spans a capture has once its media is there."""

from __future__ import annotations

from app.captures.media_arrival import merged
from app.models import MediaRange


def span(session_id: str, start: int, end: int) -> MediaRange:
    return {"session_id": session_id, "start_ticks": start, "end_ticks": end}


def test_without_a_later_session_the_acceptance_holds() -> None:
    frozen = [span("a", 100, 900)]
    assert merged(frozen, [span("a", 300, 800)]) == frozen
    assert merged(frozen, []) == frozen


def test_a_later_session_is_added_and_ends_the_one_before() -> None:
    current = [span("a", 300, 700), span("b", 0, 200)]
    assert merged([span("a", 100, 900)], current) == [span("a", 100, 700), span("b", 0, 200)]


def test_a_session_that_left_the_buffer_meanwhile_stays() -> None:
    frozen = [span("a", 100, 200), span("b", 0, 900)]
    assert merged(frozen, [span("b", 50, 900)]) == frozen


def test_a_share_that_was_starting_gets_what_there_is() -> None:
    assert merged([], [span("a", 0, 500)]) == [span("a", 0, 500)]


def test_a_span_that_a_later_session_covers_whole_is_dropped() -> None:
    current = [span("a", 0, 100), span("b", 0, 200)]
    assert merged([span("a", 100, 900)], current) == [span("b", 0, 200)]


def test_of_whom_leaves_and_comes_back_the_absence_is_left_out() -> None:
    frozen = [span("a", 0, 50), span("b", 100, 900)]
    current = [span("b", 120, 300), span("b", 700, 1000)]
    kept = [span("a", 0, 50), span("b", 100, 300), span("b", 700, 900)]
    assert merged(frozen, current, cut=True) == kept


def test_of_whom_leaves_and_comes_back_in_a_later_session_both_stays_are_had() -> None:
    current = [span("a", 100, 300), span("b", 40, 60), span("b", 80, 200)]
    kept = [span("a", 100, 300), span("b", 40, 60), span("b", 80, 200)]
    assert merged([span("a", 100, 900)], current, cut=True) == kept


def test_of_whom_is_gone_before_any_media_nothing_is_had() -> None:
    assert merged([span("a", 100, 900)], [], cut=True) == []

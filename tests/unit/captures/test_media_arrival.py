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

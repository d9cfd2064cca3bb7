"""When file events count as silent."""

from __future__ import annotations

from app.indexing.file_events import Silence


def test_one_change_that_no_event_told_of_is_chance() -> None:
    silence = Silence()
    assert not silence.found(1)
    silence.heard()
    assert not silence.found(2)


def test_changes_without_any_event_between_them_are_silence() -> None:
    silence = Silence()
    assert not silence.found(1)
    assert not silence.found(0)
    assert not silence.found(1)
    assert silence.found(1)

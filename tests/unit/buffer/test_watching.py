"""When file events count as silent, and when a playlist was written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.indexing.backlog import NEVER, Stamp
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


NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
NOON_NS = int(NOON.timestamp()) * 10**9


@pytest.mark.parametrize(
    ("mtime_ns", "written_at"),
    [
        (NOON_NS - 3 * 10**9, NOON - timedelta(seconds=3)),
        (NOON_NS + 10**9, NOON),
        (2**63 * 10**9, NOON),  # what a file system may keep, and Python has no date for
        (-(2**63), datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_playlist_was_not_written_after_now_whatever_time_it_was_given(
    mtime_ns: int, written_at: datetime
) -> None:
    assert Stamp(mtime_ns).written_at(NOON) == written_at
    assert NEVER.written_at(NOON).year == 1970

"""When file events count as silent, and when a playlist was written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.indexing.file_events import Silence
from app.storage.egress_store import NEVER, Stamp


def test_changes_that_no_event_told_of_are_silence() -> None:
    """One is chance, three without any event between them are not."""
    silence = Silence()
    for now in (0.0, 2.0):
        assert not silence.found({"a"}, now)
    assert not silence.found({}, 4.0)
    silence.heard({"b"})
    for now in (10.0, 12.0, 14.0):
        assert not silence.found({"a"}, now)
    assert silence.found({}, 16.0)


def test_a_change_that_is_seen_before_its_event_is_none() -> None:
    """Looks are more frequent than events are late."""
    silence = Silence()
    for number in range(10):
        assert not silence.found({"a", "b"}, 10.0 * number)
        silence.heard({"a"})
        silence.heard({"b"})
        assert not silence.found({}, 10.0 * number + 5)


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

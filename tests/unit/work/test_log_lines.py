"""Log lines that anybody may cause are so many a minute, and what has none is counted."""

from __future__ import annotations

from structlog.testing import capture_logs

from app.work.log_lines import LogLines


def test_what_has_no_line_is_told_of_with_the_next_one() -> None:
    lines = LogLines("others", per_minute=3)
    with capture_logs() as told:
        assert [lines.take() for _ in range(5)] == [True, True, True, False, False]
        assert told == []
        assert lines.take("ann")
    assert told == [{"event": "others", "count": 2, "log_level": "warning"}]

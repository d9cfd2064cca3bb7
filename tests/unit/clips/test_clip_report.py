"""app.clips.clip_report: names to save clips under."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.clips.clip_report import filename

AT = datetime(2026, 11, 3, 10, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("title", "room", "name"),
    [
        ("Ada's demo", "room", "Ada's demo 2026-11-03 10.15.30.mp4"),
        ("", "stand-up", "stand-up 2026-11-03 10.15.30.mp4"),
        ("../../etc/passwd", "room", "-..-etc-passwd 2026-11-03 10.15.30.mp4"),
        ("a\x00b\r\nc\u202e", "room", "abc 2026-11-03 10.15.30.mp4"),
        ("...", "..", "replay 2026-11-03 10.15.30.mp4"),
        ("x" * 200, "room", "x" * 80 + " 2026-11-03 10.15.30.mp4"),
        ("🎬", "room", "🎬 2026-11-03 10.15.30.mp4"),
    ],
)
def test_any_title_makes_a_name_that_is_only_a_name(title: str, room: str, name: str) -> None:
    assert filename(title, room, AT) == name

"""app.clips.clip_report: what a clip says that it holds, and names to save clips under."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.clips.clip_report import ClipContents, fields, filename
from app.media.movie import MovieSpan
from app.media.pauses import Pause, PauseKind
from tests.rows import PartOfRow

AT = datetime(2026, 11, 3, 10, 15, 30, tzinfo=UTC)


def contents(start: float, end: float, *pauses: Pause) -> ClipContents:
    """A clip of one session's media from `start` to `end`, in seconds after AT."""
    first, last = AT + timedelta(seconds=start), AT + timedelta(seconds=end)
    span = MovieSpan("s", 0, 1, first, last, 0.0, standing=False)
    return ClipContents((span,), pauses, end - start, 0.0, False, 320, 180)


def notes(contents: ClipContents, permitted_until: datetime | None = None) -> list[str]:
    """What a clip notes whose window is AT and the ten seconds after it."""
    window = (AT, AT + timedelta(seconds=10))
    capture: PartOfRow = {
        **dict(zip(("requested_start", "requested_end"), window, strict=True)),
        **dict(zip(("window_start", "window_end"), window, strict=True)),
        "notes": [],
        "cut": "precise",
        "permitted_until": permitted_until,
    }
    return [*fields(capture, contents, [], exact_clock=True)["notes"]]


@pytest.mark.parametrize(
    ("start", "end", "noted"),
    [
        (0.0, 10.0, []),
        (0.1, 9.8, []),
        (6.0, 10.0, ["start-clamped"]),
        (0.0, 6.0, ["end-clamped"]),
        (3.0, 6.0, ["start-clamped", "end-clamped"]),
    ],
)
def test_a_clip_says_at_which_end_of_its_window_media_is_missing(
    start: float, end: float, noted: list[str]
) -> None:
    """A share that is only starting can be captured before anybody knows when its media begins."""
    assert notes(contents(start, end)) == noted


@pytest.mark.parametrize(("end", "noted"), [(6.0, ["end-clamped", "permission-ended"]), (10.0, [])])
def test_a_clip_says_that_it_ends_with_its_permission(end: float, noted: list[str]) -> None:
    """If it does: what was recorded before may be all of the window."""
    assert notes(contents(0.0, end), AT + timedelta(seconds=end)) == noted


def test_a_start_whose_gap_is_told_is_not_clamped() -> None:
    """No picture to begin with is what the gap says."""
    pause = Pause(PauseKind.START, AT, AT + timedelta(seconds=4), 0.0, False)
    assert notes(contents(4.0, 10.0, pause)) == []


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
        ("🎉" * 80, "room", "🎉" * 50 + " 2026-11-03 10.15.30.mp4"),
        ("x" + "場" * 80, "room", "x" + "場" * 66 + " 2026-11-03 10.15.30.mp4"),
    ],
)
def test_any_title_makes_a_name_that_is_only_a_name(title: str, room: str, name: str) -> None:
    assert filename(title, room, AT) == name
    assert len(name.encode()) <= 255

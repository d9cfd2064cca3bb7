"""Rows as the database gives them, for the pure parts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from app.buffer.coverage import CoverageRun as Run
from app.buffer.coverage import Indexed
from app.models import BufferRow, SessionRow
from app.models.schema import Buffer, EgressSession
from tests.rows import document

START = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
SECOND = 90_000


def at(seconds: float) -> datetime:
    """An instant `seconds` after START."""
    return START + timedelta(seconds=seconds)


def nanoseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1000) * 1_000_000


def buffer(**given: Any) -> BufferRow:
    fields: dict[str, Any] = {"id": "b", "room": "room", "room_sid": "RM", "identity": "ann"}
    fields |= {"participant_sid": "PA", "video_sid": "TR", "since": START}
    return document(Buffer(**(fields | given)))


def session(name: str = "s", clock_at: float | None = 0, **given: Any) -> SessionRow:
    """A live session whose media time 0 is `clock_at` seconds after START."""
    fields: dict[str, Any] = {
        "id": name,
        "buffer_id": "b",
        "room": "room",
        "room_sid": "RM",
        "identity": "ann",
    }
    fields |= {"video_sid": "TR", "folder": f"f/{name}", "created_at": START}
    fields |= {"segment_seconds": 2, "status": "EGRESS_ACTIVE", "active_at": at(clock_at or 0)}
    fields |= {"clock_exact": True}
    if clock_at is not None:
        fields |= {"clock_ns": nanoseconds(at(clock_at))}
    return document(EgressSession(**(fields | given)))


def over(name: str = "s", clock_at: float = 0, **given: Any) -> SessionRow:
    """A session that is over and read to its end."""
    fields: dict[str, Any] = {"role": None, "indexing": None, "status": "EGRESS_COMPLETE"}
    return session(name, clock_at, **(fields | given))


def run(start: float, end: float, first: int = 0, **given: Any) -> Run:
    """A run of 2 s segments, from and to seconds of media time, at 15 frames a second."""
    last = first + max(1, round((end - start) / 2)) - 1
    fields: dict[str, Any] = {"audio": True, "width": 1280, "height": 720, "frame_ticks": 6_000}
    return Run(first, last, round(start * SECOND), round(end * SECOND), **(fields | given))


LATE = at(10_000)
"""When all that these tests have was indexed, unless they say when."""


def indexed(*runs: Run, newest_at: datetime = LATE) -> Indexed:
    return Indexed(runs, newest_at)

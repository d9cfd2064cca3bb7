"""Rows of sessions for the planner's tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from app.models import SessionRole, SessionRow
from app.models.schema import EgressSession
from app.store import row_of

_NEW = row_of(
    EgressSession(
        id="s",
        buffer_id="b",
        room="room",
        room_sid="RM",
        identity="ann",
        video_sid="TR_V",
        folder="room/ann/s",
        created_at=datetime(2026, 11, 22, tzinfo=UTC),
        segment_seconds=2,
    )
)


def session(
    session_id: str, role: SessionRole | None, created_at: datetime, **fields: Any
) -> SessionRow:
    """The row of a session that was created at an instant, with some other fields as given."""
    return changed(_NEW, _id=session_id, role=role, created_at=created_at, **fields)


def changed(row: SessionRow, **fields: Any) -> SessionRow:
    """A row with other values in some of its fields."""
    assert fields.keys() <= row.keys()
    return cast(SessionRow, {**row, **fields})

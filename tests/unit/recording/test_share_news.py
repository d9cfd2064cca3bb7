"""What is told of a share that has begun: of what records it now."""

from __future__ import annotations

from datetime import UTC, datetime

from app.models import SessionRole
from app.models.schema import Buffer
from app.recording.share_events import news
from app.recording.share_facts import ShareFacts
from app.store import row_of
from tests.unit.recording.session_rows import session

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_a_start_is_told_in_the_encoding_of_the_current_session() -> None:
    """Whichever of two was found first."""
    made = Buffer(
        id="b", room="room", room_sid="RM", identity="ann", participant_sid="PA", video_sid="TR_V",
        community="default", since=NOW,
    )  # fmt: skip
    share = ShareFacts(live=True, video_sid="TR_V", published_at=NOW)
    coming = session("s2", SessionRole.NEXT, NOW, encoding="1280x720@15:1500", active_at=NOW)
    current = session("s1", SessionRole.CURRENT, NOW, encoding="H264_1080P_60", active_at=NOW)
    for active in ([coming, current], [current, coming]):
        told = news(row_of(made), share, active)
        assert told is not None
        assert told.encoding == "H264_1080P_60"

"""Which sound goes with which picture."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.recording.pairing import Published, audio_of

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def at(sid: str, seconds: float) -> Published:
    return Published(sid, T0 + timedelta(seconds=seconds))


V1, A1, V2, A2 = at("V1", 0), at("A1", 0.1), at("V2", 20), at("A2", 19.9)


@pytest.mark.edge("only screen shares; several of one user")
@pytest.mark.parametrize(
    ("says", "video", "videos", "live", "audio"),
    [
        ("a share with its sound", "V1", [V1], [A1], "A1"),
        ("a share without sound", "V1", [V1], [], None),
        ("sound that comes much later", "V1", [V1], [at("A1", 300)], "A1"),
        ("the first of two shares keeps its sound", "V1", [V1, V2], [A1, A2], "A1"),
        ("the second one has its own", "V2", [V1, V2], [A1, A2], "A2"),
        ("a silent share does not take the other's", "V1", [V1, V2], [A2], None),
        ("nor does one whose neighbour has ended", "V1", [V1, V2], [A2], None),
        ("sound published anew", "V1", [V1], [A1, at("A3", 60)], "A3"),
    ],
)
def test_pairs(
    says: str, video: str, videos: list[Published], live: list[Published], audio: str | None
) -> None:
    """Sound belongs to the share that was published nearest to it."""
    assert audio_of(video, videos, live) == audio, says

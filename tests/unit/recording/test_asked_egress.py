"""An egress is a session's only if it records what that one has asked for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from livekit.protocol.egress import EgressInfo

from app.models import SessionRow
from app.recording.asked_egress import may_serve, session_of
from tests.unit.recording.session_rows import session

RECORDED = Path(__file__).parents[2] / "data/real_egress/share_2s/webhooks.jsonl"
REAL = [
    info
    for line in RECORDED.read_text().splitlines()
    if (info := json.loads(line)["body"].get("egressInfo"))
]
SESSION = f"{'0' * 8}-{'1' * 24}"
FOLDER = f"replay-buffer/room/ann/{SESSION}"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def asked(**fields: Any) -> SessionRow:
    """The session that has asked for the real one, and has no answer yet."""
    given: dict[str, Any] = {
        "room_sid": REAL[0]["roomId"],
        "video_sid": REAL[0]["trackComposite"]["videoTrackId"],
        "audio_sid": REAL[0]["trackComposite"]["audioTrackId"],
        "folder": FOLDER,
        "start_sent_at": NOW,
    }
    return session(SESSION, None, NOW, **(given | fields))


def told(info: dict[str, Any], prefix: str = f"/out/{FOLDER}/segment") -> EgressInfo:
    found: EgressInfo = ParseDict(info, EgressInfo(), ignore_unknown_fields=True)
    found.track_composite.segment_outputs[0].filename_prefix = prefix
    return found


def test_a_real_one_is_known_in_every_state() -> None:
    assert len(REAL) == 4
    for info in REAL:
        assert session_of(told(info)) == SESSION
        assert may_serve(told(info), asked())


@pytest.mark.parametrize(
    "other",
    [
        {"room_sid": "RM_other"},
        {"video_sid": "TR_other"},
        {"audio_sid": None},
        {"audio_sid": "TR_other"},
        {"folder": f"replay-buffer/other/ann/{SESSION}"},
        {"start_sent_at": None},
        {"egress_id": "EG_other"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_one_that_names_the_session_of_something_else_is_not_its(other: dict[str, Any]) -> None:
    assert not may_serve(told(REAL[0]), asked(**other))


def test_one_that_is_known_is_known_by_its_id() -> None:
    """Whatever else it says, such as after its handler was killed."""
    known = asked(egress_id="EG_1")
    assert may_serve(EgressInfo(egress_id="EG_1"), known)
    assert not may_serve(EgressInfo(egress_id="EG_2"), known)


def test_one_without_a_folder_names_no_session() -> None:
    assert session_of(EgressInfo()) is None
    assert not may_serve(EgressInfo(room_id=REAL[0]["roomId"]), asked())

"""The planner's decisions, case by case."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.models import SessionRole, SessionRow, Why
from app.recording.planner import (
    Create,
    Look,
    Promote,
    Retire,
    Stop,
    back_off_seconds,
    plan,
)
from app.recording.share_facts import ShareFacts
from tests.unit.recording.session_rows import changed, session

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
WAIT = 0.5
CURRENT, COMING = SessionRole.CURRENT, SessionRole.NEXT


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


LIVE = ShareFacts(live=True, video_sid="TR_V", published_at=T0, audio_sid="TR_A")
SILENT = replace(LIVE, audio_sid=None)
AGAIN = replace(LIVE, video_sid="TR_again", audio_sid="TR_B", published_at=at(30))
GONE = replace(LIVE, live=False)
NEW = session("s1", CURRENT, at(1), audio_sid="TR_A")
SENT = changed(NEW, start_sent_at=at(1))
STARTING = changed(SENT, egress_id="EG_1")
ACTIVE = changed(STARTING, status="EGRESS_ACTIVE", active_at=at(3))
STOPPING = changed(ACTIVE, stop_sent_at=at(20))
FAILED = changed(ACTIVE, status="EGRESS_FAILED", ended_at=at(20))
COMPLETE = changed(STOPPING, status="EGRESS_COMPLETE", ended_at=at(20))
UNCLEAR = changed(SENT, start_unclear_at=at(20))
SILENT_ACTIVE = changed(ACTIVE, audio_sid=None)
NEVER = Retire("s1", failed=False, reason="never started")
NEXT = session("s2", COMING, at(30), audio_sid="TR_A")
NEXT_STARTING = changed(NEXT, start_sent_at=at(30), egress_id="EG_2")
NEXT_ACTIVE = changed(NEXT_STARTING, status="EGRESS_ACTIVE", active_at=at(32))
AGAIN_STARTING = changed(NEXT_STARTING, video_sid="TR_again", audio_sid="TR_B")
AGAIN_ACTIVE = changed(NEXT_ACTIVE, video_sid="TR_again", audio_sid="TR_B")


@pytest.mark.edge("share audio that comes late")
@pytest.mark.edge("every answer to a stop")
@pytest.mark.parametrize(
    ("says", "share", "sessions", "now", "actions"),
    [
        ("starts with audio at once", LIVE, [], 0.1, [Create(CURRENT, "TR_A")]),
        ("waits for audio", SILENT, [], 0.1, []),
        ("starts without audio after the wait", SILENT, [], 0.5, [Create(CURRENT, None)]),
        ("leaves a healthy session alone", LIVE, [ACTIVE], 30, []),
        ("gives a starting egress time", LIVE, [STARTING], 30, []),
        ("stops one that never gets active", LIVE, [STARTING], 46, [Stop("s1")]),
        ("looks for a start without an answer", LIVE, [UNCLEAR], 21, [Look("s1")]),
        ("does not look too often", LIVE, [changed(UNCLEAR, looked_at=at(21))], 22, []),
        ("looks again", LIVE, [changed(UNCLEAR, looked_at=at(21))], 23, [Look("s1")]),
        (
            "gives an unclear start up after having looked for 60 s",
            LIVE,
            [changed(UNCLEAR, looked_at=at(80))],
            82,
            [Retire("s1", failed=True, reason="no egress came of its start")],
        ),
        (
            "does not give it up without having looked that late",
            LIVE,
            [changed(UNCLEAR, looked_at=at(50))],
            300,
            [Look("s1")],
        ),
        (
            "a row whose start was never asked for is begun anew",
            LIVE,
            [NEW],
            500,
            [NEVER],
        ),
        (
            "an egress that ended by itself counts as a failure",
            LIVE,
            [FAILED],
            21,
            [Retire("s1", failed=True, reason="EGRESS_FAILED")],
        ),
        (
            "a ghost is over, whatever LiveKit lists",
            LIVE,
            [changed(ACTIVE, ghost_at=at(50))],
            60,
            [Retire("s1", failed=True, reason="EGRESS_ACTIVE")],
        ),
        (
            "an egress that was stopped is no failure",
            LIVE,
            [COMPLETE],
            21,
            [Retire("s1", failed=False, reason="EGRESS_COMPLETE")],
        ),
        ("stops when the share is gone", GONE, [ACTIVE], 20, [Stop("s1")]),
        ("stops one that is still starting", GONE, [STARTING], 2, [Stop("s1")]),
        ("does not stop twice", GONE, [STOPPING], 21, []),
        ("stops again when that had no effect", GONE, [STOPPING], 31, [Stop("s1")]),
        (
            "retires what is over",
            GONE,
            [COMPLETE],
            21,
            [Retire("s1", failed=False, reason="EGRESS_COMPLETE")],
        ),
        (
            "a row that was never started just goes",
            GONE,
            [NEW],
            2,
            [Retire("s1", failed=False, reason="never started")],
        ),
        ("looks for an unclear start in order to stop it", GONE, [UNCLEAR], 21, [Look("s1")]),
        ("does nothing for a share that is over", GONE, [], 100, []),
        (
            "a refused share is stopped",
            replace(LIVE, refusal=Why.OPTED_OUT),
            [ACTIVE],
            20,
            [Stop("s1")],
        ),
        ("a refused share is not started", replace(LIVE, refusal=Why.LIMIT), [], 20, []),
        ("backs off", replace(LIVE, failures=2, retry_at=at(22)), [], 21, []),
        (
            "tries again after the back-off",
            replace(LIVE, failures=2, retry_at=at(22)),
            [],
            22,
            [Create(CURRENT, "TR_A")],
        ),
        ("late audio: prepares the next", LIVE, [SILENT_ACTIVE], 30, [Create(COMING, "TR_A")]),
        ("audio that went is no reason to change", SILENT, [ACTIVE], 30, []),
        ("keeps the current while the next starts", LIVE, [SILENT_ACTIVE, NEXT_STARTING], 31, []),
        ("stops the current once the next records", LIVE, [SILENT_ACTIVE, NEXT_ACTIVE], 33,
         [Stop("s1")]),
        (
            "retires the stopped current",
            LIVE,
            [changed(COMPLETE, audio_sid=None), NEXT_ACTIVE],
            34,
            [Retire("s1", failed=False, reason="EGRESS_COMPLETE")],
        ),
        ("promotes the next", LIVE, [NEXT_ACTIVE], 35, [Promote("s2")]),
        (
            "gives the next up after 60 s and keeps the current",
            LIVE,
            [SILENT_ACTIVE, NEXT_STARTING],
            91,
            [Stop("s2")],
        ),
        (
            "a next that failed is retired, the current goes on",
            LIVE,
            [SILENT_ACTIVE, changed(NEXT_STARTING, status="EGRESS_FAILED", ended_at=at(40))],
            41,
            [Retire("s2", failed=True, reason="EGRESS_FAILED")],
        ),
        ("ends both when the share goes", GONE, [SILENT_ACTIVE, NEXT_ACTIVE], 40,
         [Stop("s2"), Stop("s1")]),
        ("another track: begins beside what records the one before, which it stops", AGAIN,
         [ACTIVE], 30, [Stop("s1"), Create(COMING, "TR_B")]),
        ("waits for the sound of another track, too", replace(AGAIN, audio_sid=None), [ACTIVE],
         30.1, [Stop("s1")]),
        (
            "retires what has recorded the track before, which is no failure",
            AGAIN,
            [COMPLETE],
            30,
            [Retire("s1", failed=False, reason="EGRESS_COMPLETE")],
        ),
        ("stops both that record the track before, and has no place for a third", AGAIN,
         [SILENT_ACTIVE, NEXT_ACTIVE], 40, [Stop("s2"), Stop("s1")]),
        ("begins in the place that is free while a start of the track before is unclear", AGAIN,
         [changed(UNCLEAR, role=COMING, looked_at=at(30))], 31, [Create(CURRENT, "TR_B")]),
        ("gives the other track's egress time though another is not over", AGAIN,
         [STOPPING, AGAIN_STARTING], 29, []),
        ("stops it if it never gets active", AGAIN, [changed(STOPPING, stop_sent_at=at(74)),
         AGAIN_STARTING], 76, [Stop("s2")]),
        (
            "retires it if it failed",
            AGAIN,
            [STOPPING, changed(AGAIN_STARTING, status="EGRESS_FAILED", ended_at=at(29))],
            29.5,
            [Retire("s2", failed=True, reason="EGRESS_FAILED")],
        ),
        ("promotes what records another track", AGAIN, [AGAIN_ACTIVE], 35, [Promote("s2")]),
    ],
)  # fmt: skip
def test_decides(
    says: str, share: ShareFacts, sessions: list[SessionRow], now: float, actions: list[object]
) -> None:
    """Each row says what the planner does in one situation."""
    assert list(plan(share, sessions, at(now), WAIT).actions) == actions, says


@pytest.mark.parametrize(
    ("share", "sessions", "now", "again_at"),
    [
        (SILENT, [], 0.1, 0.5),
        (LIVE, [STARTING], 5, 46),
        (GONE, [STOPPING], 21, 30),
        (LIVE, [changed(UNCLEAR, looked_at=at(21))], 22, 23),
        (replace(LIVE, failures=3, retry_at=at(90)), [], 21, 90),
        (LIVE, [SILENT_ACTIVE, NEXT_STARTING], 31, 75),
    ],
)
def test_says_when_to_ask_again(
    share: ShareFacts, sessions: list[SessionRow], now: float, again_at: float
) -> None:
    """A plan that waits for something says until when, so that no timer is lost."""
    assert plan(share, sessions, at(now), WAIT).again_at == at(again_at)


@pytest.mark.parametrize(
    ("share", "sessions", "why"),
    [
        (SILENT, [], Why.STARTING),
        (LIVE, [STARTING], Why.STARTING),
        (LIVE, [ACTIVE], None),
        (GONE, [], None),
        (replace(LIVE, refusal=Why.ENCRYPTED), [], Why.ENCRYPTED),
        (replace(LIVE, failures=2, retry_at=at(9)), [], Why.EGRESS_FAILED),
        (AGAIN, [STOPPING], Why.STARTING),
        (AGAIN, [STOPPING, AGAIN_STARTING], Why.STARTING),
        (AGAIN, [STOPPING, AGAIN_ACTIVE], None),
    ],
)
def test_says_why_nothing_is_recorded(
    share: ShareFacts, sessions: list[SessionRow], why: Why | None
) -> None:
    """The reason that callers are told comes with the decision."""
    assert plan(share, sessions, at(0.2), WAIT).why == why


def test_backs_off_further_and_further() -> None:
    """The first failure costs no time, later ones up to a minute."""
    assert [back_off_seconds(n) for n in range(1, 8)] == [0, 2, 10, 30, 60, 60, 60]

"""What becomes of a share that egress can't keep up with: from step to step, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.models import EncodingStepDocument, EncodingWhy, SessionRole, SessionRow, Why
from app.recording.encoding_steps import begins_in, below, possible
from app.recording.planner import Create, Promote, Retire, Stop, plan
from app.recording.share_facts import Chosen, ShareFacts
from tests.unit.recording.session_rows import changed, session

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STEPS = ("H264_1080P_30", "H264_720P_30", "1280x720@15:1500", "960x540@15:900")
LADDER = ("H264_1080P_60", *STEPS)
FULL_HD, HD, LOW, LOWEST = STEPS
CURRENT, COMING = SessionRole.CURRENT, SessionRole.NEXT
BEHIND, OVERLOADED = EncodingWhy.BEHIND, EncodingWhy.OVERLOADED


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def step(encoding: str, seconds: float, why: EncodingWhy = BEHIND) -> EncodingStepDocument:
    return {"encoding": encoding, "why": why, "at": at(seconds)}


SHARE = ShareFacts(
    live=True, video_sid="TR_V", published_at=T0, audio_sid="TR_A", encodings=LADDER,
    begins_in=Chosen(LADDER[0]),
)  # fmt: skip
STEPPED = replace(SHARE, step=step(FULL_HD, 40), begins_in=Chosen(FULL_HD, BEHIND))
WELL = session(
    "s1", CURRENT, at(1), audio_sid="TR_A", encoding=LADDER[0], start_sent_at=at(1),
    egress_id="EG_1", status="EGRESS_ACTIVE", active_at=at(3),
)  # fmt: skip
LATE = changed(WELL, behind_at=at(40))
NEXT = changed(
    WELL, _id="s2", role=COMING, created_at=at(40), start_sent_at=at(40), egress_id="EG_2",
    status="EGRESS_STARTING", active_at=None, encoding=FULL_HD, encoding_why=BEHIND,
)  # fmt: skip
NEXT_ACTIVE = changed(NEXT, status="EGRESS_ACTIVE", active_at=at(42))
SECOND = changed(NEXT_ACTIVE, role=CURRENT)
FAILED = changed(WELL, status="EGRESS_FAILED", ended_at=at(40))
FROZEN = changed(FAILED, error="pipeline frozen")
EXHAUSTED = changed(FAILED, error="CPU exhausted: 2.71 cores used")
DOWN = Create(COMING, "TR_A", Chosen(FULL_HD, BEHIND), steps_down=True)


def retire(row: SessionRow, cheaper: Chosen | None, *, failed: bool = True) -> Retire:
    return Retire(row["_id"], failed=failed, reason=row["status"], step=cheaper)


@pytest.mark.parametrize(
    ("says", "share", "sessions", "now", "actions"),
    [
        ("begins as configured", SHARE, [], 1, [Create(CURRENT, "TR_A", Chosen(LADDER[0]))]),
        ("leaves alone what keeps up", SHARE, [WELL], 40, []),
        ("begins the next cheaper one beside what is behind", SHARE, [LATE], 40, [DOWN]),
        ("takes the sound along", SHARE, [changed(LATE, audio_sid=None)], 40, [DOWN]),
        ("keeps both while the next starts", STEPPED, [LATE, NEXT], 41, []),
        ("stops the first once the next records", STEPPED, [LATE, NEXT_ACTIVE], 43, [Stop("s1")]),
        ("promotes the next", STEPPED, [NEXT_ACTIVE], 44, [Promote("s2")]),
        ("takes no second step soon", STEPPED, [changed(SECOND, behind_at=at(70))], 99, []),
        (
            "takes the second step after a minute",
            STEPPED,
            [changed(SECOND, behind_at=at(70))],
            100,
            [Create(COMING, "TR_A", Chosen(HD, BEHIND), steps_down=True)],
        ),
        (
            "ends at the last step",
            replace(SHARE, step=step(LOWEST, 40)),
            [changed(LATE, encoding=LOWEST, behind_at=at(200))],
            900,
            [],
        ),
        ("waits with a step that came to nothing", STEPPED, [LATE], 99, []),
        ("then ends what is behind first", STEPPED, [LATE], 100, [Stop("s1", begins_again=True)]),
        ("not for a step of long ago: that is tried again", STEPPED, [LATE], 220, [DOWN]),
        ("waits for no step that a clock took which was ahead",
         replace(SHARE, step=step(FULL_HD, 4000)), [LATE], 100, [DOWN]),
        (
            "not before the next may begin",
            replace(STEPPED, failures=3, retry_at=at(110)),
            [LATE],
            100,
            [],
        ),
        (
            "begins in what it had stepped to once that has ended",
            STEPPED,
            [],
            104,
            [Create(CURRENT, "TR_A", Chosen(FULL_HD, BEHIND))],
        ),
        (
            "which was no failure, and no further step",
            STEPPED,
            [changed(LATE, stop_sent_at=at(101), status="EGRESS_FAILED", ended_at=at(103),
                     error="pipeline frozen")],
            104,
            [Retire("s1", failed=False, reason="EGRESS_FAILED")],
        ),
        ("begins nothing beside one that is being stopped", SHARE,
         [changed(LATE, audio_sid=None, stop_sent_at=at(101))], 102, []),
        ("tries the same step again after that of another session", replace(SHARE,
         step=step(FULL_HD, -100)), [LATE], 40, [DOWN]),
        ("steps down from what died of it", SHARE, [FROZEN], 41,
         [retire(FROZEN, Chosen(FULL_HD, OVERLOADED))]),
        ("says so of what was ended for its load", SHARE, [EXHAUSTED], 41,
         [retire(EXHAUSTED, Chosen(FULL_HD, OVERLOADED))]),
        ("says so of what was behind when it died", SHARE, [changed(FAILED, behind_at=at(39))], 41,
         [retire(FAILED, Chosen(FULL_HD, OVERLOADED))]),
        ("stays where it died of something else", SHARE, [FAILED], 41, [retire(FAILED, None)]),
        ("stays where it was killed with its machine", SHARE,
         [changed(WELL, ghost_at=at(40), ended_at=at(40))], 41, [retire(WELL, None)]),
        ("takes no second step soon by dying, either", replace(STEPPED, step=step(FULL_HD, 1)),
         [changed(FROZEN, encoding=FULL_HD)], 41, [retire(FROZEN, None)]),
        ("has no step below the last by dying, either", SHARE, [changed(FROZEN, encoding=LOWEST)],
         41, [retire(FROZEN, None)]),
        ("does nothing where there are no steps", replace(SHARE, encodings=LADDER[:1]), [LATE], 40,
         []),
        ("does nothing for what was begun before there were any", SHARE,
         [changed(LATE, encoding="")], 40, []),
        ("late sound: stays in the encoding that it has", STEPPED,
         [changed(SECOND, audio_sid=None)], 60, [Create(COMING, "TR_A", Chosen(FULL_HD, BEHIND))]),
        ("late sound does not wait for the step", STEPPED,
         [changed(SECOND, audio_sid=None, behind_at=at(70))], 80,
         [Create(COMING, "TR_A", Chosen(FULL_HD, BEHIND))]),
        ("a share that is over is stopped, not stepped", replace(SHARE, live=False), [LATE], 40,
         [Stop("s1")]),
        ("nor is one that is refused", replace(SHARE, refusal=Why.OPTED_OUT), [LATE], 40,
         [Stop("s1")]),
        ("nor one whose track is another by now", replace(SHARE, video_sid="TR_again"), [LATE], 40,
         [Stop("s1"), Create(COMING, "TR_A", Chosen(LADDER[0]))]),
        ("waits for one that is starting", SHARE,
         [changed(LATE, active_at=None, status="EGRESS_STARTING")], 40, []),
    ],
)  # fmt: skip
def test_decides(
    says: str, share: ShareFacts, sessions: list[SessionRow], now: float, actions: list[object]
) -> None:
    """Each row says what the planner does in one situation."""
    assert list(plan(share, sessions, at(now), 0.5).actions) == actions, says


def test_asks_again_when_the_next_step_may_be_taken() -> None:
    assert plan(STEPPED, [LATE], at(50), 0.5).again_at == at(100)


@pytest.mark.parametrize(
    ("setting", "size", "found"),
    [
        ("H264_1080P_60", (0, 0), LADDER),
        ("H264_720P_60", (0, 0), ("H264_720P_60", HD, LOW, LOWEST)),
        ("1280x720@15:1500", (0, 0), (LOW, LOWEST)),
        ("640x360@15:600", (0, 0), ("640x360@15:600",)),
        ("source", (1920, 1080), ("1920x1080@30:6000", HD, LOW, LOWEST)),
        ("source", (1280, 720), ("1280x720@30:3686", LOW, LOWEST)),
        ("source", (200, 100), ("200x100@30:100",)),
        (
            "PORTRAIT_H264_1080P_30",
            (0, 0),
            ("PORTRAIT_H264_1080P_30", f"PORTRAIT_{HD}", "720x1280@15:1500", "540x960@15:900"),
        ),
    ],
)
def test_the_steps_are_those_clearly_cheaper_than_what_is_configured(
    setting: str, size: tuple[int, int], found: tuple[str, ...]
) -> None:
    """And as wide and tall: an upright picture stays upright."""
    assert possible(setting, STEPS, *size) == found
    assert possible(setting, (), *size) == found[:1]


def test_a_step_leads_below_whatever_is_recorded_now_though_the_settings_are_others() -> None:
    assert below(LADDER, "H264_720P_60") == HD
    assert below((LOW, LOWEST), "H264_1080P_60") == LOWEST
    assert below((LOW,), "H264_1080P_60") is None  # there are no steps
    assert below(("H264_1080P_60", "H264_1080P_30", HD), "1920x1080@35:4000") == HD
    assert below(LADDER, LOW) == LOWEST
    assert below(LADDER, "640x360@15:600") is None
    assert below(LADDER, "") is None


HOUR = 3600.0
BEFORE = EncodingWhy.STEPPED_BEFORE


@pytest.mark.parametrize(
    ("says", "own", "others", "now", "found"),
    [
        ("nothing was behind", None, None, 0, Chosen(LADDER[0])),
        ("another share was", None, 0, HOUR - 1, Chosen(FULL_HD, BEFORE)),
        ("another share was, long ago", None, 0, HOUR, Chosen(LADDER[0])),
        ("it was itself", step(LOW, 0), 0, HOUR - 1, Chosen(LOW, BEHIND)),
        ("it was, and another one since", step(LOW, 0), 10, HOUR + 1, Chosen(FULL_HD, BEFORE)),
        ("it was itself, long ago", step(LOW, 0), 0, HOUR, Chosen(LADDER[0])),
        ("its step is none any more", step("640x360@15:600", 0), None, 1, Chosen(LADDER[0])),
        ("its step is of a clock ahead", step(LOW, 120), None, 0, Chosen(LADDER[0])),
        ("a clock a little ahead", step(LOW, 50), None, 0, Chosen(LOW, BEHIND)),
        ("another's step is of a clock ahead", None, 120, 0, Chosen(LADDER[0])),
    ],
)
def test_what_begins_within_the_hour_begins_lower_then_tries_again(
    says: str, own: EncodingStepDocument | None, others: float | None, now: float, found: Chosen
) -> None:
    others_at = None if others is None else at(others)
    assert begins_in(LADDER, own, others_at, at(now)) == found, says


@pytest.mark.parametrize(
    ("says", "own", "now", "found"),
    [
        ("as configured", LADDER[0], 1, Chosen(LADDER[0])),
        ("lower", LOW, 1, Chosen(LOW, BEFORE)),
        ("lower, long ago", LOW, HOUR, Chosen(LADDER[0])),
        ("in what is no encoding any more", "640x360@15:600", 1, Chosen(LADDER[0])),
        ("not yet", "", 1, Chosen(FULL_HD, BEFORE)),
    ],
)
def test_what_goes_on_begins_in_what_it_was_recorded_in_whatever_others_step_to(
    says: str, own: str, now: float, found: Chosen
) -> None:
    """A restart, or a reconnect, makes nothing worse that keeps up."""
    assert begins_in(LADDER, None, at(0), at(now), own) == found, says


def test_without_a_step_all_begins_as_configured() -> None:
    assert begins_in(LADDER[:1], None, at(0), at(1)) == Chosen(LADDER[0])

"""The planner against a LiveKit in memory that loses answers, with a recorder that gets killed.

The model follows what livekit-server does: a start without an answer may or may not run, and may
begin up to 30 s later; an egress is ACTIVE 2 s after its start; a stop ends it at once, or is lost.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.models import EgressStatus, EncodingStepDocument, SessionRole, SessionRow, Why
from app.recording import encoding_steps, planner
from app.recording.planner import Create, Look, Promote, Retire, Stop
from app.recording.share_facts import Chosen, ShareFacts
from tests.unit.recording.session_rows import session

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STEP_SECONDS = 0.5
FAULTY_STEPS = 240
CALM_STEPS = 600
SURVEY_STEPS = 40
LADDER = ("H264_1080P_60", "H264_1080P_30", "1280x720@15:1500")
BEHIND_AFTER = timedelta(seconds=30)


@dataclass
class Egress:
    """What LiveKit runs for a session."""

    began: datetime
    ended: datetime | None = None


@dataclass(frozen=True)
class Session:
    """What this world writes into a session's row."""

    id: str
    role: SessionRole | None
    created_at: datetime
    audio_sid: str | None = None
    video_sid: str = ""
    egress_id: str | None = None
    status: EgressStatus = EgressStatus.STARTING
    start_sent_at: datetime | None = None
    looked_at: datetime | None = None
    active_at: datetime | None = None
    stop_sent_at: datetime | None = None
    ended_at: datetime | None = None
    encoding: str = ""
    behind_at: datetime | None = None
    error: str = ""

    @property
    def row(self) -> SessionRow:
        fields = asdict(self)
        del fields["id"]
        return session(self.id, fields.pop("role"), fields.pop("created_at"), **fields)


@dataclass
class World:
    """Rows, what LiveKit runs, and the luck of each call.

    `slow`: how many of the encodings, the dearest first, egress can't keep up with. `is_crowded`:
    its worker has no room for a second one.
    """

    luck: list[int]
    now: datetime = T0
    live: bool = True
    video: str = "TR_V"
    audio: str | None = None
    refusal: Why | None = None
    failures: int = 0
    retry_at: datetime | None = None
    rows: dict[str, Session] = field(default_factory=dict)
    egresses: dict[str, Egress] = field(default_factory=dict)
    late: list[tuple[datetime, str]] = field(default_factory=list)
    made: int = 0
    slow: int = 0
    is_crowded: bool = False
    noted: EncodingStepDocument | None = None
    steps: list[datetime] = field(default_factory=list)

    def draw(self, outcomes: int) -> int:
        """0 is the good outcome; a world out of luck has only good ones."""
        return self.luck.pop() % outcomes if self.luck else 0

    def running(self) -> list[str]:
        return [sid for sid, egress in self.egresses.items() if egress.ended is None]

    def step(self) -> None:
        self.now += timedelta(seconds=STEP_SECONDS)
        for at, sid in [x for x in self.late if x[0] <= self.now]:
            self.late.remove((at, sid))
            self.egresses[sid] = Egress(self.now)
        for _ in range(12):
            made = planner.plan(
                self.share(), [each.row for each in self.with_role()], self.now, 0.5
            )
            for action in made.actions:
                self.act(action)
                self.check()
            if not made.actions:
                break
        else:
            raise AssertionError(f"does not rest: {made}")

    def share(self) -> ShareFacts:
        return ShareFacts(
            live=self.live,
            video_sid=self.video,
            published_at=T0,
            audio_sid=self.audio,
            refusal=self.refusal,
            failures=self.failures,
            retry_at=self.retry_at,
            encodings=LADDER,
            begins_in=encoding_steps.begins_in(LADDER, self.noted, None, self.now),
            step=self.noted,
        )

    def with_role(self) -> list[Session]:
        return [row for row in self.rows.values() if row.role]

    def check(self) -> None:
        """At no instant more egresses than a current and a next one; never two of one role."""
        roles = [row.role for row in self.with_role()]
        assert len(roles) == len(set(roles))

    def act(self, action: planner.PlannedStep) -> None:
        match action:
            case Create(role=role, audio_sid=audio, encoding=encoding, steps_down=down):
                assert self.refusal is None
                if down:
                    self.step_down(encoding)
                self.made += 1
                sid = f"s{self.made}"
                begun = Session(sid, role, self.now, audio, self.video, start_sent_at=self.now)
                self.start(replace(begun, encoding=encoding.name))
            case Look(session_id=sid):
                known = self.egresses.get(sid)
                found = {"egress_id": f"EG_{sid}"} if known else {"looked_at": self.now}
                self.rows[sid] = replace(self.rows[sid], **found)
            case Stop(session_id=sid):
                self.rows[sid] = replace(self.rows[sid], stop_sent_at=self.now)
                if self.draw(3) == 0 and sid in self.egresses:
                    self.end(sid)
            case Retire(session_id=sid, failed=failed, step=cheaper):
                if cheaper is not None:
                    self.step_down(cheaper)
                self.rows[sid] = replace(self.rows[sid], role=None)
                if failed:
                    self.failures += 1
                    wait = planner.back_off_seconds(self.failures)
                    self.retry_at = self.now + timedelta(seconds=wait)
            case Promote(session_id=sid):
                self.rows[sid] = replace(self.rows[sid], role=SessionRole.CURRENT)

    def start(self, row: Session) -> None:
        outcome, sid = self.draw(6), row.id
        if self.is_crowded and self.running():
            outcome = 1
        if outcome == 5:  # killed before there is a row
            return
        if outcome == 0:
            self.egresses[sid] = Egress(self.now)
            row = replace(row, egress_id=f"EG_{sid}")
        elif outcome == 1:  # no worker
            row = replace(row, ended_at=self.now, status=EgressStatus.FAILED)
        elif outcome == 2:  # it runs, and nobody was told
            self.egresses[sid] = Egress(self.now)
        elif outcome == 3:  # it will run, and nobody was told
            self.late.append((self.now + timedelta(seconds=30), sid))
        self.rows[sid] = row  # outcome 4: the call never arrived

    def step_down(self, to: Chosen) -> None:
        """Notes a step. One follows another after a minute, and goes down, or is the same again."""
        assert to.why is not None
        before, self.noted = self.noted, {"encoding": to.name, "why": to.why, "at": self.now}
        if before is not None:
            assert self.now - before["at"] >= encoding_steps.REST
            assert LADDER.index(to.name) >= LADDER.index(before["encoding"])
        self.steps.append(self.now)

    def end(self, sid: str) -> None:
        self.egresses[sid].ended = self.now
        self.rows[sid] = replace(self.rows[sid], ended_at=self.now, status=EgressStatus.COMPLETE)

    def survey(self) -> None:
        """What webhooks tell at once and the survey tells in the end."""
        for sid, egress in self.egresses.items():
            row = self.rows[sid]
            if egress.ended is not None:
                self.rows[sid] = replace(row, ended_at=egress.ended, status=EgressStatus.COMPLETE)
            elif row.active_at is None and self.now - egress.began >= timedelta(seconds=2):
                self.rows[sid] = replace(
                    row, egress_id=f"EG_{sid}", status=EgressStatus.ACTIVE, active_at=self.now
                )
            if egress.ended is None and not row.role:
                self.end(sid)  # a stray
            if row.active_at and row.encoding in LADDER[: self.slow] and row.behind_at is None:
                late = self.now - row.active_at >= BEHIND_AFTER
                self.rows[sid] = replace(self.rows[sid], behind_at=self.now if late else None)


@pytest.mark.edge("the start times out and the egress runs")
@settings(max_examples=60)
@given(
    luck=st.lists(st.integers(0, 59), max_size=60),
    audio_at=st.one_of(st.none(), st.integers(0, FAULTY_STEPS)),
    again_at=st.one_of(st.none(), st.integers(0, FAULTY_STEPS)),
    gone_at=st.one_of(st.none(), st.integers(0, FAULTY_STEPS)),
    stopped_at=st.one_of(st.none(), st.integers(0, FAULTY_STEPS)),
    resumed_at=st.one_of(st.none(), st.integers(0, FAULTY_STEPS)),
    dies_at=st.lists(st.integers(0, FAULTY_STEPS), max_size=4),
    told_every=st.integers(1, SURVEY_STEPS),
)
def test_whatever_is_lost_ends_in_one_egress_or_none(
    luck: list[int],
    audio_at: int | None,
    again_at: int | None,
    gone_at: int | None,
    stopped_at: int | None,
    resumed_at: int | None,
    dies_at: list[int],
    told_every: int,
) -> None:
    """Once the faults end: one egress with the share's last tracks if it is live, else none.

    None either if somebody has stopped it, and had not taken that back.
    """
    world = World(luck)
    for n in range(FAULTY_STEPS + CALM_STEPS):
        if n == audio_at:
            world.audio = "TR_A"
        if n == again_at:
            world.video, world.audio = "TR_again", None
        if n == gone_at:
            world.live = False
        if n == stopped_at:
            world.refusal = Why.STOPPED_BY_ADMIN
        if n == resumed_at:
            world.refusal = None
        if n in dies_at:
            for sid in world.running():
                world.egresses[sid].ended = world.now
        if n == FAULTY_STEPS:
            world.luck.clear()
        if n % told_every == 0:
            world.survey()
        world.step()
    world.survey()
    running = world.running()
    if gone_at is not None or world.refusal is not None:
        assert running == []
        assert world.with_role() == []
    else:
        (only,) = running
        assert world.rows[only].role == "current"
        assert world.rows[only].audio_sid == world.audio
        assert world.rows[only].video_sid == world.video


@settings(max_examples=20)
@given(
    luck=st.lists(st.integers(0, 59), max_size=40),
    slow=st.integers(0, len(LADDER)),
    is_crowded=st.booleans(),
    frozen_at=st.lists(st.integers(0, FAULTY_STEPS), max_size=3),
    gone_at=st.one_of(st.none(), st.integers(0, FAULTY_STEPS)),
    told_every=st.integers(1, SURVEY_STEPS),
)
def test_what_egress_cannot_keep_up_with_ends_in_one_egress_that_can(
    luck: list[int],
    slow: int,
    is_crowded: bool,
    frozen_at: list[int],
    gone_at: int | None,
    told_every: int,
) -> None:
    """Whatever is lost, dies of it, or has no room beside it: in as many steps as it takes.

    None where it keeps up, and below the last step there is none.
    """
    world = World(luck, audio="TR_A", slow=slow, is_crowded=is_crowded)
    for n in range(FAULTY_STEPS + CALM_STEPS):
        if n == gone_at:
            world.live = False
        if n in frozen_at:
            for sid in world.running():
                world.egresses[sid].ended = world.now
                row = world.rows[sid]
                says = "pipeline frozen" if row.encoding in LADDER[:slow] else "killed"
                row = replace(row, ended_at=world.now, status=EgressStatus.FAILED, error=says)
                world.rows[sid] = row
        if n == FAULTY_STEPS:
            world.luck.clear()
        if n % told_every == 0:
            world.survey()
        world.step()
    if gone_at is not None:
        world.step()
        world.survey()
        assert world.running() == []
        assert world.with_role() == []
        return
    (only,) = world.running()
    assert world.rows[only].role == "current"
    assert world.rows[only].encoding == LADDER[min(slow, len(LADDER) - 1)]
    assert (world.noted is not None) == (slow > 0)

"""What should be done about one share, given what is known of it. Pure.

The recorder reads rows, asks `plan`, carries the actions out and asks again, until there is
nothing left to do now. Every action is safe to repeat, so being killed between two of them, or
being asked for the same share by an event that came twice, late or never, changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.models import EgressStatus, SessionRole, SessionRow, Why
from app.recording import encoding_steps
from app.recording.share_facts import UNNAMED, Chosen, ShareFacts

BACK_OFF_SECONDS = (0.0, 2.0, 10.0, 30.0, 60.0)
# After this much media a session counts as a success, and the next failure as the first.
HEALTHY_SECONDS = 60.0
# LiveKit goes on retrying a start for up to this long after its caller has lost touch.
UNCLEAR_SECONDS = 60.0
# An egress is ACTIVE after 2 s; one with an unknown track fails by itself after 30 s.
STARTING_SECONDS = 45.0
# How long the next egress of a share may take until it is given up and the current one kept.
HANDOVER_SECONDS = 60.0
# A stop whose answer was lost, or that had no effect, is sent again after this long.
STOP_AGAIN_SECONDS = 10.0
# How often ListEgress is asked for an egress whose start is unclear.
LOOK_AGAIN_SECONDS = 2.0

RUNNING = frozenset(EgressStatus.running())


@dataclass(frozen=True)
class Create:
    """Make a session and ask LiveKit for its egress.

    Its row is there first, and guards against a second one of the same role. `steps_down`: the
    share goes on in a cheaper encoding by it.
    """

    role: SessionRole
    audio_sid: str | None
    encoding: Chosen = UNNAMED
    steps_down: bool = False


@dataclass(frozen=True)
class Look:
    """Look in ListEgress for an egress that bears this session's id, and adopt it."""

    session_id: str


@dataclass(frozen=True)
class Stop:
    """Ask LiveKit to stop a session's egress. `begins_again`: so that its share's next one can."""

    session_id: str
    begins_again: bool = False


@dataclass(frozen=True)
class Retire:
    """The session is over: take its role away. `failed` counts towards the back-off.

    `step`: the cheaper encoding that the share goes on in, as the session died of its own.
    """

    session_id: str
    failed: bool
    reason: str
    step: Chosen | None = None


@dataclass(frozen=True)
class Promote:
    """The next session is ACTIVE and becomes the current one."""

    session_id: str


PlannedStep = Create | Look | Stop | Retire | Promote


@dataclass(frozen=True)
class Plan:
    """Actions to carry out now, in order; when to ask again at the latest; why nothing records."""

    actions: tuple[PlannedStep, ...] = ()
    again_at: datetime | None = None
    why: Why | None = None

    @property
    def begins(self) -> bool:
        """Whether an egress is to begin now."""
        return any(isinstance(step, Create) for step in self.actions)


@dataclass
class _Draft:
    now: datetime
    actions: list[PlannedStep] = field(default_factory=list)
    again_at: datetime | None = None

    def do(self, action: PlannedStep) -> None:
        self.actions.append(action)

    def again(self, at: datetime) -> None:
        if self.again_at is None or at < self.again_at:
            self.again_at = at

    def done(self, why: Why | None = None) -> Plan:
        return Plan(tuple(self.actions), self.again_at, why)


def plan(
    share: ShareFacts, sessions: Sequence[SessionRow], now: datetime, audio_wait_seconds: float
) -> Plan:
    """The next actions for a share. `sessions`: those with a role, at most one each.

    When a plan holds actions, ask again after carrying them out.
    """
    draft = _Draft(now)
    current = next((s for s in sessions if s["role"] == SessionRole.CURRENT), None)
    coming = next((s for s in sessions if s["role"] == SessionRole.NEXT), None)
    wanted = share.live and share.refusal is None
    if not wanted:
        for session in (coming, current):
            if session is not None:
                _end(draft, session)
        return draft.done(share.refusal if share.live else None)
    if any(not share.is_of(session) for session in sessions):
        return _succeed(draft, share, current, coming, audio_wait_seconds)
    if current is None:
        if coming is None:
            return _begin(draft, share, SessionRole.CURRENT, audio_wait_seconds)
        # what it was to take over from is over
        draft.do(Promote(coming["_id"]))
    elif coming is not None:
        _hand_over(draft, share, current, coming)
    else:
        _tend(draft, share, current)
        if not draft.actions and current["stop_sent_at"] is None:
            _improve(draft, share, current)
    starting = current is not None and current["active_at"] is None
    return draft.done(Why.STARTING if starting else None)


def is_over(session: SessionRow) -> bool:
    """Whether nothing is recorded by a session any more, or can be."""
    over = session["ended_at"] is not None or session["status"] not in RUNNING
    return over or session["ghost_at"] is not None


def back_off_seconds(failures: int) -> float:
    """How long to wait before the start that follows this many failures in a row."""
    return BACK_OFF_SECONDS[min(max(failures - 1, 0), len(BACK_OFF_SECONDS) - 1)]


def _succeed(
    draft: _Draft,
    share: ShareFacts,
    current: SessionRow | None,
    coming: SessionRow | None,
    audio_wait_seconds: float,
) -> Plan:
    """Ends what records a track before, and begins beside it: nobody waits for what has gone."""
    own: SessionRow | None = None
    for session in (coming, current):
        if session is not None and share.is_of(session):
            own = session
        elif session is not None:
            _end(draft, session)
    if own is not None:
        _tend(draft, share, own)
        return draft.done(Why.STARTING if own["active_at"] is None else None)
    retires = any(isinstance(step, Retire) for step in draft.actions)
    if retires or (current is not None and coming is not None):
        return draft.done(Why.STARTING)
    role = SessionRole.CURRENT if current is None else SessionRole.NEXT
    return _begin(draft, share, role, audio_wait_seconds)


def _begin(draft: _Draft, share: ShareFacts, role: SessionRole, audio_wait_seconds: float) -> Plan:
    if not _may_try(draft, share):
        return draft.done(Why.EGRESS_FAILED)
    audio_until = share.published_at + timedelta(seconds=audio_wait_seconds)
    if share.audio_sid is None and draft.now < audio_until:
        draft.again(audio_until)
    else:
        draft.do(Create(role, share.audio_sid, share.begins_in))
    return draft.done(Why.STARTING)


def _improve(draft: _Draft, share: ShareFacts, current: SessionRow) -> None:
    """Begins beside a session what is to take over: it lacks the audio, or can't keep up."""
    cheaper = encoding_steps.of_one_behind(share, current)
    if cheaper is not None and (at := encoding_steps.next_at(share, draft.now)) > draft.now:
        draft.again(at)
        cheaper = None
    if not (cheaper or _lacks_audio(share, current)) or not _may_try(draft, share):
        return
    if cheaper is None:
        same = Chosen(current["encoding"], current["encoding_why"])
        draft.do(Create(SessionRole.NEXT, share.audio_sid, same if same.name else share.begins_in))
    elif encoding_steps.is_in_vain(share, current, cheaper, draft.now):
        draft.do(Stop(current["_id"], begins_again=True))
    else:
        draft.do(Create(SessionRole.NEXT, share.audio_sid, cheaper, steps_down=True))


def _may_try(draft: _Draft, share: ShareFacts) -> bool:
    if share.retry_at is not None and share.resting(draft.now):
        draft.again(share.retry_at)
        return False
    return True


def _lacks_audio(share: ShareFacts, current: SessionRow) -> bool:
    return share.audio_sid is not None and share.audio_sid != current["audio_sid"]


def _tend(draft: _Draft, share: ShareFacts, session: SessionRow) -> None:
    """Brings a session that is wanted to ACTIVE, or retires it."""
    if is_over(session):
        failed, reason = session["stop_sent_at"] is None, session["status"]
        step = encoding_steps.of_one_that_died(share, session, draft.now)
        draft.do(Retire(session["_id"], failed=failed, reason=reason, step=step))
    elif session["start_sent_at"] is None:
        draft.do(Retire(session["_id"], failed=False, reason="never started"))
    elif session["stop_sent_at"] is not None:
        # asked to stop for a reason that has gone; the next one starts when it is over
        _stop(draft, session)
    elif session["egress_id"] is None:
        _look(draft, session, failed=True)
    elif session["active_at"] is None:
        deadline = session["start_sent_at"] + timedelta(seconds=STARTING_SECONDS)
        if draft.now >= deadline:
            _stop(draft, session)
        else:
            draft.again(deadline)


def _hand_over(draft: _Draft, share: ShareFacts, current: SessionRow, coming: SessionRow) -> None:
    """Lets the next session take over once it records, or gives it up."""
    deadline = coming["created_at"] + timedelta(seconds=HANDOVER_SECONDS)
    if is_over(current):
        _tend(draft, share, current)
    elif is_over(coming):
        draft.do(Retire(coming["_id"], failed=True, reason=coming["status"]))
    elif coming["active_at"] is not None:
        _end(draft, current)
    elif draft.now >= deadline:
        _end(draft, coming)
    else:
        draft.again(deadline)
        _tend(draft, share, coming)


def _end(draft: _Draft, session: SessionRow) -> None:
    """Brings a session that is not wanted to its end."""
    if is_over(session):
        draft.do(Retire(session["_id"], failed=False, reason=session["status"]))
    elif session["start_sent_at"] is None:
        draft.do(Retire(session["_id"], failed=False, reason="never started"))
    elif session["egress_id"] is None:
        _look(draft, session, failed=False)
    else:
        _stop(draft, session)


def _stop(draft: _Draft, session: SessionRow) -> None:
    if session["stop_sent_at"] is None:
        draft.do(Stop(session["_id"]))
        return
    again = session["stop_sent_at"] + timedelta(seconds=STOP_AGAIN_SECONDS)
    if draft.now >= again:
        draft.do(Stop(session["_id"]))
    else:
        draft.again(again)


def _look(draft: _Draft, session: SessionRow, *, failed: bool) -> None:
    """For a start that was sent and whose egress is not known."""
    since = session["start_unclear_at"] or session["start_sent_at"] or session["created_at"]
    look_at = since
    if session["looked_at"]:
        look_at = session["looked_at"] + timedelta(seconds=LOOK_AGAIN_SECONDS)
    if draft.now < look_at:
        draft.again(look_at)
    elif session["looked_at"] is not None and session["looked_at"] >= since + timedelta(
        seconds=UNCLEAR_SECONDS
    ):
        draft.do(Retire(session["_id"], failed=failed, reason="no egress came of its start"))
    else:
        draft.do(Look(session["_id"]))

"""In which encoding a share is recorded, where egress can't keep up with the configured one. Pure.

Each step goes to the next cheaper one, and none back while an egress runs. An hour after the last
step the next egress to begin has the configured encoding again. LiveKit does not tell on which
machine an egress runs, so what one share has met holds for all others of which nothing is recorded
yet; one that goes on keeps what it had.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.models import EgressStatus, EncodingStepDocument, EncodingWhy, SessionRow
from app.recording.encoding import is_upright, named, pixels_a_second, turned
from app.recording.share_facts import Chosen, ShareFacts

REST = timedelta(seconds=60)
"""Between two steps of a share: so long the one before may take until its media tells."""
HOLD = timedelta(hours=1)
"""How long what egress could not keep up with is not tried again."""
_IN_VAIN = 3 * REST
"""So long after a step it may have come to nothing; after that what it met then has passed."""
_AHEAD = timedelta(minutes=1)
"""An instant further ahead than this was written by a clock that was wrong, and tells nothing."""
_CLEARLY = 0.8
"""A step that saves less helps nobody."""
_OVERLOADED = ("pipeline frozen", "CPU exhausted")
"""What the errors of an egress say that ended because it could not keep up (egress v1.14.1)."""


def possible(setting: str, steps: Sequence[str], width: int, height: int) -> tuple[str, ...]:
    """What a share of this size may be recorded in: the configured encoding, then each of `steps`
    that is clearly cheaper than the one before, turned as the configured one is."""
    found = [named(setting, width, height)]
    for step in steps:
        fitting = turned(step) if is_upright(step) != is_upright(found[0]) else step
        if pixels_a_second(fitting) < _CLEARLY * pixels_a_second(found[-1]):
            found.append(fitting)
    return tuple(found)


def begins_in(
    encodings: Sequence[str],
    step: EncodingStepDocument | None,
    others_at: datetime | None,
    now: datetime,
    own: str = "",
) -> Chosen:
    """What an egress of a share begins in.

    `step`: its own last one; `others_at`: that of any; `own`: in what it was recorded last, empty
    if nothing is recorded of it yet.
    """
    if step is not None and _is_within(HOLD, step["at"], now) and step["encoding"] in encodings[1:]:
        return Chosen(step["encoding"], step["why"])
    if others_at is not None and _is_within(HOLD, others_at, now):
        lower = encodings[1:2] if not own else [each for each in encodings[1:] if each == own]
        if lower:
            return Chosen(lower[0], EncodingWhy.STEPPED_BEFORE)
    return Chosen(encodings[0])


def below(encodings: Sequence[str], name: str) -> str | None:
    """The next step that is clearly cheaper; None if there is none, or this one is not known.

    What is configured is no step, though it be cheaper than what was configured before.
    """
    if not name:
        return None
    most = _CLEARLY * pixels_a_second(name)
    return next((each for each in encodings[1:] if pixels_a_second(each) < most), None)


def of_one_behind(share: ShareFacts, session: SessionRow) -> Chosen | None:
    """What a session that can't keep up is to be taken over by; None: it keeps up, or no step is
    left."""
    if session["behind_at"] is None or session["active_at"] is None:
        return None
    cheaper = below(share.encodings, session["encoding"])
    return None if cheaper is None else Chosen(cheaper, EncodingWhy.BEHIND)


def of_one_that_died(share: ShareFacts, session: SessionRow, now: datetime) -> Chosen | None:
    """What follows a session that has ended because it could not keep up; None: the same."""
    failed = session["status"] == EgressStatus.FAILED and session["stop_sent_at"] is None
    says_so = any(words in session["error"] for words in _OVERLOADED)
    if not failed or not (says_so or session["behind_at"]) or next_at(share, now) > now:
        return None
    cheaper = below(share.encodings, session["encoding"])
    return None if cheaper is None else Chosen(cheaper, EncodingWhy.OVERLOADED)


def next_at(share: ShareFacts, now: datetime) -> datetime:
    """When a share may go on in a cheaper encoding again, now at the earliest."""
    if share.step is None or not _is_within(REST, share.step["at"], now):
        return now
    return share.step["at"] + REST


def is_in_vain(share: ShareFacts, session: SessionRow, cheaper: Chosen, now: datetime) -> bool:
    """Whether what was to take over from a session in this encoding has come to nothing.

    As a rule its worker has no room for both: it can begin only when the session has ended.
    """
    if (step := share.step) is None or step["encoding"] != cheaper.name:
        return False
    return step["at"] >= session["created_at"] and _is_within(_IN_VAIN, step["at"], now)


def _is_within(span: timedelta, at: datetime, now: datetime) -> bool:
    """Whether an instant was so long ago at most, and is none of a clock that was ahead."""
    return -_AHEAD <= now - at < span

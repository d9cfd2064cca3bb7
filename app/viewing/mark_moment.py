"""Which moment of a share can be marked. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.errors import BufferEmpty, Invalid
from app.models import BufferState, instants
from app.viewing.timeline import Timeline

AHEAD = timedelta(seconds=5)
"""How far in our future a mark may lie: the clock of whoever sets it."""
_RETRY_SECONDS = 5


def present(line: Timeline, now: datetime) -> datetime:
    """The moment that is marked by default: now, or the end of a share that is over."""
    return line.present(now) if line.recording_session is not None else line.newest or now


def check_within(line: Timeline, at: datetime, now: datetime, keep: timedelta) -> None:
    """Raises BufferEmpty if nothing is there and nothing records.

    Raises Invalid outside of it, and where a mark keeps nothing: it does so for `keep` after `at`.
    """
    records = line.recording_session is not None
    if line.newest is None and not records:
        retry = {} if line.state == BufferState.ENDED else {"retry_after": _RETRY_SECONDS}
        raise BufferEmpty(f"nothing is there to be marked; the share is {line.state}", **retry)
    end = present(line, now) + (AHEAD if records else timedelta(0))
    told = instants.written(at)
    if at > end:
        raise Invalid(f"at={told} lies after the end of the buffer: leave it out to mark it")
    begin = line.oldest or line.since
    if at < begin and not any(span.start <= at < span.end for span in line.spans):
        begins = instants.written(begin)
        raise Invalid(f"at={told} lies before the beginning of the buffer, {begins}")
    if at <= now - keep:
        until = instants.written(at + keep)
        raise Invalid(
            f"at={told} is too old to be marked: a mark would keep what is around it only until "
            f"{until}"
        )

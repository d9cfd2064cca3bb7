"""Whether a share may be recorded now, and if not, why."""

from __future__ import annotations

from app.buffer import governor
from app.context import Context
from app.recording.reasons import Why
from app.store import Row


async def refusal(ctx: Context, track: Row, participant: Row | None, recording: bool) -> Why | None:
    """Why a share must not be recorded; None if it may be.

    `track` is the fact of its video track, `participant` of its sharer's connection. A full disk
    keeps new recordings from starting; it does not end one that is running.
    """
    if participant is not None and participant.get("opted_out"):
        return Why.OPTED_OUT
    if track.get("encrypted"):
        return Why.ENCRYPTED
    if not recording and await governor.refuse_new(ctx):
        return Why.DISK
    return None

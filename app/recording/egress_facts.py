"""Facts about egresses of ours: what became of each, in the row of the session that asked for it.

All that one event tells is one command, which needs not to have read the row: each statement of it
only adds knowledge, where it is still missing. An egress never goes back.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import structlog
from livekit.protocol.egress import EgressInfo
from pymongo import UpdateOne

from app.buffer import clock
from app.models import EgressStatus, Row, SessionRow, schema
from app.models.instants import EPOCH
from app.recording import asked_egress, egress_info, foreign_text
from app.store import Store, dated

# A row of a running egress may move to these from any status before them, never back.
_RUNNING = list(EgressStatus.running())
_LONGEST_ERROR = 500

log = structlog.get_logger()


def is_telling(info: EgressInfo) -> bool:
    """Whether what is decided of a session may hang on this: it records now, or is over.

    That an egress is starting, or ending, is known to whoever asked for that.
    """
    return egress_info.is_over(info) or egress_info.status_of(info) == EgressStatus.ACTIVE


def is_known(info: EgressInfo, session: SessionRow) -> bool:
    """Whether the row says all of this already."""
    status = egress_info.status_of(info)
    return (
        session["egress_id"] == info.egress_id
        and session["status"] == status
        and (status != EgressStatus.ACTIVE or session["active_at"] is not None)
        and (session["clock_exact"] or egress_info.clock_of(info) is None)
    )


async def note(
    store: Store, info: EgressInfo, now: datetime, *, session_id: str | None = None
) -> bool:
    """Notes what became of an egress, and whose it is if that was not known. False: not ours.

    `session_id`: whose egress it is, where that is known; otherwise its prefix says it, and is
    believed of an egress that this session may have asked for.

    A clock is taken where nothing is indexed yet; otherwise see `egress_clock.settle`.
    """
    named = session_id or asked_egress.session_of(info)
    if named is None:
        return False
    statements = list(_statements(info, named, now, asked=session_id is None))
    noted = await store.rows(schema.EgressSession).bulk_write(statements)
    if not noted.matched_count:
        log.warning("egress_not_asked_for", session=named, egress=info.egress_id)
    return noted.matched_count > 0


def _statements(
    info: EgressInfo, session_id: str, now: datetime, *, asked: bool
) -> Iterator[UpdateOne]:
    """Of these the first two match whatever is the session's, and no other one then."""
    egress_id = foreign_text.ident(info.egress_id, "egress id")
    known: Row = {"_id": session_id, "egress_id": egress_id}
    unknown: Row = {"_id": session_id, "egress_id": None}
    its_id = {"$set": {"egress_id": egress_id}}
    yield UpdateOne(unknown | (_asked_for(info) if asked else {}), its_id)
    yield UpdateOne(known, its_id)
    status = egress_info.status_of(info)
    if status == EgressStatus.ACTIVE:
        yield UpdateOne(known | {"active_at": None}, {"$set": {"active_at": now}})
    if egress_info.is_over(info):
        runs = known | {"status": {"$in": _RUNNING}}
        told_at = _instant_of_end(info, now)
        end = {
            "status": status,
            "error": foreign_text.text(egress_info.error_of(info), _LONGEST_ERROR),
            "error_code": info.error_code,
        }
        later = {"$gt": told_at}
        yield UpdateOne(runs | {"created_at": later}, {"$set": end | {"ended_at": now}})
        yield UpdateOne(runs, {"$set": end | {"ended_at": told_at}})
    elif before := _RUNNING[: _RUNNING.index(status)]:
        yield UpdateOne(known | {"status": {"$in": before}}, {"$set": {"status": status}})
    clock_ns = egress_info.clock_of(info)
    if clock_ns is None:
        return
    began = clock.wall(clock_ns, 0)
    if not clock.is_credible(began, EPOCH, datetime.now(UTC)):
        log.warning("clock_not_believed", session=session_id, clock_ns=clock_ns)
        return
    unset = {"clock_ns": None, "clock_exact": False, "created_at": {"$lte": began + clock.SKEW}}
    yield UpdateOne(known | unset, {"$set": {"clock_ns": clock_ns, "clock_exact": True}})


def _asked_for(info: EgressInfo) -> Row:
    """A condition on a session: it may have asked for this egress (`asked_egress.may_serve`)."""
    asked = info.track_composite
    return {
        "start_sent_at": dated(),
        "folder": asked_egress.folder_of(info) or "",
        "room_sid": info.room_id,
        "video_sid": asked.video_track_id,
        "audio_sid": asked.audio_track_id or None,
    }


def _instant_of_end(info: EgressInfo, now: datetime) -> datetime:
    """When an egress ended, as it says: not after now."""
    told_at = foreign_text.instant(info.ended_at / 1e6) or now
    return min(told_at, datetime.now(UTC))

"""Which session an egress serves: the one that asked for it. Pure.

An egress says itself in which folder it writes, so the folder names a session, and proves nothing:
whoever may start an egress can name another's. What it records has to be what that one asked for.
"""

from __future__ import annotations

from collections.abc import Iterable

from livekit.protocol.egress import EgressInfo

from app.buffer import paths
from app.models import SessionRow


def session_of(info: EgressInfo) -> str | None:
    """The id of the session that an egress names by its file prefix; None if it names none."""
    prefix = _prefix(info)
    return paths.session_of_prefix(prefix) if prefix is not None else None


def folder_of(info: EgressInfo) -> str | None:
    """The session's folder in which an egress writes, as it says; None if it is in none."""
    prefix = _prefix(info)
    return paths.folder_of_prefix(prefix) if prefix is not None else None


def by_session(infos: Iterable[EgressInfo]) -> dict[str, list[EgressInfo]]:
    """The egresses by the session that they name: one each, unless somebody else names it, too."""
    named: dict[str, list[EgressInfo]] = {}
    for info in infos:
        if session_id := session_of(info):
            named.setdefault(session_id, []).append(info)
    return named


def may_serve(info: EgressInfo, session: SessionRow) -> bool:
    """Whether an egress is the session's: the one that is known, or one that it has asked for."""
    if session["egress_id"] is not None:
        return info.egress_id == session["egress_id"]
    asked = info.track_composite
    return (
        session["start_sent_at"] is not None
        and folder_of(info) == session["folder"]
        and info.room_id == session["room_sid"]
        and asked.video_track_id == session["video_sid"]
        and asked.audio_track_id == (session["audio_sid"] or "")
    )


def _prefix(info: EgressInfo) -> str | None:
    for output in info.track_composite.segment_outputs:
        return output.filename_prefix
    return None

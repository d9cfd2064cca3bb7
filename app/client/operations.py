"""What can be asked of `/v1`: a function for each operation, of its name there. Nothing is sent.

What is None is left out. Lengths of time are seconds, or texts such as `90s`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from . import answer_words as w
from . import answers as a
from .ask import Ask, Moment, given, path_part

BY_LINK: w.VisibilityChoice = "link"
"""Open to whoever has the clip's link."""


def get_session() -> Ask[a.CallerAnswer]:
    """What the token is good for."""
    return Ask("GET", "/session")


def list_buffers(
    *,
    room: str | None = None,
    sharer: str | None = None,
    state: w.BufferStateChoice | None = None,
    limit: int | None = None,
    next: str | None = None,
) -> Ask[a.AnswerPage[a.BufferAnswer]]:
    """The buffers that the caller may see."""
    query = given(room=room, sharer=sharer, state=state, limit=limit, next=next)
    return Ask("GET", "/buffers", query=query)


def get_buffer(buffer_id: str) -> Ask[a.BufferDetailAnswer]:
    """A buffer with its timeline and markers."""
    return Ask("GET", "/buffers/{buffer_id}", {"buffer_id": buffer_id})


def delete_buffer(buffer_id: str, *, last: float | str | None = None) -> Ask[None]:
    """Has what was recorded of a share erased; `last`: only the last so many seconds."""
    query = given(last=last)
    return Ask("DELETE", "/buffers/{buffer_id}", {"buffer_id": buffer_id}, query)


def stop_recording(buffer_id: str, *, reason: str | None = None) -> Ask[a.BufferAnswer]:
    """Ends the recording of a share."""
    names = {"buffer_id": buffer_id}
    return Ask("POST", "/buffers/{buffer_id}/stop", names, body=given(reason=reason))


def resume_recording(buffer_id: str) -> Ask[a.BufferAnswer]:
    """Has a stopped share recorded again."""
    return Ask("POST", "/buffers/{buffer_id}/resume", {"buffer_id": buffer_id})


def get_buffer_events(*, room: str | None = None, sharer: str | None = None) -> Ask[None]:
    """The buffers, as they change: a stream."""
    return Ask("GET", "/buffers/events", query=given(room=room, sharer=sharer))


def list_markers(buffer_id: str) -> Ask[a.MarkerListAnswer]:
    """The marked moments of a share."""
    return Ask("GET", "/buffers/{buffer_id}/markers", {"buffer_id": buffer_id})


def create_marker(
    buffer_id: str,
    *,
    at: Moment | None = None,
    label: str | None = None,
    idempotency_key: str | None = None,
) -> Ask[a.MarkerAnswer]:
    """Marks a moment, by default the present one."""
    return Ask(
        "POST",
        "/buffers/{buffer_id}/markers",
        {"buffer_id": buffer_id},
        body=given(at=at, label=label),
        key=idempotency_key or secrets.token_hex(16),
    )


def delete_marker(buffer_id: str, marker_id: str) -> Ask[None]:
    """Removes a mark."""
    names = {"buffer_id": buffer_id, "marker_id": marker_id}
    return Ask("DELETE", "/buffers/{buffer_id}/markers/{marker_id}", names)


def get_room_timeline(room: str, *, room_sid: str | None = None) -> Ask[a.RoomTimelineAnswer]:
    """All shares of a room that the caller may see, on one wall clock."""
    return Ask("GET", "/rooms/{room}/timeline", {"room": path_part(room)}, given(room_sid=room_sid))


def create_room_captures(
    room: str,
    *,
    room_sid: str | None = None,
    last: float | str | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
    post_roll: float | str | None = None,
    tail: w.TailChoice | None = None,
    cut: w.CutChoice | None = None,
    gaps: w.GapsChoice | None = None,
    title: str | None = None,
    idempotency_key: str | None = None,
) -> Ask[a.MomentAcceptedAnswer]:
    """Asks for clips of all shares of a room: one window, one `moment_id`.

    The same key gives the same captures, and tries those again that could not be had; default: a
    new one.
    """
    body = given(
        room_sid=room_sid, last=last, start=start, end=end, post_roll=post_roll, tail=tail,
        cut=cut, gaps=gaps, title=title,
    )  # fmt: skip
    key = idempotency_key or secrets.token_hex(16)
    return Ask("POST", "/rooms/{room}/captures", {"room": path_part(room)}, body=body, key=key)


def create_capture(
    *,
    room: str | None = None,
    sharer: str | None = None,
    track_sid: str | None = None,
    buffer_id: str | None = None,
    last: float | str | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
    post_roll: float | str | None = None,
    tail: w.TailChoice | None = None,
    cut: w.CutChoice | None = None,
    gaps: w.GapsChoice | None = None,
    title: str | None = None,
    idempotency_key: str | None = None,
) -> Ask[a.AcceptedAnswer]:
    """Asks for a clip of a share. The same key gives the same capture; default: a new one."""
    body = given(
        room=room, sharer=sharer, track_sid=track_sid, buffer_id=buffer_id, last=last, start=start,
        end=end, post_roll=post_roll, tail=tail, cut=cut, gaps=gaps, title=title,
    )  # fmt: skip
    return Ask("POST", "/captures", body=body, key=idempotency_key or secrets.token_hex(16))


def get_capture(capture_id: str) -> Ask[a.CaptureAnswer]:
    """A capture, as far as it is."""
    return Ask("GET", "/captures/{capture_id}", {"capture_id": capture_id})


def cancel_capture(capture_id: str) -> Ask[a.CaptureAnswer]:
    """Ends a capture that is not over."""
    return Ask("DELETE", "/captures/{capture_id}", {"capture_id": capture_id})


def get_capture_events(capture_id: str) -> Ask[None]:
    """How a capture gets on: a stream."""
    return Ask("GET", "/captures/{capture_id}/events", {"capture_id": capture_id})


def list_clips(
    *,
    room: str | None = None,
    owner: str | None = None,
    sharer: str | None = None,
    title: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    others: bool | None = None,
    visibility: w.VisibilityChoice | None = None,
    moment_id: str | None = None,
    deleted: bool | None = None,
    sort: w.ClipOrderChoice | None = None,
    limit: int | None = None,
    next: str | None = None,
) -> Ask[a.AnswerPage[a.ClipAnswer]]:
    """The clips that the caller may see, the newest first unless `sort` says otherwise.

    `others`: only those that others have captured; `moment_id`: those that were captured together;
    `deleted`: those that can be restored.
    """
    query = given(
        room=room, owner=owner, sharer=sharer, title=title, since=since, until=until,
        others=others, visibility=visibility, moment_id=moment_id, deleted=deleted, sort=sort,
        limit=limit, next=next,
    )  # fmt: skip
    return Ask("GET", "/clips", query=query)


def get_clip(clip_id: str) -> Ask[a.ClipAnswer]:
    """A clip."""
    return Ask("GET", "/clips/{clip_id}", {"clip_id": clip_id})


def change_clip(
    clip_id: str,
    *,
    title: str | None = None,
    visibility: w.VisibilityChoice | None = None,
    link_days: float | None = None,
    link_tells: Sequence[w.LinkFactChoice] | None = None,
    share_hidden_head: bool | None = None,
    keep: bool | None = None,
    closed: bool | None = None,
) -> Ask[a.ClipAnswer]:
    """Changes a clip's title, to whom it is open, or how long it stays.

    `closed`, alone, makes somebody else's private, or lets it be opened again.
    """
    body = given(
        title=title, visibility=visibility, link_days=link_days, link_tells=link_tells,
        share_hidden_head=share_hidden_head, keep=keep, closed=closed,
    )  # fmt: skip
    return Ask("PATCH", "/clips/{clip_id}", {"clip_id": clip_id}, body=body)


def trim_clip(
    clip_id: str,
    *,
    start: float | str | None = None,
    end: float | str | None = None,
    cut: w.CutChoice | None = None,
    title: str | None = None,
    in_place: bool | None = None,
    idempotency_key: str | None = None,
) -> Ask[a.PromisedAnswer]:
    """Asks for a clip of a part of a clip, by its play time: a capture as any other.

    `in_place`: it takes the clip's place, which is deleted then.
    """
    body = given(start=start, end=end, cut=cut, title=title, in_place=in_place)
    key = idempotency_key or secrets.token_hex(16)
    return Ask("POST", "/clips/{clip_id}/trim", {"clip_id": clip_id}, body=body, key=key)


def delete_clip(clip_id: str, *, purge: bool | None = None) -> Ask[None]:
    """Deletes a clip; it can be restored for a while, unless it is purged."""
    query = given(purge=purge)
    return Ask("DELETE", "/clips/{clip_id}", {"clip_id": clip_id}, query)


def restore_clip(clip_id: str, *, in_place_of: str | None = None) -> Ask[a.ClipAnswer]:
    """Takes a deletion back. `in_place_of`: a trim of it, which is deleted instead."""
    body = given(in_place_of=in_place_of)
    return Ask("POST", "/clips/{clip_id}/restore", {"clip_id": clip_id}, body=body)


def request_clip_deletion(clip_id: str, *, reason: str | None = None) -> Ask[a.ClipAnswer]:
    """Asks the owner of a clip of one's screen to delete it."""
    names = {"clip_id": clip_id}
    return Ask("POST", "/clips/{clip_id}/request-deletion", names, body=given(reason=reason))


def share_clip(
    clip_id: str, *, channel_id: str, text: str | None = None, idempotency_key: str | None = None
) -> Ask[a.ShareAnswer]:
    """Has a clip posted in the chat, once for each key; default: a new one."""
    return Ask(
        "POST",
        "/clips/{clip_id}/share",
        {"clip_id": clip_id},
        body=given(channel_id=channel_id, text=text),
        key=idempotency_key or secrets.token_hex(16),
    )


def get_file(file_id: str, *, download: bool | None = None) -> Ask[None]:
    """A clip's MP4: a stream; `download`: with a header that has browsers save it."""
    return Ask("GET", "/files/{file_id}", {"file_id": file_id}, given(download=download))


def create_archive(*, clip_ids: Sequence[str]) -> Ask[a.ArchiveAnswer]:
    """Where several clips can be downloaded as one zip, for a while."""
    return Ask("POST", "/archives", body={"clip_ids": [*clip_ids]})


def get_quota() -> Ask[a.QuotaAnswer]:
    """The caller's own quota."""
    return Ask("GET", "/quota")


def get_user_quota(identity: str) -> Ask[a.QuotaAnswer]:
    """Somebody's quota; for admins."""
    return Ask("GET", "/users/{identity}/quota", {"identity": path_part(identity)})


def set_user_quota(identity: str, *, quota_bytes: int | None) -> Ask[a.QuotaAnswer]:
    """Sets somebody's quota, None: the instance's; for admins."""
    names, body = {"identity": path_part(identity)}, {"quota_bytes": quota_bytes}
    return Ask("PUT", "/users/{identity}/quota", names, body=body)

"""Windows of buffers, and captures, as HLS: their playlists, and the /segments that these name."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from app.access import visibility
from app.access.policy import Share
from app.api import ranges, share_lookup
from app.api.auth import Reader
from app.api.call import Call
from app.api.operation import Answer, endpoint
from app.api.share_lookup import WindowQuery
from app.api.token_buckets import Cost
from app.buffer import erased_segments, paths
from app.buffer.session_folders import fragment_path
from app.captures import capture_access, preview
from app.context import Context
from app.errors import BufferEmpty, Gone, NotFound, NotPermitted, WindowTooLong
from app.media.init_segment import Init
from app.media.runs import was_altered
from app.models import FaultSlug, SegmentRow, SegmentState
from app.models.schema import EgressSession, Segment
from app.storage.confined import PathRefused, member
from app.storage.open_file import open_file
from app.viewing import hls, windows
from app.viewing.hls import Item

_FRAGMENT = re.compile(r"([0-9a-f]{8}-[0-9a-f]{24})-(\d{1,9})\.m4s", re.ASCII)
_INIT = re.compile(r"([0-9a-f]{8}-[0-9a-f]{24})-([0-9a-f]{1,64})\.mp4")
"""Opaque to clients: the names of a session's fragments and of its init segments."""

_FRAGMENT_FIELDS = dict.fromkeys(
    ("buffer_id", "name", "fault", "start", "end", "size_bytes", "modified_ns"), 1
)
_REVALIDATED = {"Cache-Control": "private, no-cache"}
"""A browser asks each time whether it may still show what it has."""

log = structlog.get_logger()


_PLAYLIST = {HTTPStatus.OK: Answer("The playlist.", media_type="application/vnd.apple.mpegurl")}


@endpoint(
    "GET /buffers/{buffer_id}/playlist.m3u8",
    "A window as HLS",
    description="Without a window: all that is there now. Its segments are fMP4; their URLs "
    "are signed, so that players can fetch them.",
    answers=_PLAYLIST,
    problems=[NotFound, NotPermitted, BufferEmpty, Gone, WindowTooLong],
    access="token or signature",
    cost=Cost.WINDOW,
)
async def get_buffer_playlist(call: Call[WindowQuery]) -> Response:
    """Gives the playlist of a window of a buffer, all of it at once."""
    window = await share_lookup.seen_window(call)
    found = await windows.segments(call.ctx.store, window.ranges)
    rows = {row["_id"]: row for each in found for row in each}  # two stays may share a segment
    # One that is condemned may be gone before a player asks for it.
    items = [hls.item(row) for row in rows.values() if row["state"] == SegmentState.INDEXED]
    return _playlist(call, await share_lookup.reader_of(call, window.sharer), items)


@endpoint(
    "GET /captures/{capture_id}/playlist.m3u8",
    "What of a capture can be watched already, as HLS",
    description="From its acceptance on: while the capture waits, the playlist grows with the "
    "media (EVENT), then it ends. Once the clip is ready it is there as long as the buffer "
    "holds the window.",
    answers=_PLAYLIST,
    problems=[NotFound, BufferEmpty, Gone],
    access="token or signature",
    cost=Cost.WINDOW,
)
async def get_capture_playlist(call: Call[None]) -> Response:
    """Gives the playlist of a capture's window, as far as its media is there."""
    row = await capture_access.find(call.ctx, call.reader.caller, call.path["capture_id"])
    found = await preview.watchable(call.ctx, row, call.now)
    reader = await share_lookup.reader_of(call, row["identity"])
    return _playlist(
        call, reader, found.items, ended=found.complete, target_seconds=found.target_seconds
    )


def _playlist(
    call: Call[Any],
    reader: Reader,
    items: Sequence[Item],
    *,
    ended: bool = True,
    target_seconds: int = 1,
) -> Response:
    def segment_url(item: Item) -> str:
        return call.beside(reader.url(f"/segments/{item.session_id}-{item.sequence}.m4s"))

    def init_url(item: Item) -> str:
        return call.beside(reader.url(f"/segments/{item.session_id}-{item.init_id}.mp4"))

    text = hls.playlist(items, segment_url, init_url, ended=ended, target_seconds=target_seconds)
    return Response(text, media_type="application/vnd.apple.mpegurl")


@endpoint(
    "GET /segments/{name}",
    "A segment that a playlist names",
    description="Names are opaque: take them from a playlist. HEAD too; one range at a time.",
    answers={
        HTTPStatus.OK: Answer(
            "The whole segment.", media_type="video/mp4", headers={"ETag": "Never changes."}
        ),
        HTTPStatus.PARTIAL_CONTENT: Answer("The range asked for.", media_type="video/mp4"),
        HTTPStatus.NOT_MODIFIED: Answer("It is what If-None-Match says."),
    },
    problems=[
        NotFound,
        NotPermitted,
        Gone,
        *ranges.PROBLEMS,
    ],
    access="token or signature",
    cost=Cost.MEDIA,
)
async def get_segment(call: Call[None]) -> Response:
    """Serves a segment's fragment, or an init segment."""
    ctx, name = call.ctx, call.path["name"]
    found = _FRAGMENT.fullmatch(name) or _INIT.fullmatch(name)
    if found is None:
        raise _missing()
    session = await ctx.store.rows(EgressSession).find_one(
        {"_id": found[1]}, {"folder": 1, "buffer_id": 1}
    )
    if session is None:
        raise _missing()
    share = await _share(call, session["buffer_id"])
    try:
        folder = fragment_path(ctx.settings.media_root, session)
    except PathRefused as error:
        log.error("folder_refused", session=found[1], error=str(error))
        raise _gone() from error
    if name.endswith(".mp4"):
        return await _init_segment(call.request, folder, found[2])
    row = await _fragment(ctx, paths.segment_id(found[1], int(found[2])))
    if not await erased_segments.left_of(ctx.store, [row]):  # its file may lag
        raise _gone()
    if share is not None:
        await share_lookup.check_window(call, share, row["start"], row["end"])
    return await _served(call.request, folder, row, found[1])


async def _served(request: Request, folder: Path, row: SegmentRow, session_id: str) -> Response:
    """The bytes of a fragment, if they are those that were indexed. Raises Gone."""
    try:
        opened = await open_file(member(folder, row["name"]))
    except FileNotFoundError as error:
        raise _gone() from error
    except PathRefused as error:
        log.error("segment_name_refused", session=session_id, error=str(error))
        raise _gone() from error
    with opened.until_answered():
        altered = was_altered(row["modified_ns"], opened.modified_ns)
        if altered or opened.size_bytes != row["size_bytes"]:
            log.error("segment_changed", session=session_id, segment=row["name"])
            raise _gone()
        segment = ranges.Representation(
            size_bytes=opened.size_bytes,
            etag=f'"{request.path_params["name"]}-{opened.size_bytes:x}"',
            media_type="video/mp4",
            modified_at=opened.modified_at,
            headers=_REVALIDATED,
        )
        return await ranges.answer(request, segment, opened.read, opened.close)


async def _init_segment(request: Request, folder: Path, init_id: str) -> Response:
    try:
        data = await asyncio.to_thread(member(folder, paths.init_name(init_id)).read_bytes)
        if Init.parse(data).id != init_id:
            raise ValueError("an init segment of another name")
    except FileNotFoundError as error:
        raise _gone() from error
    except ValueError as error:
        log.error("init_segment_changed", folder=folder.name, init=init_id, error=str(error))
        raise _gone() from error
    return await ranges.answer_bytes(request, data, "video/mp4", _REVALIDATED)


async def _share(call: Call[None], buffer_id: str) -> Share | None:
    """The share, if the reader has a token, and sees it. Raises NotFound if they don't."""
    if call.reader.caller is None:
        return None
    try:
        return visibility.share_of(await share_lookup.seen(call, buffer_id))
    except NotFound as error:
        raise _missing() from error


async def _fragment(ctx: Context, segment_id: str) -> SegmentRow:
    row = await ctx.store.rows(Segment).find_one({"_id": segment_id}, _FRAGMENT_FIELDS)
    if row is None or row["fault"] == FaultSlug.DELETED:
        raise _gone()
    if row["fault"] is not None:
        raise _missing()
    return row


def _gone() -> Gone:
    return Gone("this part of the buffer is not kept any more")


def _missing() -> NotFound:
    return NotFound("there is no such segment, or it is not yours to see")


routes: list[BaseRoute] = [get_buffer_playlist, get_capture_playlist, get_segment]

"""Small pictures of buffers and clips: posters, sprite sheets, the indexes of these."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from app.access import visibility
from app.api import clip_views, ranges, share_lookup, wire
from app.api.call import Call
from app.api.operation import Answer, endpoint
from app.api.share_lookup import WindowQuery
from app.api.token_buckets import Cost
from app.clips import clip_thumbnails, library
from app.errors import (
    BufferEmpty,
    Gone,
    Invalid,
    NotFound,
    NotPermitted,
    StorageFull,
    Unavailable,
    WindowTooLong,
)
from app.media import sprites
from app.models import ClipRow, FileRow, instants
from app.models.schema import ReplayClip
from app.storage.open_file import open_file
from app.viewing import stripes, witness_view
from app.viewing.drawing import DrawingFailed

_JPEG, _VTT = "image/jpeg", "text/vtt"
_REVALIDATED = {"Cache-Control": "private, no-cache"}
"""A browser asks each time whether it may still show what it has."""


class SheetQuery(wire.Input):
    """What is on a buffer's sheet. Opaque: take it from an index."""

    tiles: Annotated[str, Field(max_length=16_000)] = Field(
        description="Which segments.", examples=["6a1f09c3-5f0c2d9e8b7a4c31d2e6f901.0-9"]
    )
    every: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        description="Each so manieth of them.", examples=[1]
    )
    width: Annotated[int, Field(ge=2, le=sprites.TILE[0], multiple_of=2)] = Field(
        description="Of a tile, in pixels.", examples=[160]
    )
    height: Annotated[int, Field(ge=2, le=sprites.TILE[1], multiple_of=2)] = Field(
        description="Of a tile, in pixels.", examples=[90]
    )


_endpoint = partial(endpoint, access="token or signature")


def _answers(description: str, media_type: str) -> dict[int, Answer]:
    etag = {"ETag": "Made of the content."}
    return {
        HTTPStatus.OK: Answer(description, media_type=media_type, headers=etag),
        HTTPStatus.PARTIAL_CONTENT: Answer("The range asked for.", media_type=media_type),
        HTTPStatus.NOT_MODIFIED: Answer("It is what If-None-Match says."),
    }


@_endpoint(
    "GET /buffers/{buffer_id}/poster.jpg",
    "The newest picture of a share",
    description="Or of the end of a window: its newest key frame, at most 640 pixels wide and "
    "high. Made to be asked for again and again.",
    answers=_answers("The picture.", _JPEG),
    problems=[
        NotFound,
        NotPermitted,
        BufferEmpty,
        Gone,
        WindowTooLong,
        Unavailable,
        *ranges.PROBLEMS,
    ],
    cost=Cost.POSTER,
)
async def get_buffer_poster(call: Call[WindowQuery]) -> Response:
    """Serves a poster of a buffer, drawn when it is asked for."""
    pictures = call.state.thumbnails
    window = await share_lookup.seen_window(call)
    rows = await pictures.newest(window.ranges)
    poster = await pictures.poster(rows, call.user)
    return await ranges.answer_bytes(call.request, poster, _JPEG, _REVALIDATED)


@_endpoint(
    "GET /buffers/{buffer_id}/thumbnails.vtt",
    "The pictures of a window, as an index for players",
    description="WebVTT: for each segment its place on a sprite sheet, whose URL it names. "
    "Times are those of the wall clock after the window's start, which a NOTE tells.",
    answers=_answers("The index.", _VTT),
    problems=[NotFound, NotPermitted, BufferEmpty, Gone, WindowTooLong, *ranges.PROBLEMS],
    cost=Cost.WINDOW,
)
async def get_buffer_thumbnail_index(call: Call[WindowQuery]) -> Response:
    """Gives the index of the thumbnails of what a buffer holds now."""
    window = await share_lookup.seen_window(call)
    stretches = await call.state.thumbnails.segments(window.ranges)
    if not stretches:
        raise Gone("nothing is kept of this part of the share any more")
    contents = stripes.contents_of(*stretches)
    # Two stays may share a segment.
    rows = list({row["_id"]: row for each in stretches for row in each}.values())
    reader = await share_lookup.reader_of(call, window.sharer)
    sheet_url = reader.url(
        f"/buffers/{call.path['buffer_id']}/thumbnails.jpg",
        tiles=contents.text,
        every=str(contents.every),
        width=str(contents.width),
        height=str(contents.height),
    )
    cues = stripes.cues(rows, contents, window.start)
    note = f"start {instants.written(window.start)}"
    text = sprites.index(contents.grid, cues, call.beside(sheet_url), note)
    return await ranges.answer_bytes(call.request, text.encode(), _VTT, _REVALIDATED)


@_endpoint(
    "GET /buffers/{buffer_id}/thumbnails.jpg",
    "The sprite sheet that an index of a share names",
    description="Drawn at low priority, for one user after another; 429 if one waits for too many. "
    "Tiles of segments that are gone are black. `width` and `height` are as an index names them; "
    "any others are 422 with the `sizes` that there are.",
    answers=_answers("The sheet.", _JPEG),
    problems=[NotFound, NotPermitted, Gone, Unavailable, DrawingFailed, *ranges.PROBLEMS],
    cost=Cost.PICTURE,
)
async def get_buffer_thumbnails(call: Call[SheetQuery]) -> Response:
    """Serves a sheet of thumbnails of a buffer, drawn when it is asked for."""
    pictures, given, buffer_id = call.state.thumbnails, call.input, call.path["buffer_id"]
    try:
        contents = stripes.read(given.tiles, given.every, given.width, given.height)
    except ValueError as error:
        raise Invalid(str(error)) from error
    caller = call.reader.caller
    share = None if caller is None else await share_lookup.seen(call, buffer_id)
    chosen, sizes = await pictures.tiles(buffer_id, contents)
    if share is not None:
        permit = await share_lookup.permitted(call, visibility.share_of(share))
        for row in chosen:
            if row is not None and not permit.of(row["start"], row["end"]):
                raise witness_view.refusal(row["start"], row["end"])
        # A signed URL is an index's own, which may tell of segments that are gone meanwhile.
        _check_size((given.width, given.height), sizes)
    sheet = await pictures.sheet(buffer_id, contents, chosen, call.user)
    return await ranges.answer_bytes(call.request, sheet, _JPEG, _REVALIDATED)


@_endpoint(
    "GET /clips/{clip_id}/poster.jpg",
    "A picture of a clip",
    description="The first key frame that it shows, at most 640 pixels wide and high.",
    answers=_answers("The picture.", _JPEG),
    problems=[NotFound, Gone, StorageFull, Unavailable, *ranges.PROBLEMS],
    cost=Cost.POSTER,
)
async def get_clip_poster(call: Call[None]) -> Response:
    """Serves a clip's poster, drawn when it is asked for first."""
    clip, file = await _clip(call)
    path = await clip_thumbnails.poster(call.ctx, call.state.drawing, clip, file, call.user)
    return await picture(call.request, path)


@_endpoint(
    "GET /clips/{clip_id}/thumbnails.vtt",
    "The pictures of a clip, as an index for players",
    description="WebVTT: for each key frame that the clip shows its place on a sprite sheet, "
    "whose URL it names.",
    answers=_answers("The index.", _VTT),
    problems=[NotFound, Gone, Unavailable, *ranges.PROBLEMS],
    cost=Cost.POSTER,
)
async def get_clip_thumbnail_index(call: Call[None]) -> Response:
    """Gives the index of all of a clip's thumbnails."""
    clip, file = await _clip(call)
    grid, cues = await clip_thumbnails.index(call.ctx, call.state.drawing, clip, file, call.user)
    path = f"/clips/{clip['_id']}/thumbnails.jpg"
    if call.reader.caller is None and call.reader.grant is None:
        url = call.reader.url(path)  # as good as the owner's that leads here
    else:
        url = clip_views.media_url(clip, call.reader, path)
    text = sprites.index(grid, cues, call.beside(url))
    return await ranges.answer_bytes(call.request, text.encode(), _VTT, _REVALIDATED)


@_endpoint(
    "GET /clips/{clip_id}/thumbnails.jpg",
    "The sprite sheet of a clip",
    description="Drawn at low priority when somebody asks for it first.",
    answers=_answers("The sheet.", _JPEG),
    problems=[NotFound, Gone, StorageFull, Unavailable, DrawingFailed, *ranges.PROBLEMS],
    cost=Cost.PICTURE,
)
async def get_clip_thumbnails(call: Call[None]) -> Response:
    """Serves the sheet of a clip's thumbnails, drawn when it is asked for first."""
    clip, file = await _clip(call)
    path = await clip_thumbnails.sheet(call.ctx, call.state.drawing, clip, file, call.user)
    return await picture(call.request, path)


async def picture(
    request: Request, path: Path, headers: Mapping[str, str] = _REVALIDATED
) -> Response:
    """The answer with a picture of a clip. Raises Gone if it is gone with its clip."""
    try:
        opened = await open_file(path)
    except FileNotFoundError as error:
        raise Gone("the clip was deleted") from error
    with opened.until_answered():
        name = f"{path.parent.name}/{path.name}/{opened.modified_ns}/{opened.size_bytes}"
        served = ranges.Representation(
            size_bytes=opened.size_bytes,
            etag=f'"{hashlib.sha256(name.encode()).hexdigest()[:32]}"',
            media_type=_JPEG,
            modified_at=opened.modified_at,
            headers=headers,
        )
        return await ranges.answer(request, served, opened.read, opened.close)


def _check_size(asked: tuple[int, int], sizes: Collection[tuple[int, int]]) -> None:
    """Raises Invalid, with the `sizes`, if no index names tiles of this size; none: all is gone."""
    if sizes and asked not in sizes:
        there = sorted(sizes)
        raise Invalid(
            f"width={asked[0]}, height={asked[1]}: the tiles of this share are "
            f"{' or '.join(f'{width} x {height}' for width, height in there)}, as its index says",
            sizes=there,
        )


async def _clip(call: Call[None]) -> tuple[ClipRow, FileRow]:
    """The rows of the clip that is meant and of its file, if it may be read."""
    clip = await call.ctx.store.rows(ReplayClip).find_one({"_id": call.path["clip_id"]})
    if clip is None:
        raise NotFound(library.NO_FILE)
    reader = call.reader
    found = await library.file_of(call.ctx, reader.caller, clip["file_id"], reader.grant)
    return clip, found.file


routes: list[BaseRoute] = [
    get_buffer_poster,
    get_buffer_thumbnail_index,
    get_buffer_thumbnails,
    get_clip_poster,
    get_clip_thumbnail_index,
    get_clip_thumbnails,
]

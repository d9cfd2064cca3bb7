"""A window of a buffer as one MP4 that is never written: /buffers/{id}/replay.mp4."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.access import visibility
from app.api import auth, byte_streams, ranges, share_lookup, web_state, wire
from app.api.auth import Reader
from app.api.openapi import described
from app.api.operation import Answer, Operation
from app.api.share_lookup import WindowQuery
from app.context import Context
from app.errors import BufferEmpty, Gone, Invalid, NotFound, NotPermitted, WindowTooLong
from app.media import joining
from app.models import Tail
from app.viewing import served_movies, windows
from app.viewing.watched_windows import Watch


class ReplayQuery(WindowQuery):
    """The window, and optionally what it must still be made of."""

    v: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None = Field(
        None, description="The version that a URL of ours stands for; gone is 410."
    )


@described(
    Operation(
        summary="A window as one MP4",
        description="With `last` the answer leads to the same window by start and end. "
        "Content-Location is a URL of exactly these bytes that needs no token. HEAD too.",
        query=ReplayQuery,
        answers={
            HTTPStatus.OK: Answer(
                "The whole movie.",
                media_type="video/mp4",
                headers={
                    "ETag": "Made of the fragments' ids.",
                    "Content-Location": "A signed URL of exactly these bytes.",
                },
            ),
            HTTPStatus.PARTIAL_CONTENT: Answer("The range asked for.", media_type="video/mp4"),
            HTTPStatus.TEMPORARY_REDIRECT: Answer(
                "The window by start and end.", headers={"Location": "A signed URL."}
            ),
            HTTPStatus.NOT_MODIFIED: Answer("It is what If-None-Match says."),
        },
        problems=[
            NotFound,
            NotPermitted,
            BufferEmpty,
            served_movies.SizesDiffer,
            Gone,
            ranges.PreconditionFailed,
            WindowTooLong,
            ranges.RangeNotSatisfiable,
        ],
        access="token or signature",
    )
)
async def get_replay(request: Request) -> Response:
    """GET, HEAD /buffers/{buffer_id}/replay.mp4"""
    ctx = web_state.of(request).ctx
    replays = web_state.of(request).replays
    now = datetime.now(UTC)
    reader = auth.reader(request, datetime.now(UTC))
    asked = wire.query(request, ReplayQuery, ignore=auth.SIGNATURE_QUERY)
    watch = await watch_of(ctx, reader, request.path_params["buffer_id"], asked, now)
    try:
        planned = await replays.of(watch, now)
    except (BufferEmpty, Invalid) as error:
        if asked.v is None:
            raise
        raise served_movies.gone() from error
    if asked.v not in (None, planned.fingerprint):
        raise served_movies.gone()
    exact = reader.url(
        request.scope["path"],
        start=wire.instant(planned.watch.start),
        end=wire.instant(planned.watch.end),
        v=planned.fingerprint,
    )
    if asked.last is not None:
        return Response(status_code=HTTPStatus.TEMPORARY_REDIRECT, headers={"Location": exact})
    film = ranges.Representation(
        size_bytes=planned.movie.size_bytes,
        etag=f'"{planned.fingerprint}"',
        media_type="video/mp4",
        headers={
            "Content-Location": exact,
            "Content-Disposition": f'inline; filename="{_name(planned.watch)}"',
        },
    )

    def read(start: int, end: int) -> AsyncIterator[bytes]:
        return byte_streams.from_thread(joining.read(planned.movie, start, end))

    return await ranges.answer(request, film, read)


async def watch_of(
    ctx: Context, reader: Reader, buffer_id: str, asked: WindowQuery, now: datetime
) -> Watch:
    """Whose window of which buffer is meant; `last` is resolved to a start and an end.

    Raises NotFound, NotPermitted, BufferEmpty, Invalid, WindowTooLong.
    """
    if asked.last is None:
        share = None
        if reader.caller is not None:
            share = visibility.share_of(await share_lookup.seen(ctx, reader.caller, buffer_id))
        if asked.start is None or asked.end is None:
            raise Invalid("say which part: last, or both start and end")
        start, end = asked.start, asked.end
    else:
        line = await share_lookup.seen_timeline(ctx, reader, buffer_id, now)
        share = visibility.share_in(line)
        window = windows.resolve(
            line,
            now,
            ctx.settings,
            last=asked.last,
            start=asked.start,
            end=asked.end,
            tail=Tail.SKIP,
        )
        start, end = window.start, window.end
    if share is not None:
        await share_lookup.check_window(ctx, reader, share, start, end)
    return Watch(reader.holder, buffer_id, served_movies.cut(start), served_movies.cut(end))


def _name(watch: Watch) -> str:
    return f"replay-{watch.start.astimezone(UTC):%Y%m%dT%H%M%SZ}.mp4"


routes: list[BaseRoute] = [Route("/buffers/{buffer_id}/replay.mp4", get_replay, methods=["GET"])]

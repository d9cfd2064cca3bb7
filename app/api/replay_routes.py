"""A window of a buffer as one MP4 that is never written: /buffers/{id}/replay.mp4."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC
from http import HTTPStatus
from typing import Annotated

from pydantic import Field
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from app.access import visibility
from app.api import auth, byte_streams, ranges, share_lookup
from app.api.auth import Reader
from app.api.call import Call
from app.api.operation import Answer, endpoint
from app.api.share_lookup import WindowQuery
from app.api.token_buckets import Cost
from app.errors import BufferEmpty, Gone, Invalid, NotFound, NotPermitted, WindowTooLong
from app.media import movie_bytes
from app.viewing import served_movies, witness_view
from app.viewing.watched_windows import Watch, Watcher


class ReplayQuery(WindowQuery):
    """The window, and optionally what it must still be made of."""

    v: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None = Field(
        None,
        description="The version that a URL of ours stands for; gone is 410.",
        examples=["0123456789abcdef0123456789abcdef"],
    )


@endpoint(
    "GET /buffers/{buffer_id}/replay.mp4",
    "A window as one MP4",
    description="With `last` the answer leads to the same window by start and end. "
    "Content-Location is a URL of exactly these bytes that needs no token. HEAD too.",
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
        served_movies.PictureSizesDiffer,
        Gone,
        *ranges.PROBLEMS,
        WindowTooLong,
    ],
    access="token or signature",
    cost=Cost.MEDIA,
)
async def get_buffer_replay(call: Call[ReplayQuery]) -> Response:
    """Serves a window of a buffer as one movie, all of it or a range."""
    version = call.input.v
    watch, reader = await watch_of(call)
    try:
        planned = await call.state.replays.of(watch, call.now)
    except (BufferEmpty, Invalid) as error:
        if version is None:
            raise
        raise served_movies.gone() from error
    if version not in (None, planned.fingerprint):
        raise served_movies.gone()
    shown = planned.watch
    exact = call.beside(
        reader.url(
            f"/buffers/{call.path['buffer_id']}/replay.mp4",
            **share_lookup.query_of(shown.pieces or ((shown.start, shown.end),)),
            v=planned.fingerprint,
        )
    )
    if call.input.last is not None:
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
        return byte_streams.from_thread(movie_bytes.read(planned.movie, start, end))

    answer = await ranges.answer(call.request, film, read)
    if call.is_signed or not isinstance(answer, StreamingResponse):
        return answer
    # With a token, too, it ends by what ends URLs of the share.
    return auth.watched(call.state, reader, answer)


async def watch_of(call: Call[ReplayQuery]) -> tuple[Watch, Reader]:
    """Whose window of which buffer is meant, and for whom URLs of it are made.

    `last` is resolved to a start and an end.

    Raises NotFound, NotPermitted, BufferEmpty, Invalid, WindowTooLong.
    """
    buffer_id = call.path["buffer_id"]
    watcher = Watcher(call.reader.holder, call.address if call.is_signed else "")
    if call.input.last is not None:
        line = await share_lookup.seen_timeline(call)
        permit = await share_lookup.permitted(call, visibility.share_in(line))
        window = share_lookup.resolved(call, line, permit)
        watch = served_movies.named(watcher, buffer_id, window.start, window.end, window.stays)
        return watch, await share_lookup.reader_of(call, line.identity)
    start, end = call.input.start, call.input.end
    if call.reader.caller is None:
        reader, permit = call.reader, share_lookup.signed(call)
    else:
        share = visibility.share_of(await share_lookup.seen(call, buffer_id))
        permit = await share_lookup.permitted(call, share)
        reader = await share_lookup.reader_of(call, share.identity)
    if start is None or end is None:
        raise Invalid("say which part: last, or both start and end")
    pieces = permit.of(start, end)
    if not pieces:
        raise witness_view.refusal(start, end)
    return served_movies.named(watcher, buffer_id, start, end, pieces), reader


def _name(watch: Watch) -> str:
    return f"replay-{watch.start.astimezone(UTC):%Y%m%dT%H%M%SZ}.mp4"


routes: list[BaseRoute] = [get_buffer_replay]

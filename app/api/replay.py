"""A window of a buffer as one MP4 that is never written: /buffers/{id}/replay.mp4."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.api import auth, buffers, ranges, streams, wire
from app.api.auth import Reader
from app.api.openapi import Answer, Operation, described
from app.buffer import timeline, watched, windows
from app.buffer.watched import Watch
from app.buffer.windows import Stretch, Window
from app.clips import sources
from app.clips.failures import SegmentChanged
from app.clips.requests import Instant, Seconds
from app.context import Context
from app.errors import BufferEmpty, Gone, Invalid, NotFound, ReplayError, WindowTooLong
from app.media import joining, movie
from app.media.movie import Movie
from app.media.runs import Incompatible, NothingToShow
from app.store import Row

KEPT_MOVIES = 16
"""Planned movies that a process keeps at hand: about 1 MB for 10 minutes at 60 frames a second."""


class SizesDiffer(ReplayError):
    slug, status, title = "sizes-differ", 409, "The picture's size changed within the window"


class WindowQuery(wire.Asked):
    """Which part of the buffer: `last` seconds, or from `start` to `end`."""

    last: Annotated[Seconds, Field(gt=0)] | None = None
    start: Instant | None = None
    end: Instant | None = None


class ReplayQuery(WindowQuery):
    """The window, and optionally what it must still be made of."""

    v: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None = Field(
        None, description="The version that a URL of ours stands for; gone is 410."
    )


@dataclass(frozen=True)
class Planned:
    """A window's movie. Up to `kept_until` its fragments are pinned without asking again."""

    watch: Watch
    movie: Movie
    fingerprint: str
    kept_until: datetime


class Replays:
    """The movies that this process has planned of late."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._planned: OrderedDict[str, Planned] = OrderedDict()

    async def of(self, watch: Watch, now: datetime) -> Planned:
        """The movie of a window, or of the part of it that can be had, pinned.

        Raises Gone, BufferEmpty, Invalid, WindowTooLong, SizesDiffer.
        """
        known = self._planned.get(watch.owner)
        if known is None or known.kept_until <= now:
            known = await self._renewed(watch, known, now)
            self._planned[known.watch.owner] = known
        self._planned.move_to_end(known.watch.owner)
        while len(self._planned) > KEPT_MOVIES:
            self._planned.popitem(last=False)
        await asyncio.to_thread(_check, known.movie)
        return known

    async def _renewed(self, watch: Watch, known: Planned | None, now: datetime) -> Planned:
        spans = await watched.renew(self.ctx.store, watch, now)
        if not spans:
            window = await self._window(watch, now)
            # Named by what it holds: asked for again, more of the rest may be there.
            watch = replace(watch, start=_cut(window.start), end=_cut(window.end))
            spans = window.spans
            await watched.begin(self.ctx.store, watch, spans, now)
        rows = await sources.rows_of(self.ctx, spans)
        sessions = await sources.sessions_of(self.ctx, spans)
        kept = [(span, each) for span, each in zip(spans, rows, strict=True) if each]
        if not kept or not {span["session_id"] for span, _ in kept} <= sessions.keys():
            raise _gone()
        kept_until = now + watched.RENEW
        made_of = _fingerprint(kept, sessions)
        if known is not None and known.fingerprint == made_of:
            return replace(known, kept_until=kept_until)
        root = self.ctx.settings.media_root
        made = await asyncio.to_thread(_plan, root, kept, sessions)
        return Planned(watch, made, made_of, kept_until)

    async def _window(self, watch: Watch, now: datetime) -> Window:
        settings = self.ctx.settings
        line = await timeline.read(self.ctx.store, watch.buffer_id, now, settings)
        if line is None:
            raise Gone("nothing is kept of this share any more")
        oldest = line.oldest or timeline.offered_from(now, settings)
        if watch.start < watch.end <= oldest and watch.end > line.since:
            raise Gone(f"the buffer begins at {wire.instant(oldest)}, after the window's end")
        return windows.resolve(line, now, settings, start=watch.start, end=watch.end, tail="skip")


Kept = list[tuple[Stretch, list[Row]]]
"""The spans of a window, each with its segments' rows; spans without any are left out."""


def _fingerprint(kept: Kept, sessions: dict[str, Row]) -> str:
    """32 hex digits that are others as soon as the movie would be another."""
    digest = hashlib.sha256()
    for span, rows in kept:
        clock_ns = sessions[span["session_id"]]["clock_ns"]
        segments = [(row["_id"], row["size_bytes"]) for row in rows]
        digest.update(repr((sorted(span.items()), clock_ns, segments)).encode())
    return digest.hexdigest()[:32]


def _plan(root: Path, kept: Kept, sessions: dict[str, Row]) -> Movie:
    spans, rows = zip(*kept, strict=True)
    try:
        return movie.plan(sources.runs_of(root, sessions, spans, rows, "skip"))
    except (SegmentChanged, NothingToShow) as error:
        raise _gone() from error
    except Incompatible as error:
        first, last = error.widest[0], error.widest[-1]
        raise SizesDiffer(
            f"{error}: ask for the part from start to end, in which it does not change",
            start=wire.instant(first.wall_clock(first.start_ticks)),
            end=wire.instant(last.wall_clock(last.end_ticks)),
        ) from error


def _check(planned: Movie) -> None:
    """Raises Gone if a fragment is missing: cheaper to say now than in the middle of the answer."""
    for source in planned.sources:
        try:
            size = Path(source.path).stat().st_size
        except FileNotFoundError:
            size = -1
        if size != source.size_bytes:
            raise _gone()


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
            BufferEmpty,
            SizesDiffer,
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
    ctx: Context = request.app.state.ctx
    replays: Replays = request.app.state.replays
    now = datetime.now(UTC)
    reader = auth.reader(request)
    asked = wire.query(request, ReplayQuery, ignore=auth.SIGNATURE_QUERY)
    watch = await watch_of(ctx, reader, request.path_params["buffer_id"], asked, now)
    try:
        planned = await replays.of(watch, now)
    except (BufferEmpty, Invalid) as error:
        if asked.v is None:
            raise
        raise _gone() from error
    if asked.v not in (None, planned.fingerprint):
        raise _gone()
    exact = reader.url(
        request.scope["path"],
        start=wire.instant(planned.watch.start),
        end=wire.instant(planned.watch.end),
        v=planned.fingerprint,
    )
    if asked.last is not None:
        return Response(status_code=HTTPStatus.TEMPORARY_REDIRECT, headers={"Location": exact})
    served = ranges.Representation(
        size_bytes=planned.movie.size_bytes,
        etag=f'"{planned.fingerprint}"',
        media_type="video/mp4",
        headers={
            "Content-Location": exact,
            "Content-Disposition": f'inline; filename="{_name(planned.watch)}"',
        },
    )

    def read(start: int, end: int) -> AsyncIterator[bytes]:
        return streams.from_thread(joining.read(planned.movie, start, end))

    return await ranges.answer(request, served, read)


async def watch_of(
    ctx: Context, reader: Reader, buffer_id: str, asked: WindowQuery, now: datetime
) -> Watch:
    """Whose window of which buffer is meant; `last` is resolved to a start and an end.

    Raises NotFound, BufferEmpty, Invalid, WindowTooLong.
    """
    if reader.caller is not None:
        await buffers.seen(ctx, reader.caller, buffer_id)
    if asked.last is None:
        if asked.start is None or asked.end is None:
            raise Invalid("say which part: last, or both start and end")
        return Watch(reader.holder, buffer_id, _cut(asked.start), _cut(asked.end))
    line = await timeline.read(ctx.store, buffer_id, now, ctx.settings)
    if line is None:
        raise Gone("nothing is kept of this share any more")
    window = windows.resolve(
        line, now, ctx.settings, last=asked.last, start=asked.start, end=asked.end, tail="skip"
    )
    return Watch(reader.holder, buffer_id, _cut(window.start), _cut(window.end))


def _cut(instant: datetime) -> datetime:
    """To the millisecond, as URLs and rows tell it."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def _gone() -> Gone:
    return Gone("the media of this window is not kept any more, or not all of it: ask again")


def _name(watch: Watch) -> str:
    return f"replay-{watch.start.astimezone(UTC):%Y%m%dT%H%M%SZ}.mp4"


routes: list[BaseRoute] = [Route("/buffers/{buffer_id}/replay.mp4", get_replay, methods=["GET"])]

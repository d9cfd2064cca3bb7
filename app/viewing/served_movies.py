"""Windows served as movies that are never written: planned, pinned, cached for a while."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.buffer import erased_segments, retention_period
from app.context import Context
from app.errors import Gone, ReplayError, TooManyRequests
from app.lru_cache import LruCache
from app.media import movie
from app.media.movie import Movie
from app.media.runs import Incompatible, NothingToShow, was_altered
from app.models import Gaps, MediaRange, SegmentRow, SessionRow, Tail, instants
from app.models.intervals import Interval
from app.viewing import fragment_sources, stored_timelines, timeline, watched_windows, windows
from app.viewing.fragment_sources import SegmentChanged
from app.viewing.watched_windows import Watch, Watcher
from app.viewing.windows import Window
from app.work.turns import Turns

CACHED_MOVIES = 16
"""Planned movies that a process caches: about 1 MB for 10 minutes at 60 frames a second."""
WAITING = 32
"""Requests of one watcher that wait for a movie to be planned: players ask for several ranges."""
_RETRY_SECONDS = 1


class PictureSizesDiffer(ReplayError):
    slug, status, title = "sizes-differ", 409, "Picture size changes within the window"


@dataclass(frozen=True)
class Planned:
    """A window's movie. Up to `kept_until` its fragments are certainly pinned.

    `segments`: when each of those that it is made of begins and ends.
    """

    watch: Watch
    movie: Movie
    fingerprint: str
    kept_until: datetime
    segments: tuple[Interval, ...]


class Replays:
    """The movies that this process has planned lately."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._planned = LruCache[Planned](CACHED_MOVIES)
        self._movies = LruCache[Movie](CACHED_MOVIES)
        """By fingerprint: one for all who watch the same."""
        self._turns = Turns()

    async def of(self, watch: Watch, now: datetime) -> Planned:
        """The movie of a window, or of the part of it that can be had, pinned.

        One is planned at a time, watchers in turn. Raises Gone, BufferEmpty, Invalid,
        WindowTooLong, PictureSizesDiffer, TooManyRequests if the watcher waits for too many.
        """
        known = self._planned.get(watch.owner)
        if known is None or known.kept_until <= now or await self._is_erased(known):
            known = await self._renewed(watch, now)
        await asyncio.to_thread(_check, known.movie)
        return known

    async def _is_erased(self, known: Planned) -> bool:
        buffer_id = known.watch.buffer_id
        return await erased_segments.any_of(self.ctx.store, buffer_id, known.segments)

    async def _renewed(self, watch: Watch, now: datetime) -> Planned:
        store = self.ctx.store
        retention = await retention_period.of_buffer(store, self.ctx.settings, watch.buffer_id)
        until = watched_windows.lease_end(watch, now, retention)
        ranges = await watched_windows.renew(store, watch, now, until)
        if not ranges:
            window = await self._window(watch, now)
            # Named by what it holds: asked for again, more of the rest may be there.
            watch = named(watch.watcher, watch.buffer_id, window.start, window.end, window.stays)
            ranges = window.ranges
            until = watched_windows.lease_end(watch, now, retention)
            await watched_windows.begin(store, watch, ranges, until)
        rows = await fragment_sources.rows_of(self.ctx, ranges)
        sessions = await fragment_sources.sessions_of(self.ctx, ranges)
        media = [(range_, each) for range_, each in zip(ranges, rows, strict=True) if each]
        if not media or not {range_["session_id"] for range_, _ in media} <= sessions.keys():
            raise gone()
        kept_until = min(now + watched_windows.RENEW, until)
        made_of = _fingerprint(media, sessions)
        root = self.ctx.settings.media_root
        watcher = str(watch.watcher)
        waiting = self._turns.waiting(watcher)
        if waiting >= WAITING:
            raise TooManyRequests(
                f"{waiting} movies wait to be prepared for you: ask again when you have them",
                retry_after=_RETRY_SECONDS,
                limit=WAITING,
            )
        async with self._turns.turn(watcher):
            made = self._movies.get(made_of)  # perhaps planned while this one waited
            if made is None:
                made = await asyncio.to_thread(_plan, root, media, sessions)
                self._movies.put(made_of, made)
        segments = tuple((row["start"], row["end"]) for _, each in media for row in each)
        planned = Planned(watch, made, made_of, kept_until, segments)
        self._planned.put(watch.owner, planned)
        return planned

    async def _window(self, watch: Watch, now: datetime) -> Window:
        settings = self.ctx.settings
        line = await stored_timelines.read(self.ctx.store, watch.buffer_id, now, settings)
        if line is None:
            raise Gone("nothing is kept of this share any more")
        oldest = line.oldest or timeline.offered_from(now, settings)
        windows.refuse_gone(line, watch.start, watch.end, oldest)
        return windows.resolve(
            line,
            now,
            settings,
            start=watch.start,
            end=watch.end,
            tail=Tail.SKIP,
            stays=watch.pieces or None,
        )


def named(
    watcher: Watcher,
    buffer_id: str,
    start: datetime,
    end: datetime,
    pieces: Sequence[Interval] | None,
) -> Watch:
    """The watch of a window, or of its pieces, at least one: to the millisecond, as in URLs."""
    exact = [(to_milliseconds(a), to_milliseconds(b)) for a, b in pieces or ((start, end),)]
    several = tuple(exact) if len(exact) > 1 else ()
    return Watch(watcher, buffer_id, exact[0][0], exact[-1][1], several)


SpanSegments = list[tuple[MediaRange, list[SegmentRow]]]
"""The ranges of a window, each with its segments' rows; ranges without any are left out."""


def _fingerprint(media: SpanSegments, sessions: dict[str, SessionRow]) -> str:
    """32 hex digits that differ as soon as the movie would be another."""
    digest = hashlib.sha256()
    for range_, rows in media:
        clock_ns = sessions[range_["session_id"]]["clock_ns"]
        segments = [(row["_id"], row["size_bytes"]) for row in rows]
        digest.update(repr((sorted(range_.items()), clock_ns, segments)).encode())
    return digest.hexdigest()[:32]


def _plan(root: Path, media: SpanSegments, sessions: dict[str, SessionRow]) -> Movie:
    ranges, rows = zip(*media, strict=True)
    try:
        return movie.plan(fragment_sources.runs_of(root, sessions, ranges, rows, Gaps.SKIP))
    except (SegmentChanged, NothingToShow) as error:
        raise gone() from error
    except Incompatible as error:
        first, last = error.widest[0], error.widest[-1]
        raise PictureSizesDiffer(
            f"{error}: ask for the part from start to end, in which it does not change",
            start=instants.written(first.wall_clock(first.start_ticks)),
            end=instants.written(last.wall_clock(last.end_ticks)),
        ) from error


def _check(planned: Movie) -> None:
    """Raises Gone if a fragment is missing or another one.

    It is better to say so now than to break off in the middle of the answer.
    """
    for source in planned.sources:
        try:
            found = os.stat(source.path)  # noqa: PTH116 - hundreds of them: half the time
        except FileNotFoundError as error:
            raise gone() from error
        altered = was_altered(source.modified_ns, found.st_mtime_ns)
        if altered or found.st_size != source.size_bytes:
            raise gone()


def to_milliseconds(instant: datetime) -> datetime:
    """To the millisecond, as in URLs and rows."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def gone() -> Gone:
    """The error of a window that can't be had as it was."""
    return Gone("the media of this window is not kept any more, or not all of it: ask again")

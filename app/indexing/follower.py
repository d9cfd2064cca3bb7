"""One session being indexed: from its playlists' lines to its rows, strictly in order.

    a line names a segment → its fragment is made → its row is inserted → its `.ts` is unlinked

Each step may be repeated after a crash: a fragment without a row is written again, a `.ts` with a
row and a whole fragment is unlinked.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from pymongo.errors import PyMongoError

from app import metrics
from app.buffer import clock, summary
from app.buffer.coverage import Coverage, run_of
from app.buffer.paths import segment_id
from app.buffer.retention_period import retention
from app.indexing import backlog, fragment_files, session_leases
from app.indexing.backlog import Listing
from app.indexing.egress_pace import EgressPace
from app.indexing.indexed_files import IndexedFiles
from app.indexing.look_times import LookTimes
from app.indexing.playlist import Entry
from app.indexing.playlist_times import Before
from app.indexing.row_writer import Unwritable
from app.indexing.segment_rows import SegmentMaker, Tools
from app.media.continuity import Continuity
from app.models import FaultSlug, SegmentRow, SegmentState, SessionRow
from app.models.instants import EPOCH
from app.models.metric_words import ErrorKind
from app.models.schema import Buffer, Segment
from app.storage.egress_store import NEVER, Stamp
from app.storage.instance import require

_LATE_SECONDS = 1.0
"""A segment may be so late; one that is longer than was asked for (3.2 s for 2) costs a look."""
_SLOW_CAPTURE = timedelta(minutes=5)
_SHORTEST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 5.0
_COSTLY_LOOK_SECONDS = 0.02
_REST_FACTOR = 20
"""A costly look is followed by a rest, so many times as long: it takes nobody else's turn."""

log = structlog.get_logger()


class Follower:
    """Follows one leased session until it is read to its end, or cancelled."""

    def __init__(self, tools: Tools, session: SessionRow) -> None:
        self.maker = SegmentMaker(tools, session)
        self._note(session)
        self.pace = EgressPace(tools.ctx, session)
        self.seen: Stamp = NEVER
        """The stamp of live.m3u8 when it was last read."""
        self.busy = True
        """Whether it is at work, not waiting for a poke."""
        self._tools = tools
        self._store = tools.ctx.store
        self._wake = asyncio.Event()
        self._coverage = Coverage()
        self._floor = 0
        self._full_until = -1
        self._tail = 0
        self._newest_at: datetime | None = None
        self._written_at = EPOCH
        self._heard_at = time.monotonic()
        """When something was seen to have been written, or to be about to be."""
        self._looks = LookTimes()
        self._look_seconds = 0.0
        """What the last look at the playlists cost of a processor."""
        self._continuity: Continuity | None = None
        self._retention = tools.ctx.settings.retention
        self._said: set[str] = set()
        self._indexed = IndexedFiles(self.maker.written, self._say_once)
        self._log = log.bind(
            room=session["room"], identity=session["identity"], session=session["_id"]
        )

    def poke(self) -> None:
        """Something in the session's folder may have changed."""
        self.busy = True
        self._wake.set()

    @property
    def is_overdue(self) -> bool:
        """Whether its egress should have written by now. One that is at work does not know."""
        unheard_seconds = time.monotonic() - self._heard_at
        return self._records and not self.busy and unheard_seconds > self._longest_seconds

    def update(self, session: SessionRow) -> None:
        """The session's row was read again."""
        if session["active_at"] != self.session["active_at"]:
            self._heard_at = time.monotonic()
        self._note(session)
        self.maker.clock.update(session)
        if session["ended_at"] is not None:
            self.poke()

    def _note(self, session: SessionRow) -> None:
        """Takes over what the row says, if all of it is there: it may have been altered."""
        self._longest_seconds = session["segment_seconds"] + _LATE_SECONDS
        self._records = session["active_at"] is not None and session["ended_at"] is None
        self.session = session

    async def run(self) -> None:
        """Works until the session is read to its end. Waits while store or disk are away."""
        pause = _SHORTEST_PAUSE_SECONDS
        opened = False
        while True:
            try:
                if not opened:
                    await self._open()
                    opened = True
                if await self._pass():
                    await self.write_summary()
                    await session_leases.close(self._store, self.session["_id"], self._tools.name)
                    self._log.info("session_indexed", segments=self._coverage.last + 1)
                    return
            except (PyMongoError, OSError) as error:
                self.pace.lost()
                self._say_once(f"indexing_waits:{type(error).__name__}", error=str(error))
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                continue
            pause = _SHORTEST_PAUSE_SECONDS
            if self._look_seconds > _COSTLY_LOOK_SECONDS:
                await asyncio.sleep(min(_REST_FACTOR * self._look_seconds, _LONGEST_PAUSE_SECONDS))
            self.busy = False
            await self._woken()
            self._wake.clear()
            self.busy = True

    async def _woken(self) -> None:
        """Waits for a poke, or for the next look, where nothing tells of changes."""
        at = self._looks.next_at(self.session["segment_seconds"])
        is_told = self._tools.ctx.egress.is_file_system
        with suppress(TimeoutError):
            async with asyncio.timeout(None if is_told else at - time.monotonic()):
                await self._wake.wait()

    async def write_summary(self) -> None:
        """Writes what is indexed, if it is not written yet."""
        if self._tail:
            before = self._coverage.end_ticks - clock.ticks(self._retention + _SLOW_CAPTURE)
            self._floor = max(self._floor, self._coverage.trim(before))
            await summary.write(
                self._store, self.session["_id"], self._coverage, self._floor, self._newest_at
            )
            self._tail = 0

    async def _open(self) -> None:
        """Goes on where the last indexer left the session."""
        ctx = self._tools.ctx
        await ctx.require_media_root()
        async with self._tools.openings:
            buffer = await self._store.rows(Buffer).find_one({"_id": self.session["buffer_id"]})
            community = [buffer["community"]] if buffer else []
            self._retention = (await retention(self._store, ctx.settings, community)).longest
            known = await summary.stored(self._store, self.session["_id"])
            rows = await summary.tail(self._store, self.session["_id"], known.get("through", -1))
            self._coverage = Coverage.read(known.get("runs", []))
            self._floor, self._newest_at = known.get("floor", 0), known.get("newest_at")
            for row in rows:
                self._coverage.add(run_of(row))
                self._newest_at = row["indexed_at"]
            self._tail = len(rows)
            self.maker.go_on_from(self._coverage)
            self._continuity = await self.maker.continuity_before(self._coverage.last + 1)
            await self._tools.packer.begin(self.session)
        await self._finish_what_was_begun()

    async def _finish_what_was_begun(self) -> None:
        """Finishes each `.ts` that is still there although it is indexed."""
        left = await self._tools.thread(backlog.segments_on_disk, self.maker.written)
        if not left:
            return
        listing = await self._look(thoroughly=True)
        self._written_at = listing.stamp.written_at(datetime.now(UTC))
        for entry in listing.entries:
            if entry.name not in left or entry.sequence not in self._coverage:
                continue
            row = await self._store.rows(Segment).find_one(
                {"_id": segment_id(self.session["_id"], entry.sequence)}
            )
            if row is None:
                await self._index(entry)
            elif row["state"] == SegmentState.QUARANTINED and row["fault"] != FaultSlug.DELETED:
                continue
            elif await self._tools.thread(fragment_files.is_settled, self.maker.folder, row):
                await self._tools.thread(self._indexed.remove, entry.name)
            else:
                await self._make_again(entry, row)

    async def _make_again(self, entry: Entry, row: SegmentRow) -> None:
        """Makes a fragment again that a power cut took. Its row and its `.ts` are still there."""
        previous = await self.maker.continuity_before(entry.sequence)
        before = Before(previous, row["start_ticks"], adjoins=True)
        made = await self.maker.make(entry, before, row["indexed_at"])
        stands = await self.maker.replace(row, made.row)
        if not stands or made.continuity is not None:
            await self._tools.thread(self._indexed.remove, entry.name)

    async def _pass(self) -> bool:
        """Indexes what is listed and not indexed yet. Returns whether nothing more will come."""
        began = time.monotonic()
        listing = await self._look(thoroughly=self.session["ended_at"] is not None)
        if self._indexed.left:
            await self._tools.thread(self._indexed.remove_left)
        if listing.stamp != self.seen:
            self._written_at = listing.stamp.written_at(datetime.now(UTC))
            self._heard_at = time.monotonic()
        now = datetime.now(UTC)
        oldest = now - self._retention
        last = self.maker.last_sequence(now)
        for entry in listing.entries:
            if entry.sequence < self._floor or entry.sequence in self._coverage:
                continue
            if entry.sequence > last:
                self._say_once("segments_too_many", sequence=entry.sequence, last_possible=last)
                break
            told, written = backlog.is_told_over(entry, oldest), self.maker.written
            if told and await self._tools.thread(backlog.is_over, written, entry, oldest):
                # too old to be offered; listed for hours to come
                await self._tools.thread(self._indexed.remove, entry.name)
                if entry.sequence > self._coverage.last:
                    self._floor = entry.sequence + 1
            else:
                await self._index(entry)
        self._full_until = max(self._full_until, listing.full_until)
        self.seen = listing.stamp
        await self.pace.looked(self.session, began)
        return listing.ended or backlog.is_quiet(self.session["ended_at"], self._written_at, now)

    async def _look(self, *, thoroughly: bool) -> Listing:
        began = time.monotonic()
        listing, self._look_seconds = await self._tools.thread(self._costed_look, thoroughly)
        self._looks.note(began, listing.stamp)
        for line in listing.refused:
            self._say_once("playlist_line_refused", line=line)
        for name, reason in listing.unread.items():
            self._say_once(f"playlist_refused:{name}", error=reason)
        if listing.disagreement:
            self._say_once("playlists_disagree", detail=listing.disagreement)
        return listing

    def _costed_look(self, thoroughly: bool) -> tuple[Listing, float]:
        # Of a disk that is away nothing is concluded, and nothing written where it should be.
        require(self._tools.ctx.settings.media_root, self._tools.ctx.instance)
        known = self._coverage, self._floor, self._full_until
        return backlog.costed_look(self.maker.written, *known, thoroughly=thoroughly)

    async def _index(self, entry: Entry) -> None:
        late = entry.sequence < self._coverage.last
        previous = await self.maker.continuity_before(entry.sequence) if late else self._continuity
        committed_at = self._written_at
        adjoins = entry.sequence == self._coverage.last + 1
        before = Before(previous, self._coverage.end_ticks, adjoins)
        try:
            made = await self.maker.make(entry, before, committed_at)
        except Unwritable as error:  # it leaves a hole, and its neighbours go on
            metrics.ERRORS.labels(ErrorKind.SEGMENT_UNWRITABLE).inc()
            self._say_once("segment_unwritable", segment=entry.name, error=str(error))
            return
        if late:
            # Readers look for rows above the summary's last one: it is told of before it is there.
            self._cover(made.row)
            await self.write_summary()
        elif self._tail >= summary.TAIL_SEGMENTS - 1:
            await self.write_summary()
        standing = await self._tools.writer.insert(made.row)
        await self.maker.clock.recheck(standing)
        self._cover(standing)
        lag = datetime.now(UTC) - committed_at
        metrics.INDEX_LAG.observe(max(0.0, lag.total_seconds()))
        if not late:
            self.pace.indexed(standing)
            self._tools.packer.note(self.session["_id"], standing)
        if standing is not made.row:
            self._continuity = await self.maker.continuity_before(self._coverage.last + 1)
        elif made.continuity is not None and not late:
            self._continuity = made.continuity
        if standing["state"] != SegmentState.QUARANTINED:
            await self._tools.thread(self._indexed.remove, entry.name)

    def _cover(self, row: SegmentRow) -> None:
        self._coverage.add(run_of(row))
        self._tail += 1
        self._newest_at = row["indexed_at"]

    def _say_once(self, event: str, **details: object) -> None:
        if event not in self._said:
            self._said.add(event)
            self._log.warning(event.partition(":")[0], **details)

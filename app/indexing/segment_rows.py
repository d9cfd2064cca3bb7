"""A committed segment made into its row: with its fragment on disk, or with its fault."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import structlog

from app import metrics
from app.buffer import clock
from app.buffer.coverage import Coverage
from app.buffer.paths import segment_id
from app.buffer.session_folders import folders_of, fragment_path
from app.context import Context
from app.indexing import fragment_files
from app.indexing.packer import Packer
from app.indexing.parser import Parser
from app.indexing.playlist import Entry
from app.indexing.playlist_times import Before, PlaylistTimes
from app.indexing.row_writer import RowWriter, Unwritable, encoded
from app.indexing.session_bounds import SessionBounds
from app.indexing.session_clock import SessionClock
from app.media.continuity import Continuity
from app.media.faults import Fault, Unpreparable
from app.media.timestamp_steps import steps
from app.models import FaultSlug, SegmentRow, SegmentState, SessionRow
from app.models.metric_words import ErrorKind
from app.models.schema import Segment
from app.storage.egress_store import EgressFolder, PlaceAway
from app.storage.foreign import NotRegular
from app.store import row_of

SECOND_LOOK_SECONDS = 1.0
TOLD = 20
"""Lines of one kind in the log for each session."""
_MAY_PASS = frozenset({FaultSlug.EMPTY, FaultSlug.TRUNCATED, FaultSlug.UNREADABLE})
_NEAR = 16
"""The last usable segment is as a rule one of so many; of all, the embedded database reads all."""
_FRESH = timedelta(seconds=10)
"""On a network file system content may arrive after the line that names it, but not much later."""

ThreadArguments = ParamSpec("ThreadArguments")
ThreadOutcome = TypeVar("ThreadOutcome")
log = structlog.get_logger()


@dataclass(frozen=True)
class Tools:
    """What everything within an indexer shares. `name` is the indexer's.

    `threads` are for what is soon done, `syncs` for what waits for the disk. `openings`: places for
    followers that read what is indexed of their session.
    """

    ctx: Context
    name: str
    threads: Executor
    syncs: Executor
    writer: RowWriter
    parser: Parser
    packer: Packer
    openings: asyncio.Semaphore

    async def thread(
        self,
        call: Callable[ThreadArguments, ThreadOutcome],
        *args: ThreadArguments.args,
        **kwargs: ThreadArguments.kwargs,
    ) -> ThreadOutcome:
        """Runs a call that blocks in one of the indexer's threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.threads, lambda: call(*args, **kwargs))


@dataclass(frozen=True, slots=True)
class NewSegment:
    """A segment's row, ready to be inserted; `continuity` for the next one, None after a fault."""

    row: SegmentRow
    continuity: Continuity | None


class SegmentMaker:
    """Makes the rows of one session's segments."""

    def __init__(self, tools: Tools, session: SessionRow) -> None:
        root = tools.ctx.settings.media_root
        self.folder: Path = fragment_path(root, session)
        self.written = folders_of(tools.ctx.egress, session).written
        self.clock = SessionClock(tools.ctx, session)
        self._fragments = fragment_files.FragmentWriter(
            tools.parser,
            tools.threads,
            tools.syncs,
            session["_id"],
            self.written,
            self.folder,
            tools.name,
        )
        self.bounds = SessionBounds(session["segment_seconds"], session["created_at"])
        self._tools = tools
        self._session_id: str = session["_id"]
        self._buffer_id: str = session["buffer_id"]
        self._times = PlaylistTimes()
        self._opened_at, self._reached_ticks, self._reached = time.monotonic(), 0, -1
        self._told: Counter[str] = Counter()

    def go_on_from(self, coverage: Coverage) -> None:
        """What is indexed of the session: it goes on from there."""
        self._opened_at, self._reached = time.monotonic(), coverage.last
        self._reached_ticks = coverage.usable_ticks

    def last_sequence(self, now: datetime) -> int:
        """The highest number that a segment of the session can have by now."""
        return self.bounds.last_sequence(now, self._reached, time.monotonic() - self._opened_at)

    async def make(self, entry: Entry, before: Before, committed_at: datetime) -> NewSegment:
        """Makes a segment's row. A segment that can't be used is quarantined.

        `committed_at`: when a playlist named the segment. Raises OSError if nothing can be written,
        Unwritable if not even the row of a segment that can't be used can be.
        """
        try:
            return await self._usable(entry, before, committed_at)
        except Unpreparable as error:
            return NewSegment(await self._faulty(entry, error, before, committed_at), None)
        except Unwritable as error:
            fault = Unpreparable(entry.name, [Fault(FaultSlug.CORRUPT, str(error))])
            return NewSegment(await self._faulty(entry, fault, before, committed_at), None)

    async def _usable(self, entry: Entry, before: Before, committed_at: datetime) -> NewSegment:
        self.bounds.check(entry)
        fragment = await self._fragment(entry, before, committed_at)
        parsed = fragment.parsed
        init, samples = parsed.init, parsed.samples
        self._times.note(entry, samples.first_pts)
        if stepped := steps(before.previous, parsed.continuity):
            self._tell("timestamps_stepped", segment=entry.name, **stepped)
        row = await self._row(
            entry,
            fragment.name,
            samples.first_pts,
            samples.end_pts,
            committed_at,
            size_bytes=parsed.size_bytes,
            modified_ns=fragment.modified_ns,
            payload_offset=parsed.payload_offset,
            init_id=init.id,
            audio=samples.audio,
            frames=len(samples.sizes),
            width=init.width,
            height=init.height,
            samples=samples.pack(),
            levels=parsed.levels,
        )
        return NewSegment(row, parsed.continuity)

    async def replace(self, row: SegmentRow, made: SegmentRow) -> bool:
        """Puts the row of a segment that was made again in place of its former one.

        False if that was deleted by its sharer meanwhile: then its fragment goes again.
        """
        same = {"_id": row["_id"], "fault": None}
        replaced = await self._tools.ctx.store.rows(Segment).replace_one(same, made)
        if not replaced.matched_count:
            await self._tools.thread(fragment_files.remove, self.folder, row)
        return bool(replaced.matched_count)

    async def continuity_before(self, sequence: int) -> Continuity | None:
        """Where the session's media stood before a segment, from the last usable row before it."""
        rows = self._tools.ctx.store.rows(Segment)
        for lowest in dict.fromkeys((max(0, sequence - _NEAR), 0)):
            among = {"$gte": lowest, "$lt": sequence}
            query = {"session_id": self._session_id, "sequence": among, "fault": None}
            async for row in rows.find(query).sort("sequence", -1).limit(1):
                try:
                    return await self._tools.thread(fragment_files.continuity, self.folder, row)
                except ValueError as error:  # an init segment or a table that is not ours any more
                    self._tell("continuity_lost", error=str(error))
                    return None
        return None

    async def _fragment(
        self, entry: Entry, before: Before, committed_at: datetime
    ) -> fragment_files.Fragment:
        try:
            return await self._make_fragment(entry, before)
        except Unpreparable as error:
            if error.slug not in _MAY_PASS or datetime.now(UTC) - committed_at > _FRESH:
                raise
        await asyncio.sleep(SECOND_LOOK_SECONDS)
        return await self._make_fragment(entry, before)

    async def _make_fragment(self, entry: Entry, before: Before) -> fragment_files.Fragment:
        latest, expected = self._latest_ticks(), self._times.expected(entry, before)
        return await self._fragments.make(
            entry, before.previous, latest_ticks=latest, expected_ticks=expected
        )

    def _latest_ticks(self) -> int:
        since_seconds = time.monotonic() - self._opened_at
        return self.bounds.latest_ticks(datetime.now(UTC), self._reached_ticks, since_seconds)

    async def _faulty(
        self, entry: Entry, error: Unpreparable, before: Before, committed_at: datetime
    ) -> SegmentRow:
        """The row of a segment that can't be used: where its media would be, and why it isn't."""
        expected = self._times.expected(entry, before)
        begins = before.end_ticks if expected is None else expected
        start_ticks, end_ticks = self.bounds.gap(entry, begins, self._latest_ticks())
        fault = error.slug
        name = entry.name
        try:
            name = await self._tools.thread(fragment_files.quarantine, self.written, entry.name)
        except FileNotFoundError:
            fault = FaultSlug.MISSING
        except PlaceAway:
            raise
        except OSError as refused:
            self._tell("quarantine_stays", error=str(refused))
        metrics.ERRORS.labels(ErrorKind.of_fault(fault)).inc()
        self._tell(
            "segment_quarantined",
            segment=entry.name,
            sequence=entry.sequence,
            fault=fault,
            detail="; ".join(each.detail for each in error.faults),
        )
        return await self._row(
            entry,
            name,
            start_ticks,
            end_ticks,
            committed_at,
            size_bytes=await self._tools.thread(_size, self.written, name),
            state=SegmentState.QUARANTINED,
            fault=fault,
        )

    def _tell(self, event: str, **details: object) -> None:
        """Logs the first TOLD of a kind: whoever writes a session's files may go on for hours."""
        self._told[event] += 1
        if (told := self._told[event]) <= TOLD:
            more = {"others": "are not told"} if told == TOLD else {}
            log.warning(event, session=self._session_id, **details, **more)

    async def _row(
        self,
        entry: Entry,
        name: str,
        start_ticks: int,
        end_ticks: int,
        committed_at: datetime,
        **media: Any,
    ) -> SegmentRow:
        clock_ns = await self.clock.of(entry, start_ticks, committed_at)
        try:
            row = row_of(
                Segment(
                    id=segment_id(self._session_id, entry.sequence),
                    session_id=self._session_id,
                    buffer_id=self._buffer_id,
                    sequence=entry.sequence,
                    name=name,
                    start=clock.wall(clock_ns, start_ticks),
                    end=clock.wall(clock_ns, end_ticks),
                    start_ticks=start_ticks,
                    end_ticks=end_ticks,
                    extinf_seconds=entry.seconds,
                    indexed_at=datetime.now(UTC),
                    **media,
                )
            )
            encoded(row)
        except (ValueError, OverflowError) as error:
            raise Unwritable(f"segment {entry.sequence} has no row: {error}") from error
        return row


def _size(written: EgressFolder, name: str) -> int:
    try:
        return written.stamp(name).size_bytes
    except (FileNotFoundError, NotRegular):
        return 0

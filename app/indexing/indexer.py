"""The indexer process: follows every session that records, from playlists to rows.

File events wake it up; a scan finds what they miss. Several may run: each session is leased to
one of them at a time.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import structlog
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from app import metrics
from app.buffer.paths import BUFFER_ROOT, FRAGMENTS_ROOT
from app.context import Context
from app.indexing import file_events, session_leases
from app.indexing.backlog import stamp_of
from app.indexing.follower import Follower
from app.indexing.keeping_up import LOOK_SECONDS
from app.indexing.packer import Packer
from app.indexing.parser import Parser
from app.indexing.row_writer import RowWriter
from app.indexing.segment_rows import Tools
from app.models import Indexing, SessionRow
from app.models.metric_words import ErrorKind
from app.models.schema import EgressSession
from app.storage.egress_store import EgressFolder, Stamp
from app.storage.foreign import ForeignFolder
from app.store import chunks
from app.work import errands, rounds

SCAN_SECONDS = 2.0
POLL_SECONDS = 0.2
"""Between looks for sessions; for changes where there are no events. Where there are, some of which
may be lost: LOOK_SECONDS."""
FAR_THREADS = 32
"""Where egress writes in a bucket: they wait for it, and take little of a processor."""
SYNC_THREADS = 32
"""They wait for the disk, and take little of a processor."""
LEASED_AT_ONCE = 20
"""Few enough for another indexer that looks at the same time to get some, too."""
OPENED_AT_ONCE = 8
"""Others have questions for the database, too, when an indexer takes up hundreds of sessions."""
SILENCE_SECONDS = 0.5
PROBE_SECONDS = 10.0
_STOP_SECONDS = 5.0

log = structlog.get_logger()


async def run(ctx: Context) -> None:
    """The process: works until it is cancelled, then gives its sessions back."""
    await Indexer(ctx).run()


class Indexer:
    """One indexer. `name` tells it from others that run at the same time. It closes its parser.

    `scan_seconds`: between two looks for sessions.
    """

    def __init__(
        self, ctx: Context, parser: Parser | None = None, scan_seconds: float = SCAN_SECONDS
    ) -> None:
        self.name = secrets.token_hex(4)
        self._ctx = ctx
        self._scan_seconds = scan_seconds
        self._root = ctx.settings.media_root / BUFFER_ROOT
        self._is_far = not ctx.egress.is_file_system
        threads = FAR_THREADS if self._is_far else (os.cpu_count() or 1) + 2
        self.threads = ThreadPoolExecutor(threads, "indexer")
        self.syncs = ThreadPoolExecutor(SYNC_THREADS, "sync")
        self._parser = parser or Parser()
        self._tools = Tools(
            ctx,
            self.name,
            self.threads,
            self.syncs,
            RowWriter(ctx.store),
            self._parser,
            Packer(ctx, self.threads),
            asyncio.Semaphore(OPENED_AT_ONCE),
        )
        self._followers: dict[str, tuple[Follower, asyncio.Task[None]]] = {}
        self._watch: file_events.FolderWatch | None = None
        self._silence = file_events.Silence()
        self._polling = ctx.settings.watch == "poll"
        self._said_away = False

    async def run(self) -> None:
        """Works until it is cancelled, then gives its sessions back."""
        if not self._is_far:
            self._root.mkdir(parents=True, exist_ok=True)
        # Egress is of our group, and has no business among the fragments.
        fragments = self._ctx.settings.media_root / FRAGMENTS_ROOT
        fragments.mkdir(mode=0o700, exist_ok=True)
        root = str(self._ctx.egress.folder(BUFFER_ROOT))
        log.info("indexer_started", indexer=self.name, root=root)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._tools.writer.run())
                group.create_task(self._tools.packer.run())
                if not (self._polling or self._is_far):
                    group.create_task(self._listen())
                group.create_task(self._heartbeat())
                group.create_task(self._scan())
                group.create_task(self._listen_for_silence())
        finally:
            await self._stop()

    async def _listen(self) -> None:
        """Watches the folders of the sessions that are followed: anew whenever they are others."""
        try:
            while not self._polling:
                held = {name: each[0].maker.written for name, each in self._followers.items()}
                folders = {name: at for name, at in held.items() if isinstance(at, ForeignFolder)}
                watch = await self._tools.thread(file_events.FolderWatch, folders)
                self._watch = watch
                try:
                    for follower in await self._behind():  # of what was before, no event tells
                        follower.poke()
                    async for changed in watch.changed():
                        self._silence.heard(changed)
                        for session_id in changed & self._followers.keys():
                            self._followers[session_id][0].poke()
                finally:
                    watch.close()
        except file_events.EventsUnavailable as error:
            self._poll(str(error))
        finally:
            self._watch = None

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(session_leases.HEARTBEAT_SECONDS)
            try:
                await session_leases.renew(self._ctx.store, self.name, datetime.now(UTC))
            except PyMongoError as error:
                log.warning("leases_not_renewed", indexer=self.name, error=str(error))

    async def _listen_for_silence(self) -> None:
        """Asks whether anybody serves a session that should be recorded and is not."""
        asked_at: dict[str, float] = {}
        while True:
            await asyncio.sleep(SILENCE_SECONDS)
            now = time.monotonic()
            silent = [name for name, held in self._followers.items() if held[0].is_overdue]
            asked_at = {each: asked_at[each] for each in silent if each in asked_at}
            for session_id in silent:
                if now - asked_at.get(session_id, 0.0) > PROBE_SECONDS:
                    asked_at[session_id] = now
                    try:
                        await self._ctx.queue.ask(errands.PROBE, session_id)
                    except RedisError as error:
                        log.warning("probe_not_queued", session=session_id, error=repr(error))

    async def _scan(self) -> None:
        """Looks for sessions now and then, and for changes: often where there are no events."""
        sessions_at = 0.0
        while True:
            if time.monotonic() >= sessions_at:
                sessions_at = time.monotonic() + self._scan_seconds
                try:
                    with rounds.begun("follow_sessions"):
                        await self._look_for_sessions()
                    self._said_away = False
                except PyMongoError as error:
                    if not self._said_away:
                        log.warning("store_does_not_answer", error=str(error))
                    self._said_away = True
                if self._watch is not None and self._watch.sessions != self._followers.keys():
                    self._watch.close()
            if not self._is_far:  # else each follower looks by itself
                await self._look_for_changes()
            await asyncio.sleep(POLL_SECONDS if self._polling else LOOK_SECONDS)

    async def _look_for_sessions(self) -> None:
        now = datetime.now(UTC)
        query = {"indexing": Indexing.LIVE}
        rows = await self._ctx.store.rows(EgressSession).find(query).to_list(None)
        free: list[str] = []
        for row in rows:
            with rounds.item(session=row["_id"]):
                held = self._followers.get(row["_id"])
                if held is None and session_leases.is_free(row, self.name, now):
                    free.append(row["_id"])
                elif held is not None and row["indexer"] != self.name:
                    await self._drop(row["_id"])  # we were away for too long; another has it
                elif held is not None:
                    held[0].update(row)
        for session_id in self._followers.keys() - {row["_id"] for row in rows}:
            await self._drop(session_id)
        for some in chunks(free, LEASED_AT_ONCE):
            await self._take(some)

    async def _look_for_changes(self) -> None:
        watched = frozenset[str]() if self._watch is None else self._watch.sessions
        behind = await self._behind()
        idle = {each.session["_id"] for each in behind if not each.busy}
        for follower in behind:
            follower.poke()
        if not self._polling and self._silence.found(idle & watched, time.monotonic()):
            self._poll("scans find changes that no file event told of")

    async def _behind(self) -> list[Follower]:
        """The followers whose playlist is another one by now."""
        followers = [follower for follower, task in self._followers.values() if not task.done()]
        folders = [follower.maker.written for follower in followers]
        at = time.monotonic()
        stamps = await self._tools.thread(_stamps, folders)
        behind: list[Follower] = []
        for follower, stamp in zip(followers, stamps, strict=True):
            if stamp != follower.seen:
                behind.append(follower)
            else:
                follower.pace.unchanged(at)
        return behind

    def _poll(self, why: str) -> None:
        self._polling = True
        if self._watch is not None:
            self._watch.close()
        log.warning("file_events_silent", indexer=self.name, why=why, poll_seconds=POLL_SECONDS)

    async def _take(self, session_ids: Sequence[str]) -> None:
        now = datetime.now(UTC)
        for row in await session_leases.acquire(self._ctx.store, session_ids, self.name, now):
            with rounds.item(session=row["_id"]):
                self._follow(row)

    def _follow(self, row: SessionRow) -> None:
        session_id = row["_id"]
        try:
            follower = Follower(self._tools, row)
        except ValueError as error:  # the row's folder leads out of the media root
            log.error("session_not_followed", session=session_id, error=str(error))
            return
        if not self._followers:
            self._parser.prepare()  # if it can't start, the first segment says
        task = asyncio.create_task(follower.run(), name=f"follow {session_id}")
        self._followers[session_id] = (follower, task)
        task.add_done_callback(lambda done: self._ended(session_id, done))

    def _ended(self, session_id: str, task: asyncio.Task[None]) -> None:
        held = self._followers.get(session_id)
        if held is not None and held[1] is task:
            del self._followers[session_id]
            self._tools.packer.close(session_id)
        if not task.cancelled() and (error := task.exception()) is not None:
            metrics.ERRORS.labels(ErrorKind.INDEXING_FAILED).inc()
            log.error("indexing_failed", session=session_id, exc_info=error)

    async def _drop(self, session_id: str) -> None:
        held = self._followers.pop(session_id, None)
        if held is not None:
            held[1].cancel()
            await asyncio.wait([held[1]])
            self._tools.packer.close(session_id)

    async def _stop(self) -> None:
        held = dict(self._followers)
        for _, task in held.values():
            task.cancel()
        if held:
            await asyncio.wait([task for _, task in held.values()], timeout=_STOP_SECONDS)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                for follower, _ in held.values():
                    await follower.write_summary()
                await session_leases.release(self._ctx.store, self.name)
        except (PyMongoError, TimeoutError) as error:
            log.warning("leases_not_given_back", indexer=self.name, error=str(error))
        self._parser.close()
        for executor in (self.threads, self.syncs):
            executor.shutdown(wait=True, cancel_futures=True)


def _stamps(folders: list[EgressFolder]) -> list[Stamp]:
    return [stamp_of(folder) for folder in folders]

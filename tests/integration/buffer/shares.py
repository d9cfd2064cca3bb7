"""A share on disk: its rows, its egress, and what became of it."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from app.buffer import paths
from app.context import Context
from app.indexing.indexer import SCAN_SECONDS, Indexer
from app.indexing.parser import Parser
from app.models import SegmentState
from app.models.schema import Buffer, EgressSession, Room, Segment
from tests.egress_on_disk import DiskEgress
from tests.media_factory import Recording
from tests.rows import PartOfRow
from tests.waiting import wait_for

BeginShare = Callable[..., Awaitable["DiskShare"]]


def nanoseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000) * 1_000_000


@dataclass
class DiskShare:
    """One share with one egress session, and its media."""

    ctx: Context
    buffer_id: str
    session_id: str
    start: datetime
    folder: Path
    """What egress has written."""
    fragments: Path
    egress: DiskEgress
    media: Recording

    def commit(self, count: int = 1) -> None:
        """The next `count` segments of the media are written and named."""
        for _ in range(count):
            self.egress.commit(*self.next_segment())

    def next_segment(self) -> tuple[bytes, float]:
        segment = self.media.segments[len(self.egress.lines)]
        return segment.path.read_bytes(), segment.extinf_seconds

    async def rows(self) -> list[PartOfRow]:
        """The session's rows in order."""
        found = self.ctx.store.rows(Segment).find({"session_id": self.session_id})
        return await found.sort("sequence", 1).to_list(None)

    async def indexed(self, count: int) -> list[PartOfRow]:
        """The rows, once there are `count` of them and the indexer has done with each.

        A row is there before its indexer has heard so: who ends the indexer in between finds a
        `.ts` that is left, and a summary without the row.
        """

        rows: list[PartOfRow] = []

        async def enough() -> bool:
            nonlocal rows
            rows = await self.rows()
            usable = [row["sequence"] for row in rows if row["state"] != SegmentState.QUARANTINED]
            left = set(self.uploaded()) & {self.egress.names[each] for each in usable}
            return len(rows) >= count and not left

        try:
            await wait_for(enough, what=f"{count} rows of {self.session_id}")
        except AssertionError as error:
            error.add_note(f"there are {[row['sequence'] for row in rows]}")
            raise
        return rows

    def uploaded(self) -> list[str]:
        """The names of what egress has written that is still there."""
        return [path.name for path in self.folder.iterdir()] if self.folder.exists() else []

    async def session(self) -> PartOfRow:
        row = await self.ctx.store.rows(EgressSession).find_one({"_id": self.session_id})
        assert row is not None
        return row

    async def change(self, **fields: Any) -> None:
        """What the recorder would write into the session's row."""
        sessions = self.ctx.store.rows(EgressSession)
        await sessions.update_one({"_id": self.session_id}, {"$set": fields})

    async def read_to_the_end(self) -> None:
        async def closed() -> bool:
            return (await self.session())["indexing"] is None

        await wait_for(closed)

    def files(self, pattern: str = "*") -> list[str]:
        """The names of the files in both folders."""
        return sorted(path.name for each in self.folders for path in each.glob(pattern))

    @property
    def folders(self) -> tuple[Path, Path]:
        return self.folder, self.fragments


async def begin_share(
    ctx: Context, name: str, start: datetime, media: Recording, **given: Any
) -> DiskShare:
    """Makes the rows and the folder that the recorder makes; media time 0 is at `start`.

    `given` are fields of the session's row.
    """
    session_id = paths.new_session_id(ctx.instance, start)
    buffer_id = str(given.get("buffer_id", paths.buffer_id(ctx.instance, "RM", session_id)))
    folder = str(paths.session_folder("room", name, session_id))
    common: dict[str, Any] = {"room": "room", "room_sid": "RM", "identity": name}
    common["video_sid"] = f"TR_{name}"
    await ctx.store.create(Room.model_validate(dict(sid="RM", name="room")))
    await ctx.store.create(Buffer(id=buffer_id, participant_sid="PA", since=start, **common))
    fields: dict[str, Any] = {
        "id": session_id,
        "buffer_id": buffer_id,
        "folder": folder,
        "created_at": start,
        "segment_seconds": 2,
        "status": "EGRESS_ACTIVE",
        "active_at": start + timedelta(seconds=1),
        "clock_ns": nanoseconds(start),
        "clock_exact": True,
    }
    assert await ctx.store.create(EgressSession(**(common | fields | given)))
    path = ctx.settings.media_root / folder
    fragments = ctx.settings.media_root / folder.replace(paths.BUFFER_ROOT, paths.FRAGMENTS_ROOT, 1)
    egress = DiskEgress(path, start)
    return DiskShare(ctx, buffer_id, session_id, start, path, fragments, egress, media)


class _SharedParser(Parser):
    """The parser of all indexers of a test run, one after another: it takes long to start."""

    def close(self) -> None:
        """Its indexer has done with it; the next one goes on."""


@cache
def _shared_parser() -> Parser:
    parser = _SharedParser()
    atexit.register(Parser.close, parser)
    return parser


@asynccontextmanager
async def indexing(
    ctx: Context, parser: Parser | None = None, scan_seconds: float = SCAN_SECONDS
) -> AsyncIterator[Indexer]:
    """An indexer that runs within the block, and ends as at a SIGTERM.

    `parser`: one of its own, for what is about that.
    """
    indexer = Indexer(ctx, parser or _shared_parser(), scan_seconds)
    task = asyncio.create_task(indexer.run())
    try:
        yield indexer
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

"""Small pictures of buffers: the newest one as a poster, one of each segment on a sprite sheet.

They are made of key frames when somebody asks. A tile then stays beside its fragment, as long as
that does.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from app.buffer import clock, erased_segments, marked_media, summary
from app.buffer.paths import init_name, tile_name
from app.buffer.session_folders import fragment_path
from app.context import Context
from app.errors import Gone
from app.lru_cache import LruCache
from app.media.init_segment import Init
from app.media.picture_sources import NoPicture, Tile, sheet_plan
from app.media.samples import SampleTable
from app.media.sprites import fitted
from app.models import MediaRange, SegmentRow, SegmentState
from app.models.schema import EgressSession, Segment
from app.storage.confined import PathRefused, is_name, member
from app.viewing import drawing, windows
from app.viewing.drawing import Drawing, Kind
from app.viewing.stripes import Contents
from app.work.places import Stint

POSTERS = 64
SHEETS = 8
"""Kept in memory by each process: some 50 kB and 700 kB each, at most."""
_TRIES = 3
_LATE = timedelta(minutes=1)

log = structlog.get_logger()


class Thumbnails:
    """The pictures of buffers that this process has made lately."""

    def __init__(self, ctx: Context, queue: Drawing) -> None:
        self._ctx = ctx
        self._queue = queue
        self._posters = LruCache[bytes](POSTERS)
        self._sheets = LruCache[bytes](SHEETS)

    async def segments(self, ranges: Sequence[MediaRange]) -> list[list[SegmentRow]]:
        """For each range the rows of its segments that pictures may be made of, in order.

        Spans without any are left out.
        """
        found = await windows.segments(self._ctx.store, ranges)
        offered = await self._offered([row for each in found for row in each])
        ids = {row["_id"] for row in offered}
        kept = [[row for row in each if row["_id"] in ids] for each in found]
        return [each for each in kept if each]

    async def newest(self, ranges: Sequence[MediaRange]) -> list[SegmentRow]:
        """The rows of the last segments in these ranges, newest first. A poster needs one."""
        for range_ in reversed(ranges):
            late = range_["end_ticks"] - clock.ticks(_LATE)
            last: MediaRange = {**range_, "start_ticks": max(range_["start_ticks"], late)}
            for some in (last, range_):  # most often the last ones are there
                (found,) = await windows.segments(self._ctx.store, [some])
                if rows := await self._offered(found[: -_TRIES - 1 : -1]):
                    return rows
        return []

    async def poster(self, rows: Sequence[SegmentRow], user: str) -> bytes:
        """The key frame of the first of these segments that has one, as JPEG, for a user.

        Raises Gone, TooManyRequests, Unavailable if drawing takes longer.
        """
        # By all of them: what is drawn of a later one is not for who may see the first one alone.
        name = ",".join(row["_id"] for row in rows)

        async def make(stint: Stint) -> bytes:
            folders = await self._folders({row["session_id"] for row in rows})
            poster = await self._first_poster(stint, folders, rows)
            if poster is None:
                raise Gone("nothing is kept of this share any more")
            self._posters.put(name, poster)
            return poster

        cached = self._posters.get(name)
        if cached is not None:
            return cached
        buffer_id = rows[0]["buffer_id"] if rows else ""
        return await self._queue.once(Kind.POSTER, name, make, user=user, source=buffer_id)

    async def tiles(
        self, buffer_id: str, contents: Contents
    ) -> tuple[list[SegmentRow | None], Collection[tuple[int, int]]]:
        """For each tile of a sheet the first segment that it stands for, or the last; None: gone.

        And the sizes, (width, height), that tiles have on sheets of what is left of them. Reads
        two rows for a tile, whatever the sheet stands for.
        """
        ends = [tile for stripe in contents.stripes for tile in stripe.ends(contents.every)]
        names = list(dict.fromkeys(name for tile in ends for name in tile))
        query = {"_id": {"$in": names}, "buffer_id": buffer_id}
        found = await self._ctx.store.rows(Segment).find(query).to_list()
        there = {row["_id"]: row for row in await self._offered(found)}
        sizes = {fitted(row["width"], row["height"]) for row in there.values()}
        return [there.get(first) or there.get(last) for first, last in ends], sizes

    async def sheet(
        self, buffer_id: str, contents: Contents, chosen: Sequence[SegmentRow | None], user: str
    ) -> bytes:
        """The sheet with these contents as JPEG, black where a segment is gone, for a user.

        `chosen`: its tiles' segments, see `tiles`. Raises Gone if all are gone, TooManyRequests,
        Unavailable if drawing takes longer, DrawingFailed.
        """
        named = [row and row["_id"] for row in chosen]
        name = hashlib.sha256(repr((contents, named)).encode()).hexdigest()

        async def make(stint: Stint) -> bytes:
            sheet = await self._draw(stint, contents, chosen)
            self._sheets.put(name, sheet)
            return sheet

        cached = self._sheets.get(name)
        if cached is not None:
            return cached
        return await self._queue.once(Kind.SHEET, name, make, user=user, source=buffer_id)

    async def _draw(
        self, stint: Stint, contents: Contents, chosen: Sequence[SegmentRow | None]
    ) -> bytes:
        rows = {number: row for number, row in enumerate(chosen) if row is not None}
        folders = await self._folders({row["session_id"] for row in rows.values()})
        tiles = await asyncio.to_thread(_tiles, folders, rows)
        sheet = await drawing.sheet(stint, sheet_plan(contents.grid, tiles)) if tiles else b""
        if not sheet:
            raise Gone("nothing is kept of this part of the share any more")
        return sheet

    async def _first_poster(
        self, stint: Stint, folders: Mapping[str, Path], rows: Sequence[SegmentRow]
    ) -> bytes | None:
        """The poster of the first of these segments that has one: the others are gone."""
        for row in rows:
            folder = folders.get(row["session_id"])
            if folder is None:
                continue
            with suppress(FileNotFoundError, NoPicture, ValueError):
                path = member(folder, row["name"])
                avcc = await asyncio.to_thread(_avcc, folder, row)
                return await self._queue.stills.poster(
                    stint, path, avcc, row["payload_offset"], _key_size(row)
                )
        return None

    async def _folders(self, session_ids: set[str]) -> dict[str, Path]:
        found = self._ctx.store.rows(EgressSession).find(
            {"_id": {"$in": list(session_ids)}}, {"folder": 1}
        )
        root = self._ctx.settings.media_root
        folders = {}
        async for row in found:
            try:
                folders[row["_id"]] = fragment_path(root, row)
            except PathRefused as error:
                log.error("folder_refused", session=row["_id"], error=str(error))
        return folders

    async def _offered(self, rows: Sequence[SegmentRow]) -> list[SegmentRow]:
        """Those of these segments whose key frame, their first picture, may be shown."""
        store = self._ctx.store
        rows = await erased_segments.left_of(store, rows)
        kept_from = await summary.kept_from(store, {row["session_id"] for row in rows})
        earlier = [row for row in rows if row["start_ticks"] < kept_from.get(row["session_id"], 0)]
        hidden = {row["_id"] for row in earlier}
        if earlier:
            hidden -= await marked_media.among(store, earlier, datetime.now(UTC))
        return [
            row for row in rows if row["state"] == SegmentState.INDEXED and row["_id"] not in hidden
        ]


def _tiles(folders: Mapping[str, Path], rows: Mapping[int, SegmentRow]) -> list[Tile]:
    inits: dict[tuple[str, str], str] = {}
    tiles: list[Tile] = []
    for number, row in rows.items():
        folder = folders.get(row["session_id"])
        if folder is None:
            continue
        key = (row["session_id"], row["init_id"])
        if key not in inits:
            try:
                inits[key] = _avcc(folder, row).hex()
            except (FileNotFoundError, ValueError):
                inits[key] = ""
        if inits[key] and is_name(row["name"]):
            tiles.append(
                Tile(
                    number=number,
                    source=str(member(folder, row["name"])),
                    offset=row["payload_offset"],
                    size_bytes=_key_size(row),
                    avcc=inits[key],
                    kept=str(member(folder, tile_name(row["sequence"]))),
                )
            )
    return tiles


def _avcc(folder: Path, row: SegmentRow) -> bytes:
    """Raises FileNotFoundError if the init segment is gone, ValueError if it was altered."""
    return Init.parse(member(folder, init_name(row["init_id"])).read_bytes()).avcc


def _key_size(row: SegmentRow) -> int:
    # A fragment's payload begins with its key frame.
    return int(SampleTable.unpack(row["samples"]).sizes[0])

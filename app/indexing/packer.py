"""Packs fragments: media of one session's that lies together in the bucket of clips.

A pack is written once, when so many fragments have come that a store copies ranges of it. What is
left of a session when it ends stays on the disk alone.

    its row says that it comes → its segments are looked at again → it is put → its row has its tag
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
from pymongo.errors import PyMongoError

from app.buffer import packs, readable_packs
from app.buffer.session_folders import fragment_path
from app.context import Context
from app.errors import StoreAway
from app.indexing import fragment_files
from app.models import PackedFragment, PackRow, PackState, Row, SegmentRow, SegmentState, SessionRow
from app.models.schema import Pack, Segment
from app.storage.pack_places import PACK_BYTES
from app.store import row_of
from app.work import threads

if TYPE_CHECKING:
    from app.storage.pack_store import PackStore

AGAIN_SECONDS = 30.0
"""After a bucket or a database that was away."""
MOST_UNPACKED = 5_000
"""Fragments of one session that wait; older ones are packed no more."""
_FIELDS = dict.fromkeys(
    ("sequence", "name", "payload_offset", "size_bytes", "modified_ns", "state"), 1
) | {"start_ticks": 1, "end_ticks": 1}

log = structlog.get_logger()


class _Fragment(NamedTuple):
    sequence: int
    name: str
    payload_offset: int
    size_bytes: int
    modified_ns: int | None
    start_ticks: int
    end_ticks: int

    @property
    def length(self) -> int:
        return self.size_bytes - self.payload_offset

    @classmethod
    def of(cls, row: SegmentRow) -> _Fragment | None:
        """None if the row was altered, and does not say all of it."""
        values: Row = {**row}
        told: list[Any] = [values.get(name) for name in cls._fields]
        found = cls(*told)
        ticks = found.start_ticks, found.end_ticks
        sizes = found.payload_offset, found.size_bytes
        numbers = (found.sequence, *sizes, found.modified_ns or 0, *ticks)
        is_whole = isinstance(found.name, str) and all(isinstance(each, int) for each in numbers)
        return found if is_whole else None


@dataclass
class _Unpacked:
    """What of a session is not packed yet. `is_due`: some of it is to be packed. `is_over`: nothing
    more comes."""

    session: SessionRow
    fragments: list[_Fragment] = field(default_factory=list)
    is_due: bool = False
    is_over: bool = False

    @property
    def next_pack(self) -> list[_Fragment]:
        """The first fragments that are enough; none if all are not."""
        size = 0
        for count, each in enumerate(self.fragments, 1):
            size += each.length
            if size >= PACK_BYTES:
                return self.fragments[:count]
        return []

    def drop(self, some: Collection[_Fragment]) -> None:
        self.fragments = [each for each in self.fragments if each not in some]


class Packer:
    """Packs what is noted while `run` runs. Where packs are not kept nothing is noted."""

    def __init__(self, ctx: Context, executor: Executor) -> None:
        self._store = ctx.store
        self._root = ctx.settings.media_root
        self._packs = ctx.packs
        self._executor = executor
        self._sessions: dict[str, _Unpacked] = {}
        self._due: asyncio.Queue[_Unpacked] = asyncio.Queue()

    async def begin(self, session: SessionRow) -> None:
        """Notes what of a session is indexed and not packed."""
        if self._packs is None:
            return
        of_session = {"session_id": session["_id"]}
        if (before := self._sessions.pop(session["_id"], None)) is not None:
            before.fragments = []  # it may still be queued
        packed = (
            await self._store.rows(Pack)
            .find(of_session | packs.STANDING, {"fragments": 1})
            .to_list(None)
        )
        lasts = [each["sequence"] for row in packed for each in readable_packs.fragments(row)[-1:]]
        through = max(lasts, default=-1)
        later = of_session | {"sequence": {"$gt": through}}
        found = self._store.rows(Segment).find(later, _FIELDS)
        self._sessions[session["_id"]] = _Unpacked(session)
        for row in sorted(await found.to_list(None), key=lambda row: row["sequence"]):
            self.note(session["_id"], row)

    def note(self, session_id: str, row: SegmentRow) -> None:
        """A fragment is indexed. One that comes after a later one is left out, or was altered."""
        if (unpacked := self._sessions.get(session_id)) is None:
            return
        fragments = unpacked.fragments
        if row.get("state") != SegmentState.INDEXED or (fragment := _Fragment.of(row)) is None:
            return
        if not fragments or fragments[-1].sequence < fragment.sequence:
            fragments.append(fragment)
            del fragments[:-MOST_UNPACKED]
            self._ask(unpacked)

    def close(self, session_id: str) -> None:
        """Nothing more of a session is packed but what is due."""
        if (unpacked := self._sessions.get(session_id)) is not None:
            unpacked.is_over = True
            self._forget(unpacked)

    def _forget(self, unpacked: _Unpacked) -> None:
        session_id = unpacked.session["_id"]
        is_known = self._sessions.get(session_id) is unpacked
        if is_known and unpacked.is_over and not unpacked.is_due:
            del self._sessions[session_id]

    def _ask(self, unpacked: _Unpacked) -> None:
        if not unpacked.is_due and unpacked.next_pack:
            unpacked.is_due = True
            self._due.put_nowait(unpacked)

    async def run(self) -> None:
        """Works until it is cancelled."""
        while self._packs is not None:
            await self._serve(self._packs, await self._due.get())

    async def _serve(self, store: PackStore, unpacked: _Unpacked) -> None:
        """Packs once of a session: then it is the next one's turn."""
        try:
            if chosen := unpacked.next_pack:
                await self._pack(store, unpacked, chosen)
        except (StoreAway, PyMongoError) as error:
            log.warning("fragments_not_packed", error=str(error))
            self._due.put_nowait(unpacked)
            await asyncio.sleep(AGAIN_SECONDS)
            return
        except Exception:  # of one session: the others are packed all the same
            log.exception("packing_failed", session=unpacked.session["_id"])
            unpacked.fragments = []
        unpacked.is_due = False
        self._ask(unpacked)
        self._forget(unpacked)

    async def _pack(self, store: PackStore, unpacked: _Unpacked, chosen: list[_Fragment]) -> None:
        row = _row(unpacked.session, chosen)
        rows = self._store.rows(Pack)
        await rows.insert_one(row)
        which = {"_id": row["_id"], "state": PackState.WRITING}
        try:
            there = await self._there(unpacked.session, chosen)
            read = partial(_content, self._root, unpacked.session, there)
            try:
                content = await threads.to_its_end(self._executor, read)
            except OSError as error:  # of one file: nothing else is to wait for it
                session_id = unpacked.session["_id"]
                log.warning("fragments_not_read", session=session_id, error=str(error))
                unpacked.drop(chosen)
                content = None
            if len(there) < len(chosen) or content is None:
                # What is left of them is packed with those that come, if its files are there.
                unpacked.drop(set(chosen) - set(there) or chosen)
                await rows.delete_one({"_id": row["_id"]})  # nothing was put, condemned or not
                return
            tag = await store.put(packs.storage_path(row), content)
        except BaseException:
            with suppress(PyMongoError):  # then it is found by its age
                await rows.update_one(which, packs.CONDEMNED)
            raise
        unpacked.drop(set(chosen))
        told = {"$set": {"state": PackState.WRITTEN, "tag": tag}}
        if not (await rows.update_one(which, told)).matched_count:
            # Something in it was deleted meanwhile.
            await store.remove([packs.storage_path(row)])
            await rows.delete_one({"_id": row["_id"]})

    async def _there(self, session: SessionRow, chosen: list[_Fragment]) -> list[_Fragment]:
        """Those whose rows stand as they were noted."""
        within = {"$gte": chosen[0].sequence, "$lte": chosen[-1].sequence}
        query = {"session_id": session["_id"], "sequence": within}
        found = await self._store.rows(Segment).find(query, _FIELDS).to_list(None)
        standing = {_Fragment.of(row) for row in found if row.get("state") == SegmentState.INDEXED}
        return [each for each in chosen if each in standing]


def _row(session: SessionRow, chosen: list[_Fragment]) -> PackRow:
    fragments: list[PackedFragment] = []
    offset = 0
    for each in chosen:
        packed: PackedFragment = {
            "sequence": each.sequence,
            "offset": offset,
            "length": each.length,
            "modified_ns": each.modified_ns,
        }
        fragments.append(packed)
        offset += each.length
    return row_of(
        Pack(
            id=secrets.token_hex(12),
            session_id=session["_id"],
            fragments=[{**each} for each in fragments],
            start_ticks=chosen[0].start_ticks,
            end_ticks=chosen[-1].end_ticks,
            created_at=datetime.now(UTC),
        )
    )


def _content(root: Path, session: SessionRow, chosen: list[_Fragment]) -> bytes | None:
    """The media of fragments; None if one of them is gone or altered. Blocks. Raises OSError."""
    found: list[bytes] = []
    folder = fragment_path(root, session)
    for each in chosen:
        file = each.name, each.payload_offset, each.size_bytes, each.modified_ns
        if (media := fragment_files.media(folder, *file)) is None:
            return None
        found.append(media)
    return b"".join(found)

"""Files and rows that don't match: files that nobody knows, rows whose file is gone.

Only session folders of our own installation count, and only files older than any segment that is
kept. More than half of everything is never removed: the index, or the disk, is likely not the right
one then. `doctor` asks a person. What egress has written does not count: it may write anything.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, filterfalse

import structlog

from app import metrics
from app.buffer import packs, paths, summary
from app.buffer.coverage import Coverage, run_of
from app.buffer.paths import (
    FRAGMENT_NAME,
    FRAGMENTS_ROOT,
    FULL_PLAYLIST,
    INIT_NAME,
    LIVE_PLAYLIST,
    TILE_NAME,
    fragment_name,
    tile_name,
)
from app.buffer.retention import is_too_much
from app.buffer.retention_period import retention
from app.buffer.session_folders import SEGMENT_SUFFIX, SessionFolders, folders_of, is_of_egress
from app.cleaning import buffer_tree
from app.cleaning.buffer_tree import Stray
from app.context import Context
from app.models import FaultSlug, SegmentState, SessionRow
from app.models.metric_words import ErrorKind
from app.models.schema import EgressSession, Segment
from app.storage.confined import PathRefused, is_name
from app.storage.egress_store import EgressFolder
from app.work import rounds

SAFE_AGE = timedelta(hours=1)
MOST_UNKNOWN = 50_000
"""With so many, no more are looked for where egress writes: a later pass finds the others."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What does not match: files that nobody knows, ids of rows whose file is gone.

    `files` and `rows` count what matches, files of our own only. `sessions`: ids of those that
    have a row.
    """

    sessions: frozenset[str]
    unknown: tuple[Stray, ...]
    missing: tuple[str, ...]
    files: int
    rows: int

    @property
    def unknown_of_ours(self) -> int:
        """How many of the unknown files egress can't have written."""
        return sum(is_ours(stray.folder) for stray in self.unknown)


@dataclass(frozen=True, slots=True)
class Repair:
    """How many files were removed, and rows became gaps. `asks`: a person has to decide."""

    removed: int = 0
    missing: int = 0
    asks: bool = False


async def settle(ctx: Context, now: datetime, *, confirmed: bool = False) -> Repair:
    """Removes unknown files, turns rows without a file into gaps. `confirmed` lifts the guard."""
    looking = math.inf if confirmed else buffer_tree.LOOK_SECONDS
    removing = math.inf if confirmed else buffer_tree.REMOVAL_SECONDS
    mismatch = await find(ctx, now, looking)
    removed, missing, asks = 0, 0, False
    if is_too_much(mismatch.unknown_of_ours, mismatch.files) and not confirmed:
        asks = _ask("unknown_files", mismatch.unknown_of_ours, mismatch.files)
    else:
        removed = await asyncio.to_thread(buffer_tree.remove, mismatch.unknown, removing)
    if is_too_much(len(mismatch.missing), mismatch.rows) and not confirmed:
        asks = _ask("missing_files", len(mismatch.missing), mismatch.rows)
    else:
        for segment_id in mismatch.missing:
            missing += await _miss(ctx, segment_id)
    await asyncio.to_thread(
        buffer_tree.remove_empty, ctx.egress, mismatch.sessions, ctx.instance, looking
    )
    return Repair(removed, missing, asks)


async def settled_before(ctx: Context, now: datetime) -> datetime:
    """When an unknown file must have been written last so that `settle` removes it."""
    return now - max(SAFE_AGE, (await retention(ctx.store, ctx.settings)).longest)


async def find(ctx: Context, now: datetime, seconds: float = buffer_tree.LOOK_SECONDS) -> Mismatch:
    """Compares what is on disk with what is indexed. Changes nothing.

    `seconds`: for finding the folders where egress writes, and again for looking into them.
    """
    sessions = await _sessions(ctx)
    safe_before = (await settled_before(ctx, now)).timestamp()
    unknown: list[Stray] = []
    missing: list[str] = []
    files = rows = 0
    unseen = set(sessions)
    folders = await _session_folders(ctx, seconds)
    random.shuffle(folders)  # what there is no time for is not always the same
    ours, theirs = filter(is_ours, folders), filterfalse(is_ours, folders)
    for folder in chain(ours, rounds.within(theirs, seconds)):
        if not is_ours(folder) and len(unknown) >= MOST_UNKNOWN:
            break
        with rounds.item(folder=str(folder)):
            names = await asyncio.to_thread(buffer_tree.names_in, folder)
            session = _owner(ctx, folder, sessions)
            indexed: dict[str, str] = {}
            if session is not None and is_ours(folder):
                unseen.discard(session["_id"])
                indexed = await _indexed(ctx, session)
                gone = await _gone(ctx, folder, [indexed[name] for name in indexed.keys() - names])
                missing += gone
                rows += len(indexed) - len(gone)
            strange = await _unknown(ctx, folder, session, names - indexed.keys(), safe_before)
            unknown += strange
            if is_ours(folder):
                files += len(names) - len(strange)
    for session_id in unseen:
        with rounds.item(session=session_id):
            indexed = await _indexed(ctx, sessions[session_id])
            gone = await _gone(ctx, _fragments(ctx, sessions[session_id]), indexed.values())
            missing += gone
            rows += len(indexed) - len(gone)
    return Mismatch(frozenset(sessions), tuple(unknown), tuple(missing), files, rows)


async def unknown_files(ctx: Context, before: datetime) -> AsyncIterator[Stray]:
    """Unknown files under our session folders that were last written before an instant."""
    sessions = await _sessions(ctx)
    for folder in await _session_folders(ctx):
        names = await asyncio.to_thread(buffer_tree.names_in, folder)
        session = _owner(ctx, folder, sessions)
        for stray in await _unknown(ctx, folder, session, names, before.timestamp()):
            yield stray


async def _session_folders(
    ctx: Context, seconds: float = buffer_tree.LOOK_SECONDS
) -> list[EgressFolder]:
    """The session folders of our installation that are on disk."""
    return await asyncio.to_thread(buffer_tree.session_folders, ctx.egress, ctx.instance, seconds)


async def _sessions(ctx: Context) -> dict[str, SessionRow]:
    """Our installation's sessions. Those of another media root are elsewhere, not missing."""
    found = ctx.store.rows(EgressSession).find({"_id": {"$regex": f"^{ctx.instance}-"}})
    return {row["_id"]: row for row in await found.to_list(None)}


def _owner(
    ctx: Context, folder: EgressFolder, sessions: Mapping[str, SessionRow]
) -> SessionRow | None:
    """The session whose folder this is. Any folder may bear its name: its row tells which do."""
    session = sessions.get(folder.name)
    folders = _folders(ctx, session) if session else None
    if folders is None or folder not in (*folders.of_egress, folders.fragments):
        return None
    return session


def _fragments(ctx: Context, session: SessionRow) -> EgressFolder | None:
    folders = _folders(ctx, session)
    return folders.fragments if folders else None


def _folders(ctx: Context, session: SessionRow) -> SessionFolders | None:
    """The folders of a session; None if its row names none of ours."""
    try:
        return folders_of(ctx.egress, session)
    except PathRefused as error:
        log.error("folder_refused", session=session["_id"], error=str(error))
        return None


async def _unknown(
    ctx: Context,
    folder: EgressFolder,
    session: SessionRow | None,
    names: Iterable[str],
    before: float,
) -> list[Stray]:
    strange = [name for name in names if not _is_known(folder, name, session)]
    old = await asyncio.to_thread(buffer_tree.older, folder, strange, before)
    if session is None or not old:
        return old
    known = await _of_rows(ctx, folder, session)
    return [stray for stray in old if stray.name not in known]


async def _of_rows(ctx: Context, folder: EgressFolder, session: SessionRow) -> set[str]:
    """The names in a folder that rows of its session know: pinned ones and tiles, too.

    Read at once, however many files there are: egress may have made any number.
    """
    found = ctx.store.rows(Segment).find({"session_id": session["_id"]}, {"name": 1, "sequence": 1})
    return {
        name
        for row in await found.to_list(None)
        for name in (row["name"], tile_name(row["sequence"]))
        if _may_be_segments(folder, name)
    }


async def _indexed(ctx: Context, session: SessionRow) -> dict[str, str]:
    """By name, the ids of the fragments that should be there."""
    known = await summary.stored(ctx.store, session["_id"])
    coverage = Coverage.read(known.get("runs", []))
    for row in await summary.tail(ctx.store, session["_id"], known.get("through", -1)):
        coverage.add(run_of(row))
    kept_from = known.get("kept_from", 0)
    return {
        fragment_name(sequence): paths.segment_id(session["_id"], sequence)
        for run in coverage.runs
        if run.fault is None
        for sequence in range(max(run.first, kept_from), run.last + 1)
    }


def is_ours(folder: EgressFolder) -> bool:
    """Whether egress has not written there."""
    return folder.parts[0] == FRAGMENTS_ROOT


def _is_known(folder: EgressFolder, name: str, session: SessionRow | None) -> bool:
    """Whether a file belongs to its session's folder whatever is indexed.

    A `.ts` that no playlist named stays as long as a playlist may name it.
    """
    if session is None or not is_name(name):
        return False
    if is_ours(folder):
        return bool(INIT_NAME.fullmatch(name))
    is_coming = name.endswith(SEGMENT_SUFFIX) and session["indexing"] is not None
    return is_coming or name in (FULL_PLAYLIST, LIVE_PLAYLIST)


def _may_be_segments(folder: EgressFolder, name: str) -> bool:
    """Whether it can be a file of a segment in this folder of its session."""
    if not is_name(name):
        return False
    if is_ours(folder):
        return bool(FRAGMENT_NAME.fullmatch(name) or TILE_NAME.fullmatch(name))
    return is_of_egress(name)


async def _gone(ctx: Context, folder: EgressFolder | None, ids: Iterable[str]) -> list[str]:
    """Which of the segments have a row that says they are there, and no file."""
    gone = []
    for segment_id in ids:
        row = await ctx.store.rows(Segment).find_one(
            {"_id": segment_id, "state": SegmentState.INDEXED}
        )
        if row is None:
            continue
        if folder is None or not buffer_tree.is_there(folder, row["name"]):
            gone.append(segment_id)
    return gone


async def _miss(ctx: Context, segment_id: str) -> int:
    row = await ctx.store.rows(Segment).find_one_and_update(
        {"_id": segment_id, "state": SegmentState.INDEXED},
        {"$set": {"state": SegmentState.QUARANTINED, "fault": FaultSlug.MISSING}},
    )
    if row is None:
        return 0
    await packs.condemn(ctx.store, [row])
    stretch = row["start_ticks"], row["end_ticks"]
    await summary.lose(ctx.store, row["session_id"], *stretch, FaultSlug.MISSING)
    metrics.ERRORS.labels(ErrorKind.SEGMENT_MISSING).inc()
    log.warning("segment_missing", session=row["session_id"], segment=row["name"])
    return 1


def _ask(what: str, unmatched: int, matched: int) -> bool:
    metrics.ERRORS.labels(ErrorKind.CLEANUP_ASKS).inc()
    remedy = "check MONGO_URL and FILE_UPLOAD_DEST; then `doctor --repair`"
    log.error("cleanup_asks", what=what, unmatched=unmatched, matched=matched, remedy=remedy)
    return True

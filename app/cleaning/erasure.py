"""Erases what was recorded of a share up to an instant, pinned or not, for good.

The instant stands in the buffer's row until nothing older is left. So the next pass goes on after
an interruption, and erases what was committed late. What is recorded afterwards stays.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from app import metrics
from app.buffer import clock, markers, packs, summary
from app.buffer.session_folders import folders_of
from app.cleaning import pack_removal
from app.cleaning.removal import FIELDS, remove
from app.context import Context
from app.models import SessionRow
from app.models.metric_words import ErrorKind
from app.models.schema import Buffer, EgressSession, Pin, Segment, Summary
from app.storage.confined import PathRefused
from app.storage.egress_store import EgressFolder
from app.store import Store
from app.work import rounds

GHOSTS_KEPT = timedelta(days=7)
"""LiveKit lists an egress whose worker died as active for good: its row says it is a ghost."""

log = structlog.get_logger()


async def promise(store: Store, buffer_id: str, before: datetime) -> None:
    """Notes that everything of a share that was recorded before an instant is to go."""
    await store.rows(Buffer).update_one({"_id": buffer_id}, {"$max": {"forget_before": before}})


async def hide(ctx: Context, buffer_id: str, before: datetime) -> list[SessionRow]:
    """Hides what was recorded before an instant, also what is not indexed yet.

    Returns the sessions that may hold any of it. Files and rows stay for `erase`.
    """
    await markers.delete_all(ctx.store, buffer_id, before)
    began_before = {"buffer_id": buffer_id, "created_at": {"$lt": before}}
    sessions = await ctx.store.rows(EgressSession).find(began_before).to_list(None)
    for session in sessions:
        with rounds.item(session=session["_id"]):
            if session["clock_ns"] is not None:
                await _hide(ctx, session, before)
    return sessions


async def erase(ctx: Context, buffer_id: str) -> bool:
    """One pass over a share of which a part is to go. Returns whether nothing of that is left.

    Running captures must have been cancelled before. While the media root is away it waits.
    """
    if not await ctx.has_media_root():
        return False
    buffer = await ctx.store.rows(Buffer).find_one({"_id": buffer_id})
    before = buffer["forget_before"] if buffer else None
    if before is None:
        return True
    sessions = await hide(ctx, buffer_id, before)
    left: set[str] = {row["_id"] for row in sessions}
    emptied: list[tuple[SessionRow, bool]] = []
    for row in sessions:
        with rounds.item(session=row["_id"]):
            told_all, is_empty = await _erase(ctx, row, before)
            if is_empty:
                emptied.append((row, await _folders_gone(ctx, row)))
            if told_all:
                left.discard(row["_id"])
    # The bucket comes last: one that is away keeps nothing on the disk.
    for row, folders_gone in emptied:
        is_gone = False
        with rounds.item(session=row["_id"]):
            is_gone = await pack_removal.forget(ctx, row["_id"])
            if is_gone and folders_gone:
                await _forget_rows(ctx, row, before)
        if not is_gone:
            left.add(row["_id"])
    packs_gone = await pack_removal.sweep(ctx, [row["_id"] for row in sessions])
    if packs_gone and not left:
        await ctx.store.rows(Buffer).update_one(
            {"_id": buffer_id, "forget_before": before}, {"$set": {"forget_before": None}}
        )
    told = {"sessions": len(sessions), "still_coming": sorted(left), "packs_gone": packs_gone}
    log.info("buffer_forgotten", buffer=buffer_id, **told)
    return packs_gone and not left


async def _erase(ctx: Context, session: SessionRow, before: datetime) -> tuple[bool, bool]:
    """Removes from the disk what a session holds from before an instant, and condemns its packs.

    Returns whether that is all of it, and whether nothing is left or comes.
    """
    of_session = {"session_id": session["_id"]}
    rows = await ctx.store.rows(Segment).find(of_session, FIELDS | {"start": 1}).to_list(None)
    old = [row for row in rows if row["start"] < before]
    await remove(ctx, old, in_spite_of_pins=True)
    if session["clock_ns"] is not None:
        # Those, too, whose segments have no rows any more.
        ticks = clock.ticks_at(session["clock_ns"], before) + 1  # it was rounded down
        await packs.condemn_between(ctx.store, session["_id"], None, ticks)
    over = session["indexing"] is None
    # Segments come in order: after one that began later, nothing older comes. Those that can't be
    # used tell nothing: their times are what their playlist says.
    told_all = over or any(row["fault"] is None and row["start"] >= before for row in rows)
    return told_all, over and len(old) == len(rows)


async def _hide(ctx: Context, session: SessionRow, before: datetime) -> None:
    ticks = clock.ticks_at(clock.of(session), before)
    await ctx.store.rows(Pin).delete_many(
        {"session_id": session["_id"], "start_ticks": {"$lt": ticks}}
    )
    await summary.forget_before(ctx.store, session["_id"], ticks)


async def forget_session(ctx: Context, session: SessionRow, now: datetime) -> bool:
    """Removes a session's folders and all in them, its packs, then its rows.

    Returns whether these are gone. What egress does not let go in its own folder is left to whoever
    removes strays.
    """
    if not await _folders_gone(ctx, session) or not await pack_removal.forget(ctx, session["_id"]):
        return False
    return await _forget_rows(ctx, session, now)


async def _folders_gone(ctx: Context, session: SessionRow) -> bool:
    try:
        folders = folders_of(ctx.egress, session)
        await _remove_whole(folders.fragments)
        for folder in folders.of_egress:
            try:
                await _remove_whole(folder)
            except PermissionError as error:
                # What egress keeps from us there is a stray's from now on: it keeps no row.
                metrics.ERRORS.labels(ErrorKind.FILE_NOT_DELETABLE).inc()
                log.error("folder_left_behind", session=session["_id"], error=str(error))
    except PathRefused as error:
        # Its true folder, if it has one, is that of no session then: a stray.
        metrics.ERRORS.labels(ErrorKind.PATH_REFUSED).inc()
        log.error("folder_refused", session=session["_id"], error=str(error))
    except OSError as error:
        metrics.ERRORS.labels(ErrorKind.FILE_NOT_DELETABLE).inc()
        log.warning("folder_not_deletable", session=session["_id"], error=str(error))
        return False
    return True


async def _forget_rows(ctx: Context, session: SessionRow, now: datetime) -> bool:
    await ctx.store.rows(Summary).delete_one({"_id": session["_id"]})
    if session["ghost_at"] is not None and now - session["ghost_at"] < GHOSTS_KEPT:
        return False
    await ctx.store.rows(EgressSession).delete_one({"_id": session["_id"]})
    return True


async def _remove_whole(folder: EgressFolder) -> None:
    with suppress(FileNotFoundError):  # never made, or gone since an interrupted pass
        await asyncio.to_thread(folder.remove_whole)

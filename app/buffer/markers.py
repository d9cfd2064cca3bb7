"""Markers: moments marked now, to be cut later. What is around one is kept for MARKER_MINUTES.

They count from the moment itself: who marks it again, or another one beside it, keeps no media
longer. All that a person's markers keep is AT_MOST_OF_ONE stretches, over all buffers.

The row is written first, then the pins. A process that dies in between leaves a row without pins.
Everything that deletes old media first makes the pins that are missing.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence, Set
from datetime import UTC, datetime

import structlog

from app.buffer import clock, marked_ranges, pins
from app.context import Context
from app.errors import ReplayError
from app.models import MarkerRow, MediaRange, SessionRow, same_request
from app.models.schema import EgressSession, Marker, Pin
from app.store import Store, before, row_of
from app.work import rounds

AT_MOST = 200
"""Markers of one buffer."""
AT_MOST_OF_ONE = 50
"""Markers of one person, over all buffers: so much of others' media they keep, and no more."""

log = structlog.get_logger()


class TooManyMarkers(ReplayError):
    slug, status, title = "too-many-markers", 429, "Too many markers"


async def make(
    ctx: Context,
    buffer_id: str,
    at: datetime,
    label: str,
    by: str,
    *,
    key: str | None = None,
    request_hash: str = "",
) -> MarkerRow:
    """Marks a moment of a buffer. Returns the marker's row.

    `key`: as long as the marker is there, the same key of the same person gives the same marker.
    Raises TooManyMarkers, Conflict if that was asked for by a request of another hash.
    """
    now = datetime.now(UTC)
    for whose in ({"buffer_id": buffer_id}, {"by": by}):
        await ctx.store.rows(Marker).delete_many({**whose, "kept_until": before(now)})
    marker_id = _named(buffer_id, by, key)
    while True:
        if key and (known := await ctx.store.rows(Marker).find_one({"_id": marker_id})):
            same_request.check(known["request_hash"], request_hash, key)
            return known
        place, personal_place = await _free_places(ctx.store, buffer_id, by)
        marker = Marker(
            id=marker_id,
            buffer_id=buffer_id,
            at=at,
            label=label,
            request_hash=request_hash,
            by=by,
            place=place,
            personal_place=personal_place,
            created_at=now,
            kept_until=at + ctx.settings.marks_keep,
        )
        if await ctx.store.create(marker):
            break  # otherwise somebody took one of the places, or used the key, at the same moment
    row = row_of(marker)
    await _pin(ctx.store, row, await _sessions(ctx.store, [buffer_id]))
    log.info("moment_marked", buffer=buffer_id, marker=marker.id, by=by)
    return row


async def _free_places(store: Store, buffer_id: str, by: str) -> tuple[int, int]:
    """Places for another marker: in the buffer, and among those of one person.

    Raises TooManyMarkers.
    """
    markers = store.rows(Marker)
    there = await markers.find({"buffer_id": buffer_id}, {"place": 1}).to_list(None)
    own = await markers.find({"by": by}, {"personal_place": 1}).to_list(None)
    place = _free(AT_MOST, {row["place"] for row in there}, "the buffer has {} markers")
    personal_place = _free(
        AT_MOST_OF_ONE,
        {row["personal_place"] for row in own},
        "you have set {} markers, in all buffers",
    )
    return place, personal_place


def _free(limit: int, taken: Set[int], why: str) -> int:
    """One of the `limit` places. Any: of many at the same moment, few then want the same one."""
    if len(taken) >= limit:  # also of a time with a higher limit
        raise TooManyMarkers(f"{why.format(limit)}: delete one first", limit=limit)
    return secrets.choice([place for place in range(limit) if place not in taken])


async def of_buffer(store: Store, buffer_id: str, now: datetime) -> list[MarkerRow]:
    """The markers of a buffer, in order of their moments."""
    rows = await store.rows(Marker).find({"buffer_id": buffer_id}).to_list(None)
    return sorted((row for row in rows if row["kept_until"] > now), key=lambda row: row["at"])


async def delete(store: Store, marker_id: str) -> bool:
    """Deletes a marker and its pins. False if it is gone already."""
    # In this order: pins without a row end by themselves, a row without pins gets them again.
    deleted = await store.rows(Marker).delete_one({"_id": marker_id})
    await pins.release(store, _owner(marker_id))
    return bool(deleted.deleted_count)


async def delete_all(store: Store, buffer_id: str, until: datetime | None = None) -> None:
    """Deletes a buffer's markers; with `until` only those of earlier moments, or set earlier."""
    found = store.rows(Marker).find({"buffer_id": buffer_id}, {"at": 1, "created_at": 1})
    for row in await found.to_list(None):
        if until is None or min(row["at"], row["created_at"]) < until:
            await delete(store, row["_id"])


async def delete_between(store: Store, buffer_id: str, start: datetime, end: datetime) -> None:
    """Deletes a buffer's markers of moments in [start, end)."""
    for row in await store.rows(Marker).find({"buffer_id": buffer_id}, {"at": 1}).to_list(None):
        if start <= row["at"] < end:
            await delete(store, row["_id"])


async def pin_again(store: Store, now: datetime) -> set[str]:
    """Makes the pins that markers lack. Sessions that began after the mark are pinned, too.

    Deletes markers that are over. Returns the buffers of which a marker could not be pinned: what
    is old of these must stay.
    """
    markers = store.rows(Marker)
    await markers.delete_many({"kept_until": before(now)})
    of_buffers: dict[str, list[MarkerRow]] = {}
    for row in await markers.find({}).to_list(None):
        with rounds.item(marker=row["_id"]):
            of_buffers.setdefault(row["buffer_id"], []).append(row)
    if not of_buffers:
        return set()
    marks = [_owner(row["_id"]) for rows in of_buffers.values() for row in rows]
    pinned: set[tuple[str, str]] = set()
    async for pin in store.rows(Pin).find({"owner": {"$in": marks}}, {"owner": 1, "session_id": 1}):
        with rounds.item(pin=pin["_id"]):
            pinned.add((pin["owner"], pin["session_id"]))
    sessions = await _sessions(store, list(of_buffers))
    unpinned: set[str] = set()
    for buffer_id, rows in of_buffers.items():
        own = [each for each in sessions if each["buffer_id"] == buffer_id]
        for row in rows:
            lacking = [each for each in own if (_owner(row["_id"]), each["_id"]) not in pinned]
            with rounds.item(marker=row["_id"]) as attempt:
                await _pin(store, row, lacking)
            if attempt.error is not None:
                unpinned.add(buffer_id)
    return unpinned


async def _sessions(store: Store, buffer_ids: Sequence[str]) -> list[SessionRow]:
    query = {"buffer_id": {"$in": list(buffer_ids)}, "clock_ns": {"$ne": None}}
    fields = {"buffer_id": 1, "clock_ns": 1, "ended_at": 1}
    return await store.rows(EgressSession).find(query, fields).to_list(None)


async def _pin(store: Store, marker: MarkerRow, sessions: Sequence[SessionRow]) -> None:
    """Pins what is around a mark in each of the sessions that may hold any of it."""
    start, end = marked_ranges.around(marker["at"])
    ranges: list[MediaRange] = [
        {
            "session_id": session["_id"],
            "start_ticks": max(0, clock.ticks_at(clock.of(session), start)),
            "end_ticks": clock.ticks_at(clock.of(session), end),
        }
        for session in sessions
        if session["ended_at"] is None or session["ended_at"] > start
    ]
    within = [range_ for range_ in ranges if range_["start_ticks"] < range_["end_ticks"]]
    await pins.pin(store, _owner(marker["_id"]), within, marker["kept_until"])


def _named(buffer_id: str, by: str, key: str | None) -> str:
    """The id of a marker: one of its own, or that of its key."""
    if key is None:
        return secrets.token_hex(12)
    return hashlib.sha256(f"{buffer_id}\0{by}\0{key}".encode()).hexdigest()[:24]


def _owner(marker_id: str) -> str:
    return f"marker:{marker_id}"

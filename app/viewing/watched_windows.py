"""Windows that somebody watches. Pins keep them from cleanup as long as they are watched.

They do until a lease after all of the window has left retention, and no longer: until then it is
watched through, and nobody keeps media for ever by watching it. So no lease keeps any media longer
than the longest window and LEASE past its retention, and of a marked stretch nothing longer than
its mark.

A watcher has at most WINDOWS of them. A further one releases that of theirs which was watched
longest ago. A signed URL may be in the hands of others than the one for whom it was made: from each
address these are a watcher of their own, and release nothing of anybody else's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.buffer import pins
from app.models import MediaRange
from app.models.intervals import Interval
from app.models.schema import Pin
from app.store import Store

LEASE = timedelta(minutes=2)
RENEW = timedelta(seconds=15)
"""A lease that was renewed within this time is left as it is."""
WINDOWS = 8


@dataclass(frozen=True)
class Watcher:
    """Who watches: whoever `holder` names, opaquely, by token; or by their URLs, from `address`."""

    holder: str
    address: str = ""

    def __str__(self) -> str:
        return f"{self.holder} {self.address}" if self.address else self.holder


@dataclass(frozen=True)
class Watch:
    """One watcher's window [start, end) of a buffer, to the millisecond.

    `pieces`: the parts of it that are meant, in order and apart; none: all of it.
    """

    watcher: Watcher
    buffer_id: str
    start: datetime
    end: datetime
    pieces: tuple[Interval, ...] = ()

    @property
    def window(self) -> str:
        """The window by name: one for the holder and for all who watch by their URLs."""
        start, end = (round(instant.timestamp() * 1000) for instant in (self.start, self.end))
        name = f"{_prefix(self.watcher)}{self.buffer_id}:{start}-{end}"
        if not self.pieces:
            return name
        return f"{name}:{hashlib.sha256(repr(self.pieces).encode()).hexdigest()[:16]}"

    @property
    def owner(self) -> str:
        """The owner of its pins."""
        address = self.watcher.address
        return f"{self.window} {address}" if address else self.window


def _prefix(watcher: Watcher) -> str:
    return f"watch:{watcher.holder}:"


def lease_end(watch: Watch, now: datetime, retention: timedelta) -> datetime:
    """Until when a lease of now is good, of a window whose media is kept for `retention`."""
    # Of a window that ends with the calendar there is no later instant.
    return (now if watch.end > now - retention else watch.end + retention) + LEASE


async def renew(
    store: Store, watch: Watch, now: datetime, until: datetime
) -> tuple[MediaRange, ...]:
    """The ranges that the watch keeps, in order of time; none if it has lapsed.

    They are kept until `until`: see `lease_end`. So are those of the same window that another
    watcher of the holder's still keeps: of a film that goes on from another address.
    """
    window = watch.window
    # Its name alone, or with an address: `!` is the character after the space.
    query = {"owner": {"$gte": window, "$lt": f"{window}!"}, "until": {"$gt": now}}
    found = await store.rows(Pin).find(query).to_list(None)
    mine = [row for row in found if row["owner"] == watch.owner]
    if mine and min(row["until"] for row in mine) < until - RENEW:
        await pins.extend(store, watch.owner, until)
    latest = max(found, key=lambda row: row["until"], default=None)
    rows = mine or [row for row in found if latest and row["owner"] == latest["owner"]]
    # The ids of sessions sort by time.
    rows.sort(key=lambda row: (row["session_id"], row["start_ticks"]))
    ranges = tuple(
        MediaRange(
            session_id=row["session_id"], start_ticks=row["start_ticks"], end_ticks=row["end_ticks"]
        )
        for row in rows
        if row["end_ticks"] is not None
    )
    if ranges and not mine:
        await begin(store, watch, ranges, until)
    return ranges


async def begin(store: Store, watch: Watch, ranges: Sequence[MediaRange], until: datetime) -> None:
    """Keeps these ranges for the watch until `until`: see `lease_end`."""
    await pins.pin(store, watch.owner, ranges, until)
    prefix = _prefix(watch.watcher)
    # All owners with this prefix: `;` is the character after `:`.
    query = {"owner": {"$gte": prefix, "$lt": prefix[:-1] + ";"}}
    latest: dict[str, datetime] = {}
    async for row in store.rows(Pin).find(query, {"owner": 1, "until": 1}):
        if row["owner"].partition(" ")[2] == watch.watcher.address:
            latest[row["owner"]] = max(row["until"], latest.get(row["owner"], row["until"]))
    others = sorted(latest.keys() - {watch.owner}, key=lambda owner: latest[owner])
    for owner in others[: max(0, len(others) + 1 - WINDOWS)]:
        await pins.release(store, owner)

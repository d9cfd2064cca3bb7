"""Which buffer the share of a new track goes on in. Pure.

Somebody's screen is one share, over all tracks that it has had: a reconnect, a page that is loaded
anew and a share that begins again within the retention bring another track of it. Only screens that
are shared at the same time are several.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.models import BufferRow, TrackRow, Why
from app.models.instants import EPOCH
from app.models.news_words import ShareNews

MISSED_AFTER = 2
"""Surveys in a row without a track after which it counts as over, until one lists it again."""
TOGETHER = timedelta(seconds=2)
"""What ended within so long of each other ended at once, by whatever webhooks tell of it."""

_OPTED_OUT = f"{ShareNews.REFUSED}:{Why.OPTED_OUT}"


def is_over(track: TrackRow, tracks: Sequence[TrackRow]) -> bool:
    """Whether a track is gone, by what is known of it and of the other `tracks` of its sharer.

    Nobody is in a room twice: where a later connection has published, an earlier one is over.
    """
    if not track["live"] or track["missing"] >= MISSED_AFTER:
        return True
    at = track["published_at"] or EPOCH
    return any(
        other["participant_sid"] != track["participant_sid"]
        and (other["published_at"] or EPOCH) > at
        for other in tracks
    )


def earlier(
    track: TrackRow,
    tracks: Sequence[TrackRow],
    buffers: Sequence[BufferRow],
    kept: timedelta,
    now: datetime,
) -> list[BufferRow]:
    """The buffers that a new track of a share may go on in, the likeliest first; most often one.

    `tracks` and `buffers` are those of its sharer in the room. `kept`: how long media stays. Those
    shares may go on that are over, and have been for no longer, if their sharer had not opted out.
    The one that ended last goes first. Of those that ended at once, as all do when their sharer
    reconnects, that is the one whose pictures had the same size, or that began first: clients
    publish anew in the order in which they had.
    """
    known = {row["_id"]: row for row in tracks}
    ended = [
        (row, at)
        for row in buffers
        if row["told"] != _OPTED_OUT
        and (at := _ended_at(row, known.get(row["video_sid"]), tracks, now)) is not None
        and now - at <= kept
    ]
    last = max((at for _, at in ended), default=now)

    def nearness(each: tuple[BufferRow, datetime]) -> tuple[float, bool, datetime]:
        row, at = each
        if last - at > TOGETHER:
            return (last - at).total_seconds(), False, row["since"]
        return 0.0, not _alike(track, known.get(row["video_sid"])), row["since"]

    return [row for row, _ in sorted(ended, key=nearness)]


def _ended_at(
    buffer: BufferRow, track: TrackRow | None, tracks: Sequence[TrackRow], now: datetime
) -> datetime | None:
    """When a share ended; None if it goes on, as far as is known."""
    if track is not None and not is_over(track, tracks):
        return None  # though it may have been missed for a while
    if buffer["ended_at"] is not None or track is None:
        return buffer["ended_at"]
    return track["ended_at"] or now


def _alike(track: TrackRow, other: TrackRow | None) -> bool:
    """Whether two tracks have pictures of one size."""
    size = track["width"], track["height"]
    return other is not None and all(size) and (other["width"], other["height"]) == size

"""Which buffer the share of a new track goes on in. Pure.

Somebody's screen is one share, over all tracks that it has had: a reconnect, a page that is loaded
anew and a share that begins again within the retention bring another track of it. Only screens that
are shared at the same time are several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from app.models import BufferRow, ParticipantRow, TrackRow
from app.models.instants import EPOCH

MISSED_AFTER = 2
"""Surveys in a row without a track after which it counts as over, until one lists it again."""
TOGETHER = timedelta(seconds=2)
"""What ended within so long of each other ended at once, by whatever webhooks tell of it."""


PeopleBySid = Mapping[str, ParticipantRow]
"""What is known of a sharer's connections, by sid."""


def is_over(track: TrackRow, tracks: Sequence[TrackRow], people: PeopleBySid) -> bool:
    """Whether a track is gone, by what is known of it and of the other `tracks` of its sharer.

    Nobody is in a room twice: where a later connection publishes, an earlier one is over. What is
    gone itself ends nothing: which one is later may not be known for sure.
    """
    return _is_gone(track, people) or any(
        other["participant_sid"] != track["participant_sid"]
        and not _is_gone(other, people)
        and _is_later(other, track, people)
        for other in tracks
    )


def _is_gone(track: TrackRow, people: PeopleBySid) -> bool:
    """Whether a track has ended, is not listed any more, or its connection has ended."""
    person = people.get(track["participant_sid"])
    has_left = person is not None and person["left_at"] is not None
    return not track["live"] or track["missing"] >= MISSED_AFTER or has_left


def _is_later(other: TrackRow, track: TrackRow, people: PeopleBySid) -> bool:
    """Whether the connection of `other` began after that of `track`.

    LiveKit says when each joined. Where that is not known, the track that was told of later counts:
    that is by our clock, and in the order in which webhooks came.
    """
    joined, before = (_joined_at(each, people) for each in (other, track))
    if joined is not None and before is not None and joined != before:
        return joined > before
    return (other["published_at"] or EPOCH) > (track["published_at"] or EPOCH)


def _joined_at(track: TrackRow, people: PeopleBySid) -> datetime | None:
    person = people.get(track["participant_sid"])
    return None if person is None else person["joined_at"]


def earlier(
    track: TrackRow,
    tracks: Sequence[TrackRow],
    people: PeopleBySid,
    buffers: Sequence[BufferRow],
    kept: timedelta,
    now: datetime,
) -> list[BufferRow]:
    """The buffers that a new track of a share may go on in, the likeliest first; most often one.

    `tracks`, `people` and `buffers` are its sharer's in the room. `kept`: how long media stays.
    Those shares may go on that are over, and have been for no longer, refused ones too: so what was
    said of them stays said. The one that ended last goes first. Of those that ended at once, as all
    do when their sharer reconnects, that is the one whose pictures had the same size, or that began
    first: clients publish anew in the order in which they had.
    """
    known = {row["_id"]: row for row in tracks}
    ended = [
        (row, at)
        for row in buffers
        if (at := _ended_at(row, known.get(row["video_sid"]), tracks, people, now)) is not None
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
    buffer: BufferRow,
    track: TrackRow | None,
    tracks: Sequence[TrackRow],
    people: PeopleBySid,
    now: datetime,
) -> datetime | None:
    """When a share ended; None if it goes on, as far as is known."""
    if track is not None and not is_over(track, tracks, people):
        return None  # though it may have been missed for a while
    if buffer["ended_at"] is not None or track is None:
        return buffer["ended_at"]
    return track["ended_at"] or now


def _alike(track: TrackRow, other: TrackRow | None) -> bool:
    """Whether two tracks have pictures of one size."""
    size = track["width"], track["height"]
    return other is not None and all(size) and (other["width"], other["height"]) == size

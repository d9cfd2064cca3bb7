"""The HLS playlist of a window: fragments under their init segments, as fMP4. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from app.models import SegmentRow, instants

_HOLE_TICKS = 9_000  # 1.5 frames at 15 a second, the slowest that egress is asked for


@dataclass(frozen=True, slots=True)
class Item:
    """One fragment of a window, in order.

    `start_ticks` and `end_ticks` (1/90,000 s) are its picture's on its session's media clock,
    `start` the wall clock of the first frame.
    """

    session_id: str
    sequence: int
    init_id: str
    start: datetime
    start_ticks: int
    end_ticks: int

    @property
    def seconds(self) -> float:
        return (self.end_ticks - self.start_ticks) / 90_000


def item(row: SegmentRow) -> Item:
    """The item of an indexed segment's row."""
    return Item(
        row["session_id"],
        row["sequence"],
        row["init_id"],
        row["start"],
        row["start_ticks"],
        row["end_ticks"],
    )


def playlist(
    items: Iterable[Item],
    segment_url: Callable[[Item], str],
    init_url: Callable[[Item], str],
    *,
    ended: bool = True,
    target_seconds: int = 1,
) -> str:
    """The text of a media playlist.

    Another session, another init segment and a hole in the media begin a discontinuity with its own
    wall-clock time. `ended`: the window is whole. Else it grows at its end only: players ask again,
    and begin at its beginning nevertheless. `target_seconds`: no segment will be longer, because
    the target duration must stay as it is.
    """
    listed = list(items)
    target = max((math.ceil(each.seconds) for each in listed), default=1)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{max(target_seconds, target)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-DISCONTINUITY-SEQUENCE:0",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f"#EXT-X-PLAYLIST-TYPE:{'VOD' if ended else 'EVENT'}",
    ]
    if not ended:
        lines.append("#EXT-X-START:TIME-OFFSET=0")
    previous: Item | None = None
    for each in listed:
        joint = previous is not None and not _goes_on(previous, each)
        if joint:
            lines.append("#EXT-X-DISCONTINUITY")
        if previous is None or joint:
            lines.append(f'#EXT-X-MAP:URI="{init_url(each)}"')
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{instants.written(each.start)}")
        lines += [f"#EXTINF:{each.seconds:.6f},", segment_url(each)]
        previous = each
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def _goes_on(left: Item, right: Item) -> bool:
    same = (left.session_id, left.init_id) == (right.session_id, right.init_id)
    return same and right.start_ticks - left.end_ticks <= _HOLE_TICKS

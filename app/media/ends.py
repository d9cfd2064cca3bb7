"""Exact ends: what of a movie must be encoded anew so that nothing outside its window is in it.

Only the group of pictures that the window's start cuts through, and the one that its end does. All
between is copied, and so is the sound: of it, frames that reach over the window's edges are left
out, 23 ms at most at either end.

The runs that come out are ordinary ones. A source may stand in them twice, once for some of its
pictures and once for its sound alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from app.media.prepared_fragment import Prepared
from app.media.runs import Incompatible, NothingToShow, Run, Source, check
from app.media.samples import AAC_FRAME_SAMPLES, VIDEO_TICKS
from app.media.selection import SNAP_TICKS, Part, Selection, samples_at, select_all
from app.models import Cut

_ALOOF_TICKS = 2 * SNAP_TICKS + 1
"""A window may begin this close after its first picture: what has none must not seem nearer."""


class OtherPictures(Exception):
    """An encoder gave other pictures than it was asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Pictures to encode anew.

    - `source`: where they are. Its pictures [`low`, `high`), in decode order, give way to them.
    - `pts`: their times in order, ticks. They end at `end_ticks`.
    - `run`: what an encoder's input is planned from, as a precise cut. It shows the pictures of
      `pts` first; further ones may follow.
    """

    source: Source
    low: int
    high: int
    pts: NDArray[np.int64]
    end_ticks: int
    run: Run

    @property
    def seconds(self) -> float:
        """From its first picture to its last one."""
        return int(self.pts[-1] - self.pts[0]) / VIDEO_TICKS

    def encoded(self, path: str, made: Prepared) -> Source:
        """The encoder's output, written to `path`, on the session's clock.

        Raises OtherPictures if these are not the pictures, at their times.
        """
        table = made.samples
        times = table.pts.astype(np.int64) + self.pts[0]
        if not np.array_equal(times, self.pts):
            raise OtherPictures(
                f"asked for {len(self.pts)} pictures from tick {self.pts[0]} on, "
                f"{len(times)} came, at other times"
            )
        first = int(self.pts[0])
        sounding = round(samples_at(first, table.sample_rate))
        alone = replace(
            table,
            first_pts=first,
            end_pts=self.end_ticks,
            first_audio=sounding,
            audio_sizes=table.audio_sizes[:0],
            audio=False,
        )
        return Source(path, len(made.data), made.payload_offset, alone)


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """What to encode: `head` of the first run, `tail` of the last one, None where nothing is.

    `start`: the first shown picture's tick, before which no sound may be; None if nothing is cut
    off there.
    """

    runs: Sequence[Run]
    head: Piece | None
    tail: Piece | None
    start: int | None

    @property
    def pixels(self) -> int:
        """Of all pictures that are decoded to encode the pieces."""
        pieces = [piece for piece in (self.head, self.tail) if piece]
        return sum(
            (piece.high - piece.low) * piece.run.init.width * piece.run.init.height
            for piece in pieces
        )

    def joined(self, head: Source | None, tail: Source | None) -> list[Run]:
        """The runs with the pieces in their places, `head` and `tail` as they were encoded."""
        runs = list(self.runs)
        if self.tail and tail:
            runs[-1] = replace(runs[-1], sources=_with_tail(runs[-1].sources, self.tail, tail))
        if self.start is not None:
            sources = _with_head(runs[0].sources, self.start, self.head, head)
            runs[0] = replace(runs[0], sources=sources)
        return runs


def find(runs: Sequence[Run]) -> Ends | None:
    """The ends of some runs; None where the whole window has to be encoded.

    That is so if the runs differ in size or sound, and if no group of pictures lies within the
    window whole. Raises NothingToShow; ValueError as `check`.
    """
    try:
        check(runs)
    except Incompatible:
        return None
    selections = select_all(runs, Cut.PRECISE)
    if not selections:
        raise NothingToShow("no picture was on the screen in the window asked for")
    first, last = selections[0], selections[-1]
    head, tail = _standing(first) if first.standing else _head(first), _tail(last)
    copied = sum(len(one.pts) for one in selections)
    copied -= _replaced(first, head) + _replaced(last, tail)
    if copied <= 0 or (head and tail and head.source is tail.source):
        return None
    cuts = first.run.start_ticks > first.run.sources[0].samples.first_pts
    start = first.start_ticks if cuts else None
    return Ends([one.run for one in selections], head, tail, start)


def _replaced(selection: Selection, piece: Piece | None) -> int:
    if piece is None:
        return 0
    parts = [part for part in selection.parts if part.source is piece.source]
    return sum(
        min(part.video_to, piece.high) - max(part.video_from, piece.low)
        for part in parts
        if part.video_to > part.video_from
    )


def _head(selection: Selection) -> Piece | None:
    """The pictures from the first shown one to the next keyframe, if others are hidden before."""
    if int(selection.pts.min()) >= selection.start_ticks:
        return None
    part = next(part for part in selection.parts if _has_pictures(part))
    table = part.source.samples
    later = np.flatnonzero(table.keys[part.video_from + 1 :])
    high = part.video_from + 1 + int(later[0]) if len(later) else len(table.keys)
    times = _times(part.source)
    chosen = times[part.video_from : high]
    end = int(times[high]) if high < len(times) else table.end_pts
    window = replace(
        selection.run, sources=[part.source], start_ticks=selection.start_ticks, end_ticks=end
    )
    shown = np.sort(chosen[chosen >= selection.start_ticks])
    return Piece(part.source, part.video_from, high, shown, end, window)


def _standing(selection: Selection) -> Piece:
    """The one picture that a run shows which stood there at the window's start."""
    part = next(part for part in selection.parts if _has_pictures(part))
    start = np.array([selection.start_ticks])
    high, end = len(part.source.samples.keys), selection.end_ticks
    return Piece(part.source, part.video_from, high, start, end, selection.run)


def _tail(selection: Selection) -> Piece | None:
    """The pictures from the last keyframe on, if some are missing that lean on later ones."""
    part = [part for part in selection.parts if _has_pictures(part)][-1]
    times = _times(part.source)
    low = int(np.flatnonzero(part.source.samples.keys[: part.video_to])[-1])
    chosen = times[low:]
    shown = np.sort(chosen[chosen < selection.run.end_ticks - SNAP_TICKS])
    if len(shown) <= part.video_to - low:
        return None
    end = part.source.samples.end_pts
    window = replace(selection.run, sources=[part.source], start_ticks=int(shown[0]), end_ticks=end)
    return Piece(part.source, low, len(times), shown, end, window)


def _has_pictures(part: Part) -> bool:
    return part.video_to > part.video_from


def _times(source: Source) -> NDArray[np.int64]:
    return source.samples.pts.astype(np.int64) + source.samples.first_pts


def _with_head(
    sources: Sequence[Source], start: int, piece: Piece | None, head: Source | None
) -> list[Source]:
    """`sources` from `start` on: no picture of `piece` but `head`, no sound from before."""
    found = [head] if head else []
    for source in sources:
        table = source.samples
        limit = ceil(samples_at(start, table.sample_rate)) - 1
        early = max(0, -(-(limit - table.first_audio) // AAC_FRAME_SAMPLES))
        if piece and source is piece.source:
            low = piece.high
        else:
            low = len(table.keys) if table.end_pts <= start else 0
        found += _cut(source, low, len(table.keys), early, found)
    return found


def _with_tail(sources: Sequence[Source], piece: Piece, tail: Source) -> list[Source]:
    """`sources` with `tail` in the place of the pictures of `piece`."""
    found: list[Source] = []
    for source in sources:
        if source is not piece.source:
            found.append(source)
            continue
        if piece.low:
            found.append(_pictures(source, 0, piece.low))
        found.append(tail)
        found += _cut(source, 0, 0, 0, found)
    return found


def _cut(source: Source, low: int, high: int, early: int, before: Sequence[Source]) -> list[Source]:
    """Pictures [low, high) of a source, and its sound from frame `early` on."""
    table = source.samples
    whole = low == 0 and high == len(table.keys)
    if whole and early == 0:
        return [source]
    made = [_pictures(source, low, high)] if low < high else []
    if early < len(table.audio_sizes):
        made.append(_sound(source, early, [*before, *made]))
    return made


def _pictures(source: Source, low: int, high: int) -> Source:
    table = source.samples
    times = _times(source)[low:high]
    first = int(times.min())
    alone = replace(
        table,
        first_pts=first,
        end_pts=table.end_pts if high == len(table.keys) else int(_times(source)[high]),
        pts=(times - first).astype(np.uint32),
        sizes=table.sizes[low:high],
        keys=table.keys[low:high],
        audio_sizes=table.audio_sizes[:0],
        audio=False,
    )
    skipped = int(table.sizes[:low].sum(dtype=np.int64))
    return replace(source, payload_offset=source.payload_offset + skipped, samples=alone)


def _sound(source: Source, early: int, before: Sequence[Source]) -> Source:
    """The sound of a source from frame `early` on, as one that stands behind `before`."""
    table = source.samples
    # Sources are in order of their first picture: this has none, and follows those of `before`.
    behind = before[-1].samples if before else None
    alone = replace(
        table,
        first_pts=behind.first_pts + _ALOOF_TICKS if behind else table.first_pts,
        end_pts=behind.end_pts if behind else table.end_pts,
        pts=table.pts[:0],
        sizes=table.sizes[:0],
        keys=table.keys[:0],
        first_audio=table.first_audio + early * AAC_FRAME_SAMPLES,
        audio_sizes=table.audio_sizes[early:],
    )
    skipped = table.video_bytes + int(table.audio_sizes[:early].sum(dtype=np.int64))
    return replace(source, payload_offset=source.payload_offset + skipped, samples=alone)

"""Which samples of a run a window needs.

Times are 90 kHz ticks of the run's session, sound is counted in samples at its rate.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from app.media.hidden_head import decode_times, hurried
from app.media.runs import Run, Source
from app.media.samples import AAC_FRAME_SAMPLES, VIDEO_TICKS
from app.models import Cut

SNAP_TICKS = VIDEO_TICKS // 1000
"""A picture this close to a window's edge counts as on it: windows are asked in milliseconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Samples of one source: pictures [video_from, video_to) and audio frames [audio_from,
    audio_to), behind `silence` frames that stand where no sound was recorded."""

    source: Source
    video_from: int
    video_to: int
    audio_from: int
    audio_to: int
    silence: int


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What of a run goes into a movie.

    - `pts`: of every chosen picture in decode order; the first is an IDR. Those before
      `start_ticks` are only there to decode the others, and `hurried`: who does not hide them
      is past them at once. `head_ticks`: how long they took.
    - `start_ticks`, `end_ticks`: what is shown. `standing`: nothing began inside the window, the
      picture that stood there was given the window's start as its time.
    - `first_audio`: the sample at which the first chosen audio frame begins, None if there is
      none. From there on they follow each other, silence included.
    """

    run: Run
    parts: list[Part]
    pts: NDArray[np.int64]
    head_ticks: int
    start_ticks: int
    end_ticks: int
    standing: bool
    first_audio: int | None


@dataclass(frozen=True, slots=True, eq=False)
class _Pictures:
    """Pictures [low, high) of sources[first:last] strung together."""

    first: int
    last: int
    low: int
    high: int
    pts: NDArray[np.int64]
    head_ticks: int
    start_ticks: int
    end_ticks: int
    standing: bool


def select_all(runs: Sequence[Run], cut: Cut) -> list[Selection]:
    """What of each run goes into a movie; runs that have nothing to show are left out."""
    selections: list[Selection] = []
    for run in runs:
        selection = select(run, cut, joined=bool(selections))
        if selection is not None:
            selections.append(selection)
    return selections


def select(run: Run, cut: Cut, *, joined: bool) -> Selection | None:
    """Choose the samples of `run`, None if it has nothing to show.

    `joined`: another run precedes it in the movie. It then begins at its first keyframe inside
    the window, because only a movie's very beginning can be hidden.
    """
    if not run.sources:
        return None
    pictures = _whole(run) if cut == Cut.SEGMENT else _precise(run, joined=joined)
    if pictures is None:
        return None
    parts, first_audio = _parts(run, pictures, cut, joined=joined)
    return Selection(
        run=run,
        parts=parts,
        pts=pictures.pts,
        head_ticks=pictures.head_ticks,
        start_ticks=pictures.start_ticks,
        end_ticks=pictures.end_ticks,
        standing=pictures.standing,
        first_audio=first_audio,
    )


def samples_at(ticks: int, sample_rate: int) -> float:
    return ticks * sample_rate / VIDEO_TICKS


def media_start(source: Source) -> int:
    """Ticks at which the earlier of a fragment's pictures and sound begins."""
    table = source.samples
    return min(table.first_pts, round(table.first_audio * VIDEO_TICKS / table.sample_rate))


def media_end(source: Source) -> int:
    """Ticks at which the later of a fragment's pictures and sound ends."""
    table = source.samples
    return max(table.end_pts, round(table.end_audio * VIDEO_TICKS / table.sample_rate))


def _touched(run: Run) -> tuple[int, int]:
    """The sources whose stretch begins before the window's end, from the one at its start on."""
    firsts = [source.samples.first_pts for source in run.sources]
    start = min(run.start_ticks + SNAP_TICKS, run.end_ticks - 1)
    first = max(0, bisect_right(firsts, start) - 1)
    if firsts[first] >= run.end_ticks:
        return 0, 0
    return first, max(first + 1, bisect_left(firsts, run.end_ticks - SNAP_TICKS))


def _whole(run: Run) -> _Pictures | None:
    first, last = _touched(run)
    if first < last and media_end(run.sources[first]) <= run.start_ticks:
        first += 1
    if first >= last:
        return None
    pts = _pts(run.sources[first:last])
    return _Pictures(
        first=first,
        last=last,
        low=0,
        high=len(pts),
        pts=pts,
        head_ticks=0,
        start_ticks=int(pts.min()),
        end_ticks=media_end(run.sources[last - 1]),
        standing=False,
    )


def _precise(run: Run, *, joined: bool) -> _Pictures | None:
    first, last = _touched(run)
    if first >= last:
        return None
    sources = run.sources[first:last]
    pts = _pts(sources)
    keys = np.concatenate([source.samples.keys for source in sources])
    # A picture after the end ends the file: what follows it in decode order may depend on it, even
    # if shown earlier.
    late = np.flatnonzero(pts >= max(run.end_ticks - SNAP_TICKS, run.start_ticks + 1))
    high = int(late[0]) if len(late) else len(pts)
    inside = (pts[:high] >= run.start_ticks - SNAP_TICKS) & (keys[:high] if joined else True)
    begins = np.flatnonzero(inside)
    standing = not len(begins)
    if standing and (joined or not high):
        return None
    shown = int(pts[:high].argmax()) if standing else int(begins[pts[begins].argmin()])
    low = int(np.flatnonzero(keys[: shown + 1])[-1])
    last_shown = run.start_ticks if standing else int(pts[low:high].max())
    later = pts[pts > last_shown]
    if len(later):
        natural_end = int(later.min())
    elif last < len(run.sources):
        natural_end = run.sources[last].samples.first_pts
    else:
        natural_end = media_end(run.sources[-1])
    chosen = pts[low:high].copy()
    start_ticks = int(pts[shown])
    if standing:
        if natural_end <= run.start_ticks:
            return None
        start_ticks = run.start_ticks
        chosen[shown - low] = start_ticks
    return _Pictures(
        first=first,
        last=last,
        low=low,
        high=high,
        pts=hurried(chosen, start_ticks),
        head_ticks=start_ticks - int(chosen.min()),
        start_ticks=start_ticks,
        end_ticks=min(run.end_ticks, natural_end),
        standing=standing,
    )


def _pts(sources: Sequence[Source]) -> NDArray[np.int64]:
    return np.concatenate(
        [source.samples.pts.astype(np.int64) + source.samples.first_pts for source in sources]
    )


def _parts(
    run: Run, pictures: _Pictures, cut: Cut, *, joined: bool
) -> tuple[list[Part], int | None]:
    """The chosen samples source by source, and where their sound begins."""
    earliest, latest_end, latest_start = _sound_limits(run, pictures, cut, joined=joined)
    parts: list[Part] = []
    first_audio: int | None = None
    expected = 0
    position = 0
    first, last = pictures.first, pictures.last
    if cut != Cut.SEGMENT:
        # Sound of the first instant may be in the source before, and of the last in the one after.
        while first > 0 and run.sources[first - 1].samples.end_audio > earliest:
            first -= 1
        while last < len(run.sources) and run.sources[last].samples.first_audio < latest_start:
            last += 1
    for index in range(first, last):
        source = run.sources[index]
        table = source.samples
        count = len(table.sizes) if pictures.first <= index < pictures.last else 0
        video_from = min(max(pictures.low - position, 0), count)
        video_to = min(max(pictures.high - position, 0), count)
        position += count
        audio_from = max(0, -(-(earliest - table.first_audio) // AAC_FRAME_SAMPLES))
        audio_to = min(
            len(table.audio_sizes),
            (latest_end - table.first_audio) // AAC_FRAME_SAMPLES,
            -(-(latest_start - table.first_audio) // AAC_FRAME_SAMPLES),
        )
        silence = 0
        if first_audio is not None:
            # Frames from the place where the sound before ended: more than 0 is a hole.
            place = round((table.first_audio - expected) / AAC_FRAME_SAMPLES)
            audio_from = max(audio_from, -place)
            silence = max(0, place + audio_from)
        if audio_from >= audio_to:
            audio_from = audio_to = silence = 0
        elif first_audio is None:
            first_audio = table.first_audio + audio_from * AAC_FRAME_SAMPLES
            expected = first_audio
        expected += (silence + audio_to - audio_from) * AAC_FRAME_SAMPLES
        if video_to > video_from or audio_to > audio_from:
            parts.append(Part(source, video_from, video_to, audio_from, audio_to, silence))
    return parts, first_audio


def _without_edits(pictures: _Pictures) -> int:
    """Ticks at which a player that knows no edit lists begins: decode times come before all
    presentation times."""
    shown = pictures.pts - pictures.start_ticks
    decode = decode_times(shown)
    return pictures.start_ticks + int(decode[0] - (decode - shown).max())


def _sound_limits(run: Run, pictures: _Pictures, cut: Cut, *, joined: bool) -> tuple[int, int, int]:
    """Samples: where the first audio frame may begin, where the last may end, and begin."""
    rate = run.init.audio_format.sample_rate
    if cut == Cut.SEGMENT:
        beyond = 1 << 62
        return -beyond, beyond, beyond
    shown = samples_at(pictures.start_ticks, rate)
    # At a joint the frames that begin with the picture or later, give or take the rounding of a
    # sample. At the movie's start those that make both be together where a player knows no edit
    # lists; at least the one that sounds at the first instant, and one more for the decoder to warm
    # up on (AAC frames overlap).
    if joined:
        earliest = ceil(shown) - 1
    else:
        head = ceil(samples_at(_without_edits(pictures), rate))
        earliest = min(head, int(shown) - 2 * AAC_FRAME_SAMPLES + 1)
    if run.start_ticks <= run.sources[0].samples.first_pts:
        # Nothing is cut off: sound from before the first picture stays in the file, hidden.
        earliest = min(earliest, run.sources[0].samples.first_audio)
    latest_end = int(samples_at(run.end_ticks + SNAP_TICKS, rate))
    latest_start = ceil(samples_at(pictures.end_ticks, rate))
    return earliest, latest_end, latest_start

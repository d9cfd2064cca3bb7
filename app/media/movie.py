"""The plan of one MP4 made of fragments: its header, and which bytes of which file follow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil

import numpy as np

from app.media.h264 import with_parameter_sets
from app.media.hidden_head import decode_times
from app.media.init_segment import Init
from app.media.layout import Extent, Layout, behind, within
from app.media.moov import Label, Timing, header
from app.media.pauses import Pause, pauses_between, pauses_within
from app.media.runs import Incompatible, NothingToShow, Run, Source, check
from app.media.samples import AAC_FRAME_SAMPLES, VIDEO_TICKS
from app.media.selection import Selection, samples_at, select_all
from app.media.tracks import Edit
from app.models import Cut, Gaps

__all__ = [
    "Extent",
    "Incompatible",
    "Movie",
    "MovieSpan",
    "NothingToShow",
    "Pause",
    "Run",
    "Source",
    "plan",
]


@dataclass(frozen=True, slots=True)
class MovieSpan:
    """What of one session is shown, and from which second of the movie on.

    `start_ticks` is the first shown picture's time, `end_ticks` where the last one ends.
    `standing`: nothing began inside the window, so the picture that stood there is shown.
    """

    session: str
    start_ticks: int
    end_ticks: int
    start: datetime
    end: datetime
    movie_seconds: float
    standing: bool


@dataclass(frozen=True, slots=True, eq=False)
class Movie:
    """A planned MP4. Every number is exact before a byte of media has been read.

    - `header`: `ftyp moov` and the head of `mdat`. `extents`: the whole file in order, the header
      first.
    - `sources`: the files that extents name, with the size each must have.
    - `key_frames`: the file's bytes [start, end) of the first and of the last one.
    - `duration_seconds`: what is shown. `hidden_head_seconds`: how much of what was on the screen
      before it is in the file, too, not shown.
    - `frames`, `audio_frames`: samples in the file, hidden ones and silence included;
      `silence_frames`: how many of the latter were made here.
    - `audio`: whether any sound is real.
    """

    header: bytes
    extents: Sequence[Extent]
    sources: Sequence[Source]
    key_frames: Sequence[tuple[int, int]]
    size_bytes: int
    duration_seconds: float
    hidden_head_seconds: float
    frames: int
    audio_frames: int
    silence_frames: int
    audio: bool
    width: int
    height: int
    spans: tuple[MovieSpan, ...]
    pauses: tuple[Pause, ...]

    def extents_of(self, start: int, end: int) -> Iterator[Extent]:
        """The parts of bytes [start, end) of the movie, the header as data."""
        return within(self.extents, start, end)


def plan(
    runs: Sequence[Run],
    cut: Cut = Cut.PRECISE,
    *,
    gaps: Gaps = Gaps.SKIP,
    created_at: datetime | None = None,
    encoded: Sequence[Init] = (),
) -> Movie:
    """Plan the MP4 of `runs`, in order of time.

    `segment` takes every fragment that the window touches, whole. `precise` begins at the first
    picture that starts inside the window (what lies between it and its keyframe is in the file but
    hidden by an edit list, and takes next to no time where it isn't) and holds nothing that came
    after the window's end. Both ends lie on pictures' edges.

    `gaps`: the time between two runs is left out, or kept as still picture and silence.
    `encoded`: of pieces in the runs that came from another encoder; their parameter sets stand in
    the sample entry beside the session's.
    `created_at` stands in the file's header; it defaults to the first shown picture's wall clock,
    so that one window always gives the same bytes.

    Raises Incompatible, NothingToShow; ValueError for runs out of order or an empty window.
    """
    check(runs)
    selections = select_all(runs, cut)
    if not selections:
        raise NothingToShow("no picture was on the screen in the window asked for")
    first = selections[0]
    starts, layout, sound_start = _string_together(selections, gaps)
    timing = _timing(selections, starts, sound_start, layout.audio.samples)
    clock = first.run.wall_clock(first.start_ticks)
    sound = any(source.samples.audio for source in layout.sources)
    # The most demanding parameters stand in the sample entry; each keyframe brings its own.
    init = max((one.run.init for one in selections), key=lambda one: one.avcc[1:4:2])
    init = replace(init, avcc=with_parameter_sets(init.avcc, [one.avcc for one in encoded]))
    head = header(
        init,
        timing,
        layout.video,
        np.concatenate(layout.keys),
        layout.audio,
        layout.size_bytes,
        Label(clock, created_at or clock),
        sound=sound,
    )
    return Movie(
        header=head,
        extents=behind(head, layout.extents),
        sources=layout.sources,
        key_frames=[(len(head) + start, len(head) + end) for start, end in layout.key_frames()],
        size_bytes=len(head) + layout.size_bytes,
        duration_seconds=timing.duration / VIDEO_TICKS,
        hidden_head_seconds=first.head_ticks / VIDEO_TICKS,
        frames=layout.video.samples,
        audio_frames=layout.audio.samples,
        silence_frames=layout.silence_frames,
        audio=sound,
        width=init.width,
        height=init.height,
        spans=tuple(
            MovieSpan(
                session=one.run.session,
                start_ticks=one.start_ticks,
                end_ticks=one.end_ticks,
                start=one.run.wall_clock(one.start_ticks),
                end=one.run.wall_clock(one.end_ticks),
                movie_seconds=start / VIDEO_TICKS,
                standing=one.standing,
            )
            for one, start in zip(selections, starts, strict=True)
        ),
        pauses=pauses_within(selections, starts) + pauses_between(selections, starts, gaps),
    )


def _string_together(
    selections: Sequence[Selection], gaps: Gaps
) -> tuple[list[int], Layout, float]:
    """Where each selection's first picture stands in the movie (ticks), the payload, and where the
    movie begins in its sound (samples after the first audio frame; negative if sound is later).

    Sound stays on one grid of frames. A joined session begins up to a frame later than the one
    before ends, so that its own sound falls on that grid: both stay exactly together.
    """
    layout = Layout(selections[0].run.init.audio_format.silent_frame)
    starts: list[int] = []
    sound_start = 0.0
    previous: Selection | None = None
    for selection in selections:
        rate = selection.run.init.audio_format.sample_rate
        shown_at = samples_at(selection.start_ticks, rate)
        start = 0
        if previous is not None:
            start = starts[-1] + previous.end_ticks - previous.start_ticks
            if gaps == Gaps.KEEP:
                start += _pause_ticks(previous, selection)
        if previous is None and selection.first_audio is None:
            length = samples_at(selection.end_ticks - selection.start_ticks, rate)
            layout.add_silence(ceil(length / AAC_FRAME_SAMPLES))
        elif previous is None and selection.first_audio is not None:
            sound_start = shown_at - selection.first_audio
        elif selection.first_audio is not None:
            later = selection.first_audio - shown_at + sound_start
            # A sample less: rounding to ticks must not make an exact fit a frame late.
            place = max(
                layout.audio.samples,
                ceil((samples_at(start, rate) + later - 1) / AAC_FRAME_SAMPLES),
            )
            start = max(start, round((place * AAC_FRAME_SAMPLES - later) * VIDEO_TICKS / rate))
            layout.add_silence(place - layout.audio.samples)
        for part in selection.parts:
            layout.add_part(part)
        starts.append(start)
        previous = selection
    return starts, layout, sound_start


def _pause_ticks(earlier: Selection, later: Selection) -> int:
    pause = later.run.wall_clock(later.start_ticks) - earlier.run.wall_clock(earlier.end_ticks)
    return max(0, round(pause.total_seconds() * VIDEO_TICKS))


def _timing(
    selections: Sequence[Selection], starts: Sequence[int], sound_start: float, audio_frames: int
) -> Timing:
    first, last = selections[0], selections[-1]
    shown = np.concatenate(
        [one.pts - one.start_ticks + start for one, start in zip(selections, starts, strict=True)]
    )
    duration = starts[-1] + last.end_ticks - last.start_ticks
    decode = decode_times(shown)
    hidden = -int(decode[0])
    # Decode times moved before all presentation times: composition offsets without sign, which
    # every player reads.
    ahead = int((decode - shown).max())
    rate = first.run.init.audio_format.sample_rate
    empty = round(max(0.0, -sound_start) * VIDEO_TICKS / rate)
    sounding = round((audio_frames * AAC_FRAME_SAMPLES - sound_start) * VIDEO_TICKS / rate)
    sound = Edit(max(1, min(duration, sounding) - empty), round(max(0.0, sound_start)))
    return Timing(
        decode=decode + hidden,
        offsets=shown - decode + ahead,
        video_end=duration + hidden,
        duration=duration,
        video_edits=(Edit(duration, hidden + ahead),),
        audio_edits=(Edit(empty, -1), sound) if empty else (sound,),
    )

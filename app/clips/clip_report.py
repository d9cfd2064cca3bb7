"""What a clip holds, said honestly beside what was asked for. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import PurePosixPath

from app.clips import chapters, play_time
from app.media.movie import Movie, MovieSpan, Pause
from app.media.pauses import PauseKind
from app.models import (
    CaptureRow,
    ClipFields,
    ClipGap,
    ClipNote,
    ClipRow,
    ClockKind,
    FileRow,
    GapWhy,
    MediaRange,
)
from app.models.intervals import Interval

_NAME_BYTES = 200
_LATE_SECONDS = 0.25
"""What is missing at either end is noted from here on. Below it, at the end, are the last pictures
of a precise cut that need later ones, at most three of 15 a second."""
_INHERITED = (ClipNote.CLOCK_APPROXIMATE, ClipNote.WHILE_PRESENT)
"""What is so of any part of a clip of which it is so."""
_WHY = {
    PauseKind.HOLE: GapWhy.NO_PICTURE,
    PauseKind.LOST: GapWhy.LOST,
    PauseKind.START: GapWhy.NO_PICTURE,
}


@dataclass(frozen=True)
class ClipContents:
    """What a clip shows, whichever way it was made."""

    spans: tuple[MovieSpan, ...]
    pauses: tuple[Pause, ...]
    duration_seconds: float
    hidden_head_seconds: float
    audio: bool
    width: int
    height: int

    @classmethod
    def of(cls, movie: Movie) -> ClipContents:
        return cls(
            spans=movie.spans,
            pauses=movie.pauses,
            duration_seconds=movie.duration_seconds,
            hidden_head_seconds=movie.hidden_head_seconds,
            audio=movie.audio,
            width=movie.width,
            height=movie.height,
        )


def fields(
    capture: CaptureRow,
    contents: ClipContents,
    made_of: Sequence[MediaRange],
    *,
    exact_clock: bool,
) -> ClipFields:
    """The fields of the clip's row that depend on its media, which was looked for in `made_of`."""
    start, end = contents.spans[0].start, contents.spans[-1].end
    missing = (capture["window_end"] - end).total_seconds()
    gaps = _gaps(contents, made_of)
    notes = [*capture["notes"]]
    is_late = missing > _LATE_SECONDS
    if ClipNote.WHILE_PRESENT in notes and _is_whole(capture, gaps) and not is_late:
        notes.remove(ClipNote.WHILE_PRESENT)
    if _lacks_head(capture, start, gaps) and ClipNote.START_CLAMPED not in notes:
        notes.append(ClipNote.START_CLAMPED)
    if is_late and ClipNote.END_CLAMPED not in notes:
        notes.append(ClipNote.END_CLAMPED)
    if is_late and capture["permitted_until"] is not None:
        notes.append(ClipNote.PERMISSION_ENDED)
    clock = ClockKind.EXACT if exact_clock else ClockKind.APPROXIMATE
    return _told(capture, contents, (start, end), gaps, notes, clock)


def trimmed(
    capture: CaptureRow, contents: ClipContents, source: ClipRow, *, clock: datetime
) -> ClipFields:
    """The fields of the row of a clip that is a part of another one, `source`.

    `clock`: what the clock of `contents` says at the source's first picture.
    """
    begin, finish = contents.spans[0].start, contents.spans[-1].end
    start = play_time.instant(source, (begin - clock).total_seconds())
    end = play_time.instant(source, (finish - clock).total_seconds(), is_end=True)
    notes = [note for note in source["notes"] if note in _INHERITED]
    if (start - capture["requested_start"]).total_seconds() > _LATE_SECONDS:
        notes.append(ClipNote.START_CLAMPED)
    if (capture["requested_end"] - end).total_seconds() > _LATE_SECONDS:
        notes.append(ClipNote.END_CLAMPED)
    gaps = play_time.gaps_between(source, start, end)
    told = _told(capture, contents, (start, end), gaps, notes, source["clock"])
    part = ((begin - clock).total_seconds(), (finish - clock).total_seconds())
    return {**told, "chapters": chapters.within(source["chapters"], *part)}


def _told(
    capture: CaptureRow,
    contents: ClipContents,
    delivered: Interval,
    gaps: list[ClipGap],
    notes: list[ClipNote],
    clock: ClockKind,
) -> ClipFields:
    start, end = delivered
    return {
        "delivered_start": start,
        "delivered_end": end,
        "duration_seconds": contents.duration_seconds,
        "hidden_head_seconds": contents.hidden_head_seconds,
        "tail_lag_seconds": max(0.0, (capture["requested_end"] - end).total_seconds()),
        "gaps": gaps,
        "chapters": [],
        "notes": notes,
        "audio": contents.audio,
        "width": contents.width,
        "height": contents.height,
        "cut": capture["cut"],
        "clock": clock,
    }


def _is_whole(capture: CaptureRow, gaps: Sequence[ClipGap]) -> bool:
    """Whether the caller was in the room for all of the window."""
    window = (capture["window_start"], capture["window_end"])
    asked = (capture["requested_start"], capture["requested_end"])
    return window == asked and not any(gap["why"] == GapWhy.NOT_PRESENT for gap in gaps)


def _lacks_head(capture: CaptureRow, start: datetime, gaps: Sequence[ClipGap]) -> bool:
    """Whether the window begins well before what is shown, and no gap says why.

    Where media begins is not known yet when a share that is only starting is captured.
    """
    told = min([start, *(gap["start"] for gap in gaps)])
    return (told - capture["window_start"]).total_seconds() > _LATE_SECONDS


def _gaps(contents: ClipContents, made_of: Sequence[MediaRange]) -> list[ClipGap]:
    """The pauses in order of time: {start, end, why, kept}.

    `why`: `no-picture` (nothing new on the screen, or none to begin with), `lost` (segments that
    are missing), `not-recorded` (between two sessions), `not-present` (between two stays).
    """
    between = [pause for pause in contents.pauses if pause.kind is PauseKind.SESSION]
    # In order: the pause between each span and the next.
    found = [
        _gap(pause, _why(earlier, later, made_of))
        for pause, (earlier, later) in zip(between, pairwise(contents.spans), strict=True)
    ]
    found += [_gap(pause, _WHY[pause.kind]) for pause in contents.pauses if pause.kind in _WHY]
    return sorted((gap for gap in found if gap["start"] < gap["end"]), key=lambda gap: gap["start"])


def _why(earlier: MovieSpan, later: MovieSpan, made_of: Sequence[MediaRange]) -> GapWhy:
    if earlier.session != later.session:
        return GapWhy.NOT_RECORDED
    ends = [each["end_ticks"] for each in made_of if each["session_id"] == later.session]
    parted = any(earlier.end_ticks <= end <= later.start_ticks for end in ends)
    return GapWhy.NOT_PRESENT if parted else GapWhy.LOST


def _gap(pause: Pause, why: GapWhy) -> ClipGap:
    return {"start": pause.start, "end": pause.end, "why": why, "kept": pause.kept}


def named(file: FileRow, row: ClipRow, room: str, *, tells_when: bool = True) -> FileRow:
    """A file of a clip, named by the title that its row has, or by `room`, and by its time."""
    suffix = PurePosixPath(file["storage_path"]).suffix
    start = play_time.begin(row) if tells_when else None
    return {**file, "filename": filename(row["title"], room, start, suffix)}


def filename(title: str, room: str, start: datetime | None, suffix: str = ".mp4") -> str:
    """A name to save the clip under, for any title: no separators, nothing hidden, not too long.

    File systems take 255 bytes, and a character may have four.
    """
    text = "".join(char if char not in '/\\:*?"<>|' else "-" for char in title or room)
    text = "".join(char for char in text if char.isprintable()).strip(" .")
    text = text[:80].encode()[:_NAME_BYTES].decode(errors="ignore")
    when = f" {start:%Y-%m-%d %H.%M.%S}" if start is not None else ""
    return f"{text.strip(' .') or 'replay'}{when}{suffix}"

"""What a clip holds, said honestly beside what was asked for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.media.movie import Movie, MovieSpan, Pause
from app.models import CaptureRow, ClipFields, ClipGap, ClipNote, ClockKind, GapWhy

_LATE_SECONDS = 0.25
"""What is missing at the end is noted from here on: below it are the last pictures of a precise cut
that need later ones, at most three of 15 a second."""
_WHY = {"hole": GapWhy.NO_PICTURE, "lost": GapWhy.LOST, "start": GapWhy.NO_PICTURE}


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


def fields(capture: CaptureRow, contents: ClipContents, *, exact_clock: bool) -> ClipFields:
    """The fields of the clip's row that depend on its media."""
    start, end = contents.spans[0].start, contents.spans[-1].end
    missing = (capture["window_end"] - end).total_seconds()
    notes = [*capture["notes"]]
    if missing > _LATE_SECONDS and ClipNote.END_CLAMPED not in notes:
        notes.append(ClipNote.END_CLAMPED)
    return {
        "delivered_start": start,
        "delivered_end": end,
        "duration_seconds": contents.duration_seconds,
        "hidden_head_seconds": contents.hidden_head_seconds,
        "tail_lag_seconds": max(0.0, (capture["requested_end"] - end).total_seconds()),
        "gaps": _gaps(contents),
        "notes": notes,
        "audio": contents.audio,
        "width": contents.width,
        "height": contents.height,
        "clock": ClockKind.EXACT if exact_clock else ClockKind.APPROXIMATE,
    }


def _gaps(contents: ClipContents) -> list[ClipGap]:
    """The pauses in order of time: {start, end, why, kept}.

    `why`: `no-picture` (nothing new on the screen, or none to begin with), `lost` (segments that
    are missing), `not-recorded` (between two sessions).
    """
    between = [pause for pause in contents.pauses if pause.kind == "session"]
    # In order: the pause between each span and the next.
    same = [
        earlier.session == later.session
        for earlier, later in zip(contents.spans, contents.spans[1:], strict=False)
    ]
    found = [
        _gap(pause, GapWhy.LOST if one_session else GapWhy.NOT_RECORDED)
        for pause, one_session in zip(between, same, strict=True)
    ]
    found += [_gap(pause, _WHY[pause.kind]) for pause in contents.pauses if pause.kind in _WHY]
    return sorted((gap for gap in found if gap["start"] < gap["end"]), key=lambda gap: gap["start"])


def _gap(pause: Pause, why: GapWhy) -> ClipGap:
    return {"start": pause.start, "end": pause.end, "why": why, "kept": pause.kept}


def filename(title: str, room: str, start: datetime) -> str:
    """A name to save the clip under, for any title: no separators, nothing hidden, not too long."""
    text = "".join(char if char not in '/\\:*?"<>|' else "-" for char in title or room)
    text = "".join(char for char in text if char.isprintable()).strip(" .")
    return f"{text[:80].strip(' .') or 'replay'} {start:%Y-%m-%d %H.%M.%S}.mp4"

"""Our way to make a clip, as the capture job does it once it has read the rows."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.media import movie, movie_bytes
from app.models import Gaps, MediaRange
from app.viewing import fragment_sources
from tests.bench.recorded import load
from tests.rows import PartOfRow


@dataclass(frozen=True)
class Rows:
    """The rows of a capture's segments, as they come from the database."""

    media_root: Path
    session: PartOfRow
    segments: Sequence[PartOfRow]


def read(made: Path, first: int, end: int, repeats: int) -> Rows:
    """Rows [first, end) of a recording, so many times after another."""
    recorded = load(made)
    segments = recorded.repeated(first, end, repeats)
    return Rows(recorded.media_root, recorded.session, segments)


def join(rows: Rows, span: tuple[int, int], out: Path) -> None:
    """Plans the clip of a stretch of the session and writes it."""
    session_id = rows.session["_id"]
    stretch = MediaRange(session_id=session_id, start_ticks=span[0], end_ticks=span[1])
    sessions = {session_id: rows.session}
    runs = fragment_sources.runs_of(
        rows.media_root, sessions, [stretch], [rows.segments], Gaps.SKIP
    )
    movie_bytes.write(movie.plan(runs), str(out))


def warm_up(rows: Rows) -> None:
    """Everything once over, with the first two segments: a service has long been running."""
    few = replace(rows, segments=rows.segments[:2])
    span = (few.segments[0]["start_ticks"], few.segments[-1]["end_ticks"])
    with tempfile.TemporaryDirectory() as folder:
        join(few, span, Path(folder, "warm.mp4"))

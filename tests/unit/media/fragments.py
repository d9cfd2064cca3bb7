"""Recordings turned into fragments on disk, clips made of them, claims put to the checker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.media.continuity import Continuity
from app.media.fragment import prepare
from app.media.init_segment import Init
from app.media.movie import Movie, Run, Source, plan
from app.media.movie_bytes import write
from app.media.prepared_fragment import Prepared
from app.media.samples import SampleTable
from tests.media_factory import Recording
from tests.packet_checker import TICKS, Media, Shown, read_transport

CLOCK = datetime(2026, 11, 22, 20, 48, 13, 250_000, tzinfo=UTC)


@dataclass(frozen=True)
class Fragments:
    """One session's fragments on disk, and its packets as they were in the `.ts` files."""

    init: Init
    paths: tuple[Path, ...]
    sources: tuple[Source, ...]
    prepared: tuple[Prepared, ...]
    media: Media

    @property
    def end_ticks(self) -> int:
        return self.prepared[-1].end_pts

    def run(
        self,
        start: int = 0,
        end: int | None = None,
        *,
        session: str = "one",
        after_seconds: float = 0.0,
        sources: Sequence[Source] | None = None,
    ) -> Run:
        """A window of the session in ticks; its clock starts `after_seconds` after CLOCK."""
        return Run(
            session,
            self.init,
            self.sources if sources is None else sources,
            start,
            self.end_ticks + 10 * TICKS if end is None else end,
            CLOCK + timedelta(seconds=after_seconds),
        )


def prepare_all(recording: Recording, folder: Path) -> Fragments:
    """Prepare each segment after the other, as the indexer does, and write the fragments."""
    folder.mkdir(parents=True)
    previous: Continuity | None = None
    sources: list[Source] = []
    prepared: list[Prepared] = []
    base_ticks = round(recording.base_seconds * TICKS)
    for segment in recording.segments:
        one = prepare(str(segment.path), segment.extinf_seconds, previous, base_ticks=base_ticks)
        previous = one.continuity
        path = folder / f"{segment.path.stem}.m4s"
        path.write_bytes(one.data)
        table = SampleTable.unpack(one.samples.pack())
        sources.append(Source(str(path), len(one.data), one.payload_offset, table))
        prepared.append(one)
    (folder / "init.mp4").write_bytes(prepared[0].init.data)
    paths = [segment.path for segment in recording.segments]
    return Fragments(
        prepared[0].init,
        tuple(paths),
        tuple(sources),
        tuple(prepared),
        read_transport(paths, recording.base_seconds),
    )


def clip_of(runs: Sequence[Run], folder: Path, **options: Any) -> tuple[Movie, Path]:
    """Plan and write a clip."""
    movie = plan(runs, **options)
    path = folder / "clip.mp4"
    path.unlink(missing_ok=True)
    write(movie, str(path))
    assert path.stat().st_size == movie.size_bytes
    return movie, path


def claims(movie: Movie, runs: Sequence[Run]) -> list[Shown]:
    """What the movie says it shows, for the checker."""
    asked = {run.session: run.end_ticks / TICKS for run in runs}
    return [
        Shown(
            span.session,
            span.start_ticks / TICKS,
            span.end_ticks / TICKS,
            span.movie_seconds,
            asked[span.session],
        )
        for span in movie.spans
    ]

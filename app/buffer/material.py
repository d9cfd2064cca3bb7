"""What a movie of a window is planned from: the rows of its segments as runs of fragments.

Reading the rows and planning are apart, since the second blocks and belongs in a thread.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from app.buffer import windows
from app.buffer.windows import Stretch
from app.media.init_segment import Init
from app.media.runs import Run, Source
from app.media.samples import SampleTable
from app.models import EgressSession
from app.store import Row, Store

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Material:
    """The spans of a window, each with its session's row and the rows of its segments in order.

    Segments come with the one before the first, for the sound of the first instant.
    """

    spans: tuple[Stretch, ...]
    sessions: tuple[Row, ...]
    segments: tuple[tuple[Row, ...], ...]

    @property
    def fingerprint(self) -> str:
        """32 hex digits that are others as soon as the movie would be another."""
        digest = hashlib.sha256()
        for span, session, rows in zip(self.spans, self.sessions, self.segments, strict=True):
            stretch = (span["session_id"], span["start_ticks"], span["end_ticks"])
            digest.update(repr((stretch, session["clock_ns"])).encode())
            digest.update(repr([(row["_id"], row["size_bytes"]) for row in rows]).encode())
        return digest.hexdigest()[:32]

    def runs(self, media_root: Path) -> list[Run]:
        """The runs for `app.media.movie.plan`. Blocks.

        Raises FileNotFoundError if an init segment is gone.
        """
        return [
            run
            for span, session, rows in zip(self.spans, self.sessions, self.segments, strict=True)
            for run in _runs(media_root / session["folder"], span, session, rows)
        ]


async def gather(store: Store, spans: Sequence[Stretch]) -> Material:
    """The rows of a window's segments. Spans of which nothing is left are left out."""
    found = await windows.segments(store, spans, lead=True)
    ids = [span["session_id"] for span in spans]
    rows = await store.rows(EgressSession).find({"_id": {"$in": ids}}).to_list(None)
    sessions = {row["_id"]: row for row in rows}
    kept = [
        (span, sessions[span["session_id"]], tuple(segments))
        for span, segments in zip(spans, found, strict=True)
        if segments and span["session_id"] in sessions
    ]
    return Material(
        spans=tuple(span for span, _, _ in kept),
        sessions=tuple(session for _, session, _ in kept),
        segments=tuple(segments for _, _, segments in kept),
    )


def _runs(folder: Path, span: Stretch, session: Row, rows: Sequence[Row]) -> list[Run]:
    """One run per init, which changes within a session only if its encoding does."""
    runs: list[Run] = []
    for init_id, group in groupby(rows, key=lambda row: str(row["init_id"])):
        members = list(group)
        # Each run shows its own part of the span; between two of them lies their border.
        start = span["start_ticks"] if not runs else members[0]["start_ticks"]
        end = span["end_ticks"] if members[-1] is rows[-1] else members[-1]["end_ticks"]
        if start < end:
            runs.append(
                Run(
                    session=session["_id"],
                    init=_init(folder / f"init-{init_id}.mp4"),
                    sources=[_source(folder, row) for row in members],
                    start_ticks=start,
                    end_ticks=end,
                    clock_start=_EPOCH + timedelta(microseconds=session["clock_ns"] // 1000),
                )
            )
    return runs


def _source(folder: Path, row: Row) -> Source:
    return Source(
        path=str(folder / row["name"]),
        size_bytes=row["size_bytes"],
        payload_offset=row["payload_offset"],
        samples=SampleTable.unpack(row["samples"]),
    )


@lru_cache(maxsize=256)
def _init(path: Path) -> Init:
    """An init segment; its name is a hash of what it holds, so it never changes."""
    return Init.parse(path.read_bytes())

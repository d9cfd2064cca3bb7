"""A share that was recorded: its `.ts` segments, its fragments and their rows, as an indexer leaves
them. Kept from one run of the benchmarks to the next.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bson
from bson.codec_options import CodecOptions
from odmantic import Model

from app.buffer import clock, paths, summary
from app.buffer.coverage import Coverage, run_of
from app.buffer.session_folders import fragment_path
from app.media.continuity import Continuity
from app.media.fragment import prepare
from app.media.loudness import levels_of
from app.media.samples import VIDEO_TICKS, SampleTable
from app.models import EgressStatus
from app.models.schema import Buffer, EgressSession, Segment
from app.storage.instance import instance_id
from app.store import Store
from tests.bench import media
from tests.bench.media import Shape
from tests.bench.stretching import Stretcher
from tests.rows import PartOfRow, document

ROOM, ROOM_SID = "bench", "RM_bench"
TICKS = 90_000
_INDEX = "index.bson"
_MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)
_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)


@dataclass(frozen=True)
class Recorded:
    """One session. `ts[i]`, `fragments[i]` and `rows[i]` are the same segment."""

    media_root: Path
    ts: Sequence[Path]
    buffer: PartOfRow
    session: PartOfRow
    rows: Sequence[PartOfRow]

    @property
    def made(self) -> Path:
        """Where it lies, for `load`."""
        return self.media_root.parent

    @property
    def fragments(self) -> list[Path]:
        folder = fragment_path(self.media_root, self.session)
        return [folder / row["name"] for row in self.rows]

    @property
    def seconds(self) -> float:
        return float(self.rows[-1]["end_ticks"] - self.rows[0]["start_ticks"]) / TICKS

    def repeated(self, first: int, end: int, times: int) -> list[PartOfRow]:
        """Rows [first, end), so many times after another, for longer media than was written.

        Later ones have other ids and times, and name the same files.
        """
        once = self.rows[first:end]
        lasts = once[-1]["end_ticks"] - once[0]["start_ticks"]
        return [
            _later(row, turn * lasts, turn * len(self.rows))
            for turn in range(times)
            for row in once
        ]

    async def put(self, store: Store, newest: datetime, times: int = 1) -> None:
        """Writes the rows, repeated, into a database, so that the media ends at `newest`."""
        rows = self.repeated(0, len(self.rows), times)
        clock_ns = round(newest.timestamp() * 1e9) - rows[-1]["end_ticks"] * 100_000 // 9
        begin = clock.wall(clock_ns, 0)
        session = self.session | {"clock_ns": clock_ns, "created_at": begin, "ended_at": newest}
        buffer = self.buffer | {"since": begin, "ended_at": newest}
        for model, row in ((Buffer, buffer), (EgressSession, session)):
            await store.database[+model].replace_one({"_id": row["_id"]}, row, upsert=True)
        segments = store.rows(Segment)
        await segments.delete_many({"session_id": session["_id"]})
        await segments.insert_many([row | clock.span(clock_ns, row) for row in rows])
        coverage = Coverage(map(run_of, rows))
        await summary.write(store, session["_id"], coverage, 0, newest)


def _later(row: PartOfRow, ticks: int, numbers: int) -> PartOfRow:
    samples = SampleTable.unpack(row["samples"])
    later = replace(
        samples,
        first_pts=samples.first_pts + ticks,
        end_pts=samples.end_pts + ticks,
        first_audio=samples.first_audio + ticks * samples.sample_rate // VIDEO_TICKS,
    )
    number = row["sequence"] + numbers
    return row | {
        "_id": f"{row['session_id']}:{number}",
        "sequence": number,
        "start_ticks": row["start_ticks"] + ticks,
        "end_ticks": row["end_ticks"] + ticks,
        "samples": later.pack(),
    }


def recorded(
    folder: Path, shape: Shape, cycle: Sequence[Path], seconds: int, each: int
) -> Recorded:
    """A session of `seconds` in segments of `each` seconds, from a cycle's segments repeated."""
    made = folder / f"kept-{shape.name}-{each}s-{seconds}s"
    if not _is_current(made):
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        _record(made, shape, cycle, seconds, each)
    return load(made)


def _is_current(made: Path) -> bool:
    """Whether the rows that lie there are such as an indexer would write today."""
    try:
        index = bson.decode((made / _INDEX).read_bytes(), _OPTIONS)
    except FileNotFoundError:
        return False
    fields: list[tuple[type[Model], PartOfRow]] = [
        (Segment, index["rows"][0]),
        (EgressSession, index["session"]),
    ]
    return all(set(row) == set(model.model_fields) - {"id"} | {"_id"} for model, row in fields)


def load(made: Path) -> Recorded:
    """The session that was made in this folder."""
    index = bson.decode((made / _INDEX).read_bytes(), _OPTIONS)
    ts = [made / "ts" / f"{number:05d}.ts" for number in range(len(index["rows"]))]
    return Recorded(made / "media", ts, index["buffer"], index["session"], index["rows"])


def _record(made: Path, shape: Shape, cycle: Sequence[Path], seconds: int, each: int) -> None:
    root = made / "media"
    session_id = paths.new_session_id(instance_id(root), _MADE_AT)
    buffer_id = paths.buffer_id(instance_id(root), ROOM_SID, "TR_bench")
    share: dict[str, Any] = {
        "room": ROOM,
        "room_sid": ROOM_SID,
        "identity": "sharer",
        "video_sid": "TR_bench",
    }
    session = EgressSession(
        id=session_id,
        buffer_id=buffer_id,
        folder=str(paths.session_folder(ROOM, "sharer", session_id)),
        created_at=_MADE_AT,
        active_at=_MADE_AT,
        ended_at=_MADE_AT,
        segment_seconds=each,
        role=None,
        status=EgressStatus.COMPLETE,
        clock_ns=0,
        clock_exact=True,
        indexing=None,
        **share,
    )
    buffer = Buffer(id=buffer_id, participant_sid="PA_bench", since=_MADE_AT, **share)
    folder = fragment_path(root, document(session))
    folder.mkdir(parents=True)
    (made / "ts").mkdir()
    stretcher = Stretcher()
    continuity: Continuity | None = None
    rows: list[PartOfRow] = []
    for number in range(seconds // each):
        turn, place = divmod(number, len(cycle))
        ticks = turn * len(cycle) * each * TICKS
        path = made / "ts" / f"{number:05d}.ts"
        path.write_bytes(stretcher.shifted(cycle[place].read_bytes(), ticks))
        prepared = prepare(str(path), each, continuity)
        continuity = prepared.continuity
        init_path = folder / paths.init_name(prepared.init.id)
        if not init_path.exists():
            init_path.write_bytes(prepared.init.data)
        name = paths.fragment_name(number)
        (folder / name).write_bytes(prepared.data)
        modified_ns = (folder / name).stat().st_mtime_ns
        row = Segment(
            id=f"{session_id}:{number}",
            session_id=session_id,
            buffer_id=buffer_id,
            sequence=number,
            name=name,
            start=_MADE_AT,
            end=_MADE_AT,
            start_ticks=prepared.first_pts,
            end_ticks=prepared.end_pts,
            extinf_seconds=each,
            size_bytes=len(prepared.data),
            modified_ns=modified_ns,
            payload_offset=prepared.payload_offset,
            init_id=prepared.init.id,
            audio=prepared.audio,
            frames=prepared.frames,
            width=shape.width,
            height=shape.height,
            samples=prepared.samples.pack(),
            levels=levels_of(prepared),
            indexed_at=_MADE_AT,
        )
        rows.append(row.model_dump_doc())
    index = {
        "session": session.model_dump_doc(),
        "buffer": buffer.model_dump_doc(),
        "rows": rows,
    }
    media.flush([*folder.iterdir(), *(made / "ts").iterdir()])
    (made / _INDEX).write_bytes(bson.encode(index))

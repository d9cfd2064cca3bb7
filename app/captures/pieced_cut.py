"""Exact cuts at the price of their ends: two groups of pictures encoded, the rest copied."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import ffmpeg  # type: ignore[import-untyped]  # ffmpeg-python has no types

from app.captures import ffmpeg_process
from app.captures.ffmpeg_process import Effort
from app.captures.part_file import PartWriter, WrittenPart
from app.captures.progress import Fraction, WorkReport
from app.captures.slots import CallersSlots
from app.media import h264, movie
from app.media.ends import Ends, OtherPictures, Piece
from app.media.init_segment import Init
from app.media.movie import Movie, Run, Source
from app.media.prepared_fragment import Prepared
from app.models import CaptureStage, Gaps
from app.storage import clip_files

PIECES_FRACTION = 0.9
"""Of the progress."""
# One group of pictures without B-frames, each at its own time. The better preset's size doesn't
# matter in so few pictures.
_VIDEO = {
    "vcodec": "libx264",
    "profile:v": "main",
    "preset": "veryfast",
    "crf": 18,
    "bf": 0,
    "g": 100_000,
    "pix_fmt": "yuv420p",
    "fps_mode": "passthrough",
    "enc_time_base": "1:90000",
}
_PIECES = ("head", "tail")
_MOST_SETS = 32
"""As H.264 counts them. Clips that are cut from clips have more and more of them."""


@dataclass(frozen=True)
class _Encoded:
    source: Source
    init: Init


async def make(
    pieces: Ends,
    part: Path,
    report: WorkReport,
    slots: CallersSlots,
    writer: PartWriter,
    *,
    gaps: Gaps,
) -> WrittenPart:
    """Writes the part. Raises Lost, and what `pieced` raises."""
    files: list[Path] = []

    async def encode(effort: Effort) -> Movie:
        await report.stage(CaptureStage.ENCODING)
        fraction = Fraction(0.0, PIECES_FRACTION)
        encoding = pieced(pieces, part, files, effort, writer, gaps=gaps, on_progress=fraction.set)
        return await report.watch(encoding, fraction)

    try:
        planned = await slots.encode(pieces.pixels, encode)
        async with slots.copying():
            await report.stage(CaptureStage.COPYING)
            fraction = Fraction(PIECES_FRACTION, 1.0)
            listing = await report.watch(writer.part(planned, part, fraction.set), fraction)
    finally:
        for path in files:
            path.unlink(missing_ok=True)
    return WrittenPart.of(planned, listing)


async def pieced(
    ends: Ends,
    part: Path,
    files: list[Path],
    effort: Effort,
    writer: PartWriter,
    *,
    gaps: Gaps,
    on_progress: Callable[[float], None],
) -> Movie:
    """The movie of `ends`, its pieces encoded into files beside `part`.

    Their paths are added to `files`, before they are there: the caller removes them once the
    movie is written, or given up. `on_progress` is told the fraction that is encoded. Raises
    OtherPictures, FfmpegFailed, StorageFull, SegmentChanged, Unpreparable, PutOff.
    """
    pieces = {name: one for name in _PIECES if (one := getattr(ends, name)) is not None}
    ids = dict(zip(pieces, _free_ids(ends.runs), strict=False))
    if len(ids) < len(pieces):
        raise OtherPictures("its media has all the parameter sets that it may have")
    whole = sum(piece.seconds for piece in pieces.values())
    done = 0.0
    made: dict[str, _Encoded] = {}
    for name, piece in pieces.items():

        def report(seconds: float, before: float = done, length: float = piece.seconds) -> None:
            on_progress((before + min(seconds, length)) / whole if whole else 1.0)

        made[name] = await _encoded(name, ids[name], piece, part, files, effort, writer, report)
        done += piece.seconds
    sources = {name: made[name].source if name in made else None for name in _PIECES}
    return await asyncio.to_thread(
        movie.plan,
        ends.joined(sources["head"], sources["tail"]),
        gaps=gaps,
        encoded=[one.init for one in made.values()],
    )


def _free_ids(runs: Sequence[Run]) -> list[int]:
    """Ids of parameter sets that no picture of the runs is decoded by, as far as they tell."""
    taken = set[int]().union(*(h264.set_ids(run.init.avcc) for run in runs))
    return [each for each in range(1, _MOST_SETS) if each not in taken]


async def _encoded(
    name: str,
    set_id: int,
    piece: Piece,
    part: Path,
    files: list[Path],
    effort: Effort,
    writer: PartWriter,
    on_progress: Callable[[float], None],
) -> _Encoded:
    given, stream, result = (
        clip_files.beside(part, f"{name}-{kind}") for kind in ("in", "ts", "out")
    )
    files += [given, stream, result]
    planned = await asyncio.to_thread(movie.plan, [piece.run])
    await writer.input(planned, given, lambda _: None)
    command = argv(given, stream, effort, pictures=len(piece.pts), set_id=set_id)
    longest = ffmpeg_process.longest_seconds(piece.seconds)
    await ffmpeg_process.run(command, effort, on_progress=on_progress, run_seconds=longest)
    return await asyncio.to_thread(_read, piece, stream, result)


def argv(given: Path, stream: Path, effort: Effort, *, pictures: int, set_id: int) -> list[str]:
    """ffmpeg's command line: the first `pictures` of a file, as one group in MPEG-TS."""
    output = ffmpeg.output(
        ffmpeg.input(f"file:{given}", **effort.threads).video,
        f"file:{stream}",
        format="mpegts",
        map_metadata=-1,
        **{"frames:v": pictures, "x264-params": f"sps-id={set_id}:scenecut=0"},
        **_VIDEO,
        **effort.threads,
    )
    made: list[str] = output.compile()
    return made


def _read(piece: Piece, stream: Path, result: Path) -> _Encoded:
    # In this process: our own encoder has written it, and no byte of it is a stranger's. But libav
    # is loaded with the first such cut: it takes 17 MB.
    from app.media import fragment

    made: Prepared = fragment.prepare(str(stream), piece.seconds, base_ticks=0)
    with clip_files.disk_errors():
        result.write_bytes(made.data)
    return _Encoded(piece.encoded(str(result), made), made.init)

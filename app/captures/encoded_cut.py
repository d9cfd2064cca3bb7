"""Exact cuts: the window re-encoded, so that what was cut off is really not in the file.

It is planned as for a precise cut, but up to the end of the last segment: so pictures before the
window's end that lean on later ones can be decoded, and the encoder cuts at the very end. Sessions
of other sizes are scaled into the largest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ffmpeg  # type: ignore[import-untyped]  # ffmpeg-python has no types

from app.captures import ffmpeg_process
from app.captures.ffmpeg_process import Effort
from app.captures.part_file import PartWriter, WrittenPart
from app.captures.progress import Fraction, WorkReport
from app.captures.slots import CallersSlots
from app.captures.verification import Expected
from app.clips.clip_report import ClipContents
from app.media import movie
from app.media.movie import Movie, NothingToShow, Pause, Run
from app.media.pauses import PauseKind
from app.models import CaptureStage, Gaps
from app.storage import clip_files

COPYING_FRACTION = 0.05
"""Of the progress."""
TOLERANCE_SECONDS = 0.25
"""An encoded picture or frame of sound ends where it ends."""
_TICKS = 90_000
# Below what can be seen on text and faces at half the time of the next better preset.
_VIDEO = {"vcodec": "libx264", "profile:v": "main", "preset": "veryfast", "crf": 21}
_AUDIO = {"acodec": "aac", "audio_bitrate": "160k"}
_SOUND_FORMAT = {"sample_rates": 48_000, "channel_layouts": "stereo"}


@dataclass(frozen=True)
class Encoding:
    """What is to be encoded: `movies` one after the other, of them the first `seconds`."""

    movies: Sequence[Movie]
    seconds: float
    contents: ClipContents

    @property
    def pixels(self) -> int:
        """Of all pictures that are encoded."""
        pictures = sum(each.frames for each in self.movies)
        return pictures * self.contents.width * self.contents.height


async def make(
    runs: Sequence[Run],
    part: Path,
    report: WorkReport,
    slots: CallersSlots,
    writer: PartWriter,
    *,
    gaps: Gaps,
) -> WrittenPart:
    """Writes the part. Raises Lost, NothingToShow, SegmentChanged, FfmpegFailed, StorageFull."""
    inputs: list[Path] = []
    try:
        async with slots.copying():
            encoding = await asyncio.to_thread(plan, runs, gaps)
            fraction = Fraction(0.0, COPYING_FRACTION)
            for number, planned in enumerate(encoding.movies):
                inputs.append(clip_files.beside(part, f"input{number}"))
                copying = writer.input(planned, inputs[-1], fraction.set)
                await report.watch(copying, fraction)

        async def encode_them(effort: Effort) -> None:
            await report.stage(CaptureStage.ENCODING)
            fraction = Fraction(COPYING_FRACTION, 1.0)
            encoded = encode(encoding, inputs, part, effort, on_progress=fraction.set)
            await report.watch(encoded, fraction)

        await slots.encode(encoding.pixels, encode_them)
    finally:
        for path in inputs:
            path.unlink(missing_ok=True)
    return WrittenPart(encoding.contents, expected(encoding))


def expected(encoding: Encoding) -> Expected:
    """What the file of an encoding must hold."""
    return Expected(
        size_bytes=None,
        width=encoding.contents.width,
        height=encoding.contents.height,
        duration_seconds=encoding.seconds,
        tolerance_seconds=TOLERANCE_SECONDS,
    )


def plan(runs: Sequence[Run], gaps: Gaps) -> Encoding:
    """The encoding of some runs. Raises NothingToShow."""
    movies = [made for each in _alike(runs) if (made := _planned(each, gaps)) is not None]
    if not movies:
        raise NothingToShow("no picture was on the screen in the window asked for")
    excess = 0
    if (last := _prolonged(_alike(runs)[-1], movies[-1], gaps)) is not None:
        movies[-1] = last
        excess = max(0, last.spans[-1].end_ticks - runs[-1].end_ticks)
    seconds = sum(each.duration_seconds for each in movies) - excess / _TICKS
    return Encoding(movies, seconds, _contents(movies, seconds, excess))


async def encode(
    encoding: Encoding,
    sources: Sequence[Path],
    target: Path,
    effort: Effort,
    *,
    on_progress: Callable[[float], None],
    skip_seconds: float = 0.0,
) -> None:
    """Encodes the movies, written to `sources`, into `target`, without the first `skip_seconds`.

    `on_progress` is told the share that is done, 0 to 1. Raises FfmpegFailed, StorageFull, PutOff.
    """
    await ffmpeg_process.run(
        argv(encoding, sources, target, effort, skip_seconds=skip_seconds),
        effort,
        on_progress=lambda seconds: on_progress(min(1.0, seconds / encoding.seconds)),
        run_seconds=ffmpeg_process.longest_seconds(encoding.seconds),
    )


def argv(
    encoding: Encoding,
    sources: Sequence[Path],
    target: Path,
    effort: Effort,
    *,
    skip_seconds: float = 0.0,
) -> list[str]:
    """ffmpeg's command line for an encoding."""
    options = effort.threads | ({"ss": f"{skip_seconds:.6f}"} if skip_seconds else {})
    video, audio = _joined(encoding, [ffmpeg.input(f"file:{path}", **options) for path in sources])
    begin = encoding.contents.spans[0].start.astimezone(UTC)
    metadata = {
        "map_metadata": -1,
        "metadata:g:0": f"creation_time={begin:%Y-%m-%dT%H:%M:%S.%fZ}",
    }
    output = ffmpeg.output(
        video,
        audio,
        f"file:{target}",
        t=f"{encoding.seconds:.6f}",
        format="mp4",
        movflags="+faststart",
        pix_fmt="yuv420p",
        fps_mode="passthrough",
        video_track_timescale=_TICKS,
        **_VIDEO,
        **_AUDIO,
        **metadata,
        **effort.threads,
    )
    made: list[str] = output.compile()
    return made


def _joined(encoding: Encoding, inputs: Sequence[Any]) -> tuple[Any, Any]:
    if len(inputs) == 1:
        return inputs[0].video, inputs[0].audio
    width, height = encoding.contents.width, encoding.contents.height
    streams: list[Any] = []
    for each in inputs:
        fitted = each.video.filter(
            "scale", width, height, force_original_aspect_ratio="decrease", force_divisible_by=2
        ).filter("pad", width, height, "(ow-iw)/2", "(oh-ih)/2")
        streams += [fitted.filter("setsar", 1), each.audio.filter("aformat", **_SOUND_FORMAT)]
    joined = ffmpeg.concat(*streams, v=1, a=1).node
    return joined[0], joined[1]


def _alike(runs: Sequence[Run]) -> list[list[Run]]:
    """Consecutive runs that can stand in one movie."""
    stretches: list[list[Run]] = []
    for run in runs:
        if stretches and _kind(stretches[-1][-1]) == _kind(run):
            stretches[-1].append(run)
        else:
            stretches.append([run])
    return stretches


def _kind(run: Run) -> object:
    return run.init.width, run.init.height, run.init.audio_format


def _planned(runs: Sequence[Run], gaps: Gaps) -> Movie | None:
    try:
        return movie.plan(runs, gaps=gaps)
    except NothingToShow:
        return None


def _prolonged(runs: Sequence[Run], as_asked: Movie, gaps: Gaps) -> Movie | None:
    """The last movie up to the end of its media; None if that shows other pictures than asked."""
    last = runs[-1]
    if as_asked.spans[-1].session != last.session or as_asked.spans[-1].standing:
        return None
    end = max(last.end_ticks, last.sources[-1].samples.end_pts)
    longer = _planned([*runs[:-1], replace(last, end_ticks=end)], gaps)
    return longer if longer and len(longer.spans) == len(as_asked.spans) else None


def _contents(movies: Sequence[Movie], seconds: float, excess: int) -> ClipContents:
    spans = [span for each in movies for span in each.spans]
    spans[-1] = replace(
        spans[-1],
        end_ticks=spans[-1].end_ticks - excess,
        end=spans[-1].end - timedelta(seconds=excess / _TICKS),
    )
    pauses: list[Pause] = []
    before: datetime | None = None
    for each in movies:
        if before is not None:
            begin = each.spans[0].start
            pauses.append(Pause(PauseKind.SESSION, before, max(before, begin), 0.0, kept=False))
        pauses += [pause for pause in each.pauses if pause.start < spans[-1].end]
        before = each.spans[-1].end
    largest = max(movies, key=lambda each: each.width * each.height)
    return ClipContents(
        spans=tuple(spans),
        pauses=tuple(pauses),
        duration_seconds=seconds,
        hidden_head_seconds=0.0,
        audio=any(each.audio for each in movies),
        width=largest.width,
        height=largest.height,
    )

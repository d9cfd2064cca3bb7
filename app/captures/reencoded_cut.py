"""A part of a clip that was encoded whole: encoded once more, and so exact."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from pathlib import Path

from app.captures import encoded_cut
from app.captures.encoded_cut import Encoding
from app.captures.ffmpeg_process import Effort
from app.captures.part_file import WrittenPart
from app.captures.progress import Fraction, WorkReport
from app.captures.slots import CallersSlots
from app.captures.trim_media import TrimMedia
from app.clips.clip_report import ClipContents
from app.media.movie import MovieSpan
from app.media.samples import VIDEO_TICKS
from app.models import CaptureStage

_MOST_A_SECOND = 60
"""Pictures. How many the file has is not known here."""


async def make(
    media: TrimMedia, part: Path, report: WorkReport, slots: CallersSlots
) -> WrittenPart:
    """Writes the part. Raises Lost, FfmpegFailed, StorageFull."""
    start, end = media.part["start_seconds"], media.part["end_seconds"]
    encoding = Encoding((), end - start, _contents(media, start, end))

    async def encode(effort: Effort) -> None:
        await report.stage(CaptureStage.ENCODING)
        fraction = Fraction()
        encoded = encoded_cut.encode(
            encoding,
            [media.source.path],
            part,
            effort,
            on_progress=fraction.set,
            skip_seconds=start,
        )
        await report.watch(encoded, fraction)

    pictures = ceil(encoding.seconds * _MOST_A_SECOND)
    await slots.encode(pictures * encoding.contents.width * encoding.contents.height, encode)
    return WrittenPart(encoding.contents, encoded_cut.expected(encoding))


def _contents(media: TrimMedia, start: float, end: float) -> ClipContents:
    clip = media.clip
    span = MovieSpan(
        session=clip["_id"],
        start_ticks=round(start * VIDEO_TICKS),
        end_ticks=round(end * VIDEO_TICKS),
        start=media.clock + timedelta(seconds=start),
        end=media.clock + timedelta(seconds=end),
        movie_seconds=0.0,
        standing=False,
    )
    return ClipContents(
        spans=(span,),
        pauses=(),
        duration_seconds=end - start,
        hidden_head_seconds=0.0,
        audio=clip["audio"],
        width=clip["width"],
        height=clip["height"],
    )

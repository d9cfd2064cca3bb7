"""How a rendition is encoded: frame rates, codecs, quality."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from pathlib import Path
from typing import Any

import ffmpeg  # type: ignore[import-untyped]  # ffmpeg-python has no types

from app.captures import ffmpeg_process, side_by_side, side_by_side_film
from app.captures.encoded_cut import TOLERANCE_SECONDS
from app.captures.failures import NotAsPlanned
from app.captures.ffmpeg_process import Effort
from app.captures.rendition_kinds import KINDS, size_of
from app.captures.verification import Expected
from app.models import ClipRow, RenditionFormat, RenditionRow

MOST_A_SECOND = 60
"""Pictures of a film. How many the clip's file has is not known here."""
PICTURE_SECONDS = 300.0
"""Some times what a moving picture takes, whose encoder tells of nothing before its end."""
_RATES = {RenditionFormat.GIF: 10, RenditionFormat.WEBP: 15}
"""Pictures a second of those that move. A GIF counts in hundredths of a second."""
_PALETTE = {"dither": "bayer", "bayer_scale": 5, "diff_mode": "rectangle"}
_WEBP = {"vcodec": "libwebp_anim", "loop": 0, "quality": 60, "compression_level": 4}
_MP4 = {
    "vcodec": "libx264",
    "profile:v": "main",
    "preset": "veryfast",
    "crf": 23,
    "pix_fmt": "yuv420p",
    "fps_mode": "passthrough",
    "acodec": "aac",
    "audio_bitrate": "128k",
    "movflags": "+faststart",
}
_MAGIC = {RenditionFormat.GIF: (0, b"GIF89a"), RenditionFormat.WEBP: (8, b"WEBP")}


def pixels(row: RenditionRow, clips: Sequence[ClipRow]) -> int:
    """Of all pictures that are made, as large as they are decoded."""
    rate = _RATES.get(row["format"], MOST_A_SECOND)
    pictures = ceil((row["end_seconds"] - row["start_seconds"]) * rate)
    return pictures * sum(clip["width"] * clip["height"] for clip in clips)


async def encode(
    row: RenditionRow,
    clips: Sequence[ClipRow],
    sources: Sequence[Path],
    target: Path,
    effort: Effort,
    on_progress: Callable[[float], None],
) -> None:
    """Writes the file of `clips`, whose files are `sources`: one, or those of a side by side.

    `on_progress` is told the share that is done, 0 to 1.

    Raises FfmpegFailed, StorageFull, PutOff.
    """
    seconds = row["end_seconds"] - row["start_seconds"]
    is_film = KINDS[row["format"]].is_film
    if row["format"] == RenditionFormat.SIDE_BY_SIDE:
        command = side_by_side_film.argv(side_by_side.plan(clips), sources, target, _MP4, effort)
    else:
        command = argv(row, clips[0], sources[0], target, effort)
    longest = ffmpeg_process.longest_seconds(seconds * len(clips)) if is_film else PICTURE_SECONDS
    await ffmpeg_process.run(
        command,
        effort,
        on_progress=lambda done: on_progress(min(1.0, done / seconds)),
        stall_seconds=ffmpeg_process.STALL_SECONDS if is_film else PICTURE_SECONDS,
        run_seconds=longest,
    )


def argv(row: RenditionRow, clip: ClipRow, source: Path, target: Path, effort: Effort) -> list[str]:
    """ffmpeg's command line for one clip."""
    start, seconds = row["start_seconds"], row["end_seconds"] - row["start_seconds"]
    # No more is read than is shown: a palette is made of all that comes, which waits for it.
    part = {"ss": f"{start:.3f}", "t": f"{seconds:.3f}"}
    given = ffmpeg.input(f"file:{source}", **part, **effort.threads)
    width, height = size_of(row, clip)
    video = given.video
    if (rate := _RATES.get(row["format"])) is not None:
        video = video.filter("fps", rate, start_time=0)
    shown = video.filter("scale", width, height, flags="lanczos").filter("setsar", 1)
    streams, options = [shown], dict[str, Any]()
    match row["format"]:
        case RenditionFormat.GIF:
            split = shown.filter_multi_output("split")
            palette = split[0].filter("palettegen", stats_mode="diff")
            streams = [ffmpeg.filter([split[1], palette], "paletteuse", **_PALETTE)]
            options = {"f": "gif", "loop": 0}
        case RenditionFormat.WEBP:
            options = {"f": "webp", **_WEBP}
        case RenditionFormat.MP4_720P:
            streams = [shown, given["a?"]]
            options = {"f": "mp4", **_MP4}
    output = ffmpeg.output(
        *streams,
        f"file:{target}",
        t=f"{seconds:.3f}",
        map_metadata=-1,
        **options,
        **effort.threads,
    )
    made: list[str] = output.compile()
    return made


def expected(row: RenditionRow, clips: Sequence[ClipRow]) -> Expected:
    """What an MP4 must hold."""
    is_of_several = row["format"] == RenditionFormat.SIDE_BY_SIDE
    width, height = side_by_side.plan(clips).size if is_of_several else size_of(row, clips[0])
    return Expected(
        size_bytes=None,
        width=width,
        height=height,
        duration_seconds=row["end_seconds"] - row["start_seconds"],
        tolerance_seconds=TOLERANCE_SECONDS,
    )


def check_picture(row: RenditionRow, path: Path) -> None:
    """Returns if a picture begins as one of its format does. Raises NotAsPlanned.

    A WebP of a screen where nothing moves is a still.
    """
    place, magic = _MAGIC[row["format"]]
    with path.open("rb") as file:
        file.seek(place)
        if file.read(len(magic)) != magic:
            raise NotAsPlanned(f"the file that was written is no {row['format']}")

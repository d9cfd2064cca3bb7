"""ffmpeg's command line for a film of clips side by side. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ffmpeg  # type: ignore[import-untyped]  # ffmpeg-python has no types

from app.captures.ffmpeg_process import Effort
from app.captures.side_by_side import RATE, Arrangement, Cell

_DECODING = {"threads": 2}
_ENCODING = {"threads": 8}
"""Each thread has pictures of its own, and there are several inputs: of many cores not all work."""


def argv(
    arranged: Arrangement,
    sources: Sequence[Path],
    target: Path,
    options: dict[str, Any],
    effort: Effort,
) -> list[str]:
    """ffmpeg's command line. `sources`: the clips of the cells; `options`: of the encoding."""
    inputs = [ffmpeg.input(f"file:{path}", **_DECODING) for path in sources]
    cells = arranged.cells
    pictures = [_placed(*each, arranged) for each in zip(inputs, cells, strict=True)]
    layout = "|".join(f"{cell.left}_{cell.top}" for cell in cells)
    film = ffmpeg.filter(pictures, "xstack", inputs=len(pictures), layout=layout, fill="black")
    sound = inputs[arranged.heard].audio.filter("asetpts", cells[arranged.heard].moved)
    output = ffmpeg.output(
        film,
        sound.filter("aresample", **{"async": 1, "first_pts": 0}),
        f"file:{target}",
        t=f"{arranged.seconds:.3f}",
        map_metadata=-1,
        f="mp4",
        **options,
        **(effort.threads or _ENCODING),
    )
    made: list[str] = output.compile()
    return made


def _placed(given: Any, cell: Cell, arranged: Arrangement) -> Any:
    """The pictures of a clip as they are in its place for all of the film, black where it has
    none."""
    fit = {"force_original_aspect_ratio": "decrease", "force_divisible_by": 2}
    box = {"x": 0, "y": 0, "w": "iw", "h": "ih", "color": "black", "t": "fill"}
    return (
        given.video.filter("scale", arranged.width, arranged.height, **fit)
        .filter("pad", arranged.width, arranged.height, "(ow-iw)/2", "(oh-ih)/2")
        .filter("setsar", 1)
        .filter("format", "yuv420p")
        .filter("setpts", cell.moved)
        .filter("fps", RATE, start_time=0)
        .filter("tpad", stop=-1, stop_mode="clone")
        .filter("drawbox", **box, enable=cell.blank)
    )

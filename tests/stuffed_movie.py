"""A movie of ours made as large as a test wants it, in no time: its pictures carry filler.

Filler is part of H.264, and no decoder shows it. Times, keys and sound stay as they were.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from app.media import movie, movie_bytes, own_movie
from app.media.runs import Source

_FILLER = 12
"""The type of a unit of H.264 that is filler."""


def stuff(path: Path, started_at: datetime, picture_bytes: int) -> None:
    """Gives each picture of the movie in a file so many bytes more."""
    run = own_movie.read(path, started_at, "stuffed")
    unit = bytes([_FILLER]) + b"\xff" * (picture_bytes - 6) + b"\x80"
    filler = struct.pack(">I", len(unit)) + unit
    content = path.read_bytes()
    payload, larger = path.with_name(f"{path.name}.payload"), path.with_name(f"{path.name}.larger")
    sources: list[Source] = []
    with payload.open("wb") as file:
        for source in run.sources:
            table, begin, position = source.samples, file.tell(), source.payload_offset
            for size in table.sizes:
                file.write(content[position : position + int(size)] + filler)
                position += int(size)
            file.write(content[position : position + table.audio_bytes])
            sizes = (table.sizes + len(filler)).astype(np.uint32)
            sources.append(Source(str(payload), 0, begin, replace(table, sizes=sizes)))
        size_bytes = file.tell()
    sources = [replace(source, size_bytes=size_bytes) for source in sources]
    movie_bytes.write(movie.plan([replace(run, sources=sources)]), str(larger))
    payload.unlink()
    larger.replace(path)

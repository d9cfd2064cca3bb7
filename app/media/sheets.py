"""Draws one sprite sheet: a program of its own, at low priority.

    python -m app.media.sheets < plan > sheet.jpg

A process, because a thread of low priority would keep the GIL while it waits for a processor:
measured on two saturated cores, a server's event loop was then late by 140 ms (p99) instead of 25.
Not ffmpeg, which takes as long for each key frame (13 ms of processor time at 1080p), but reads
the whole movie for it, and whose next tile takes the place of one that can't be decoded.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path

from av import VideoFrame

from app.media import pictures
from app.media.picture_sources import NoPicture, Tile
from app.media.pictures import Sheet
from app.media.sprites import Grid, fitted

NICENESS = 10


def draw(planned: bytes) -> bytes:
    """The sheet as JPEG; empty if there is no picture for any of its tiles.

    A tile whose source is gone, or can't be decoded, stays black.
    """
    given = json.loads(planned)
    grid = Grid(**given["grid"])
    sheet = Sheet(grid)
    drawn = 0
    for tile in (Tile(**each) for each in given["tiles"]):
        try:
            frame = _picture(tile, grid)
        except (OSError, NoPicture):
            continue
        sheet.put(tile.number, frame)
        drawn += 1
    return sheet.jpeg() if drawn else b""


def _picture(tile: Tile, grid: Grid) -> VideoFrame:
    kept = Path(tile.kept) if tile.kept else None
    if kept is not None:
        try:
            return pictures.from_jpeg(kept.read_bytes())
        except (FileNotFoundError, NoPicture):
            pass  # not drawn yet, or torn by a crash: it is drawn anew
    with Path(tile.source).open("rb") as file:
        file.seek(tile.offset)
        frame = pictures.key_frame(bytes.fromhex(tile.avcc), file.read(tile.size_bytes))
    frame = pictures.small(frame, *fitted(frame.width, frame.height))
    if kept is None:
        return frame
    data = pictures.jpeg(frame)
    _keep(kept, Path(tile.source), data)
    return pictures.from_jpeg(data)  # as the next sheet has it, so that both are the same


def _keep(kept: Path, source: Path, data: bytes) -> None:
    part = kept.with_name(f"{kept.name}.{secrets.token_hex(4)}.part")
    try:
        part.write_bytes(data)
        part.rename(kept)
    except OSError:
        # A full disk, or a folder that was removed: the next sheet has to draw this one again.
        part.unlink(missing_ok=True)
        return
    # The removal of a segment unlinks its source first and its tile then: one of both sees it.
    if not source.exists():
        kept.unlink(missing_ok=True)


def main() -> None:
    os.nice(NICENESS)
    sys.stdout.buffer.write(draw(sys.stdin.buffer.read()))


if __name__ == "__main__":
    main()

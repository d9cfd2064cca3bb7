"""A movie of ours as what another one is planned from: its samples, found by its own index.

Each of its chunks of pictures, with the sound behind it, stands for a fragment. What an edit list
hides is before the window of the run, which is all that is shown. How long those pictures took is
not in the file: each counts as long as most that are shown. No decoder reads anything here.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from app.media.boxes import find
from app.media.hidden_head import unhurried
from app.media.init_segment import Init
from app.media.runs import Run, Source
from app.media.samples import AAC_FRAME_SAMPLES, VIDEO_TICKS, SampleTable

_MOST_INDEX_BYTES = 64 << 20
"""Several times what a day of pictures takes."""
_HEAD = struct.Struct(">I4s")
_TABLES = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


class NotOurs(ValueError):
    """The file is no movie that was planned here."""


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    """Samples [low, high) of a track, which lie one behind the other from `offset` on."""

    offset: int
    low: int
    high: int
    size_bytes: int
    shown: bool


def read(path: Path, started_at: datetime, session: str) -> Run:
    """The movie in a file as a run that shows what the movie shows.

    `started_at`: the wall clock of its first shown picture. Blocks. Raises NotOurs, OSError.
    """
    with path.open("rb") as file:
        moov = _moov(file)
        size_bytes = file.seek(0, 2)
    try:
        return _run(moov, path, size_bytes, started_at, session)
    except (IndexError, OverflowError, struct.error, ValueError) as error:
        raise NotOurs(f"{path.name} is no movie of ours: {error}") from error


def part(whole: Run, start_seconds: float, end_seconds: float) -> Run:
    """What a movie shows within these seconds of it, as far as there is any."""
    begin = whole.start_ticks
    start = begin + round(start_seconds * VIDEO_TICKS)
    end = begin + round(end_seconds * VIDEO_TICKS)
    return replace(whole, start_ticks=max(begin, start), end_ticks=min(end, whole.end_ticks))


def _moov(file: BinaryIO) -> bytes:
    """The box `moov`, with its head. Ours is the second one."""
    for _ in range(2):
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            break
        length, kind = _HEAD.unpack(head)
        if not _HEAD.size <= length <= _MOST_INDEX_BYTES:
            break
        rest = file.read(length - _HEAD.size)
        if kind == b"moov":
            return head + rest
    raise NotOurs("the file has no index where ours have it")


def _run(moov: bytes, path: Path, size_bytes: int, started_at: datetime, session: str) -> Run:
    init = Init.described(moov)
    rate = init.audio_format.sample_rate
    (duration, shown_at), *_ = _edits(moov, 0)
    pts = unhurried(_composition_times(moov) - shown_at, duration)
    # Whole seconds before the first shown picture, so that no time is negative, and a sample of
    # sound is a whole number of ticks away at either rate.
    begin = (int(-pts.min()) // VIDEO_TICKS + 1) * VIDEO_TICKS
    empty, skipped = _sound_edits(moov)
    first_audio = begin // VIDEO_TICKS * rate - skipped + round(empty * rate / VIDEO_TICKS)
    keys = np.zeros(len(pts), np.bool_)
    keys[_table(moov, 0, b"stss", 1)[:, 0] - 1] = True
    whole = SampleTable(
        first_pts=begin,
        end_pts=begin + duration,
        pts=np.zeros(0, np.uint32),  # each part has its own
        sizes=_sizes(moov, 0),
        keys=keys,
        first_audio=first_audio,
        audio_sizes=_sizes(moov, 1).astype(np.uint16),
        sample_rate=rate,
        audio=init.audio,
    )
    sources = [
        Source(str(path), size_bytes, chunks[0].offset, _part(whole, pts + begin, chunks))
        for chunks in _grouped(_chunks(moov, 0) + _chunks(moov, 1))
    ]
    clock_start = started_at - timedelta(seconds=begin / VIDEO_TICKS)
    return Run(session, init, sources, begin, begin + duration, clock_start)


def _grouped(chunks: Sequence[_Chunk]) -> list[list[_Chunk]]:
    """The chunks of both tracks as they lie in the file: each of pictures begins another group."""
    groups: list[list[_Chunk]] = []
    for chunk in sorted(chunks, key=lambda one: one.offset):
        if chunk.shown or not groups:
            groups.append([chunk])
            continue
        before = groups[-1][-1]
        if before.offset + before.size_bytes != chunk.offset:
            raise ValueError(f"nothing is known of the bytes before {chunk.offset}")
        groups[-1].append(chunk)
    return groups


def _part(whole: SampleTable, pts: NDArray[np.int64], chunks: Sequence[_Chunk]) -> SampleTable:
    """What of the movie's samples a group holds."""
    pictures = [chunk for chunk in chunks if chunk.shown]
    sound = [chunk for chunk in chunks if not chunk.shown]
    low, high = (pictures[0].low, pictures[0].high) if pictures else (0, 0)
    early, late = (sound[0].low, sound[-1].high) if sound else (0, 0)
    times = pts[low:high]
    # Without pictures it is the sound before all of them.
    first = int(times.min()) if pictures else int(pts.min()) - 1
    return replace(
        whole,
        first_pts=first,
        end_pts=int(pts[high:].min()) if high < len(pts) else whole.end_pts,
        pts=(times - first).astype(np.uint32),
        sizes=whole.sizes[low:high],
        keys=whole.keys[low:high],
        first_audio=whole.first_audio + early * AAC_FRAME_SAMPLES,
        audio_sizes=whole.audio_sizes[early:late],
    )


def _edits(moov: bytes, track: int) -> list[tuple[int, int]]:
    """Of each line of a track's edit list its duration and media time."""
    found = find(moov, b"moov", b"trak", b"edts", b"elst")[track]
    version, count = moov[found.start], struct.unpack_from(">I", moov, found.start + 4)[0]
    line = struct.Struct(">QqHH" if version else ">IiHH")
    starts = (found.start + 8 + number * line.size for number in range(count))
    return [line.unpack_from(moov, start)[:2] for start in starts]


def _sound_edits(moov: bytes) -> tuple[int, int]:
    """How many ticks sound begins after the pictures; how many samples of it are skipped."""
    lines = _edits(moov, 1)
    empty = lines[0][0] if lines[0][1] < 0 else 0
    return empty, lines[-1][1]


def _composition_times(moov: bytes) -> NDArray[np.int64]:
    """When each picture is shown, in decode order, before any edit."""
    count = len(_sizes(moov, 0))
    durations = _repeated(_table(moov, 0, b"stts", 2)[:, ::-1], count)
    decode = np.cumsum(durations) - durations
    if find(moov, *_TABLES, b"ctts"):  # of pictures alone
        return decode + _repeated(_table(moov, 0, b"ctts", 2)[:, ::-1], count)
    return decode


def _chunks(moov: bytes, track: int) -> list[_Chunk]:
    """The chunks of a track: 0 is that of pictures."""
    wide = find(moov, *_TABLES, b"co64")
    kind, width = (b"co64", ">u8") if wide else (b"stco", ">u4")
    found = find(moov, *_TABLES, kind)[track]
    offsets = np.frombuffer(moov[found.start + 8 : found.end], width).astype(np.int64)
    firsts = _table(moov, track, b"stsc", 3)
    numbers = np.append(firsts[1:, 0], len(offsets) + 1) - firsts[:, 0]
    counts = _repeated(np.stack((firsts[:, 1], numbers), axis=1), len(offsets))
    sizes = _sizes(moov, track)
    ends = np.cumsum(counts)
    if ends[-1] != len(sizes):
        raise ValueError(f"{len(sizes)} samples do not fit into {len(offsets)} chunks")
    return [
        _Chunk(
            int(offset), int(end - count), int(end), int(sizes[end - count : end].sum()), not track
        )
        for offset, count, end in zip(offsets, counts, ends, strict=True)
    ]


def _sizes(moov: bytes, track: int) -> NDArray[np.uint32]:
    found = find(moov, *_TABLES, b"stsz")[track]
    return np.frombuffer(moov[found.start + 12 : found.end], ">u4").astype(np.uint32)


def _table(moov: bytes, track: int, kind: bytes, columns: int) -> NDArray[np.int64]:
    """The lines of a table. Only pictures have those that are named for them alone."""
    found = find(moov, *_TABLES, kind)[track]
    lines = np.frombuffer(moov[found.start + 8 : found.end], ">u4").astype(np.int64)
    return lines.reshape(-1, columns)


def _repeated(lines: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Each value as often as its line says, (value, how often): `count` in all."""
    if lines[:, 1].sum() != count:
        raise ValueError(f"a table tells of {lines[:, 1].sum()} in place of {count}")
    return np.repeat(lines[:, 0], lines[:, 1])

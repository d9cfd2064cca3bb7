"""Media for the benchmarks, as a real egress would write it, encoded once per shape.

A shape's cycle is a few seconds of H.264 Main with B-frames in pyramids and AAC, cut into MPEG-TS
segments whose times begin at 3600 s. Its sound is 48 kHz and its length a multiple of 8 s, so that
a whole number of pictures and of audio frames lies in it: cycles joined one after another, with
their times shifted (`stretching`), are one recording without a seam, however long.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

BASE_SECONDS = 3600
SAMPLE_RATE = 48_000
KEYFRAME_SECONDS = 2
_AAC_FRAME = 1024
_GRID_SECONDS = 8
"""48,000 samples a second in frames of 1,024: 375 of them last exactly this long."""


@dataclass(frozen=True)
class Shape:
    """What a recording looks like."""

    name: str
    width: int
    height: int
    fps: int
    kbps: int

    @property
    def frame_ticks(self) -> int:
        return 90_000 // self.fps


FULL_HD_60 = Shape("1080p60", 1920, 1080, 60, 6000)
FULL_HD_30 = Shape("1080p30", 1920, 1080, 30, 4500)
HD_15 = Shape("720p15", 1280, 720, 15, 1500)
TINY = Shape("tiny", 160, 120, 15, 60)


def cycle(folder: Path, shape: Shape, cycle_seconds: int, segment_seconds: int) -> list[Path]:
    """The `.ts` segments of one cycle, in order; made if they are not there.

    A cycle that is no whole number of segments, or not on the audio grid, is a ValueError.
    """
    if cycle_seconds % segment_seconds or cycle_seconds % _GRID_SECONDS:
        raise ValueError(
            f"a cycle of {cycle_seconds} s must be a multiple of {_GRID_SECONDS} s and of the"
            f" segments' {segment_seconds} s"
        )
    parts = folder / f"cycle-{shape.name}-{cycle_seconds}s-{segment_seconds}s"
    if not parts.exists():
        encoded = _encoded(folder, shape, cycle_seconds)
        fresh = folder / f"{parts.name}.part"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        _cut(encoded, fresh, shape, cycle_seconds, segment_seconds)
        fresh.rename(parts)
    return sorted(parts.glob("*.ts"))


def _encoded(folder: Path, shape: Shape, seconds: int) -> Path:
    """The cycle in one file. Its recipe lies beside it, so that a changed one is made anew."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"cycle-{shape.name}-{seconds}s.nut"
    recipe = path.with_suffix(".json")
    known = json.dumps(asdict(shape))
    if path.exists() and recipe.exists() and recipe.read_text() == known:
        return path
    picture = f"testsrc2=size={shape.width}x{shape.height}:rate={shape.fps}:duration={seconds}"
    part = path.with_suffix(".part.nut")
    rate = f"{shape.kbps}k"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y"]
    # Noise makes every frame cost bits, as the bit rate asks for.
    command += ["-f", "lavfi", "-i", f"{picture},noise=alls=8:allf=t"]
    # The encoder's priming frame comes 1,024 samples early: here it stands at the beginning.
    command += ["-itsoffset", f"{_AAC_FRAME / SAMPLE_RATE}", "-f", "lavfi"]
    tone = f"sine=frequency=440:sample_rate={SAMPLE_RATE}:duration={seconds + 1}"
    command += ["-i", f"{tone},aformat=channel_layouts=stereo"]
    command += ["-frames:v", f"{seconds * shape.fps}"]
    command += ["-frames:a", f"{seconds * SAMPLE_RATE // _AAC_FRAME}"]
    command += ["-c:v", "libx264", "-preset", "superfast", "-profile:v", "main"]
    command += ["-pix_fmt", "yuv420p", "-bf", "3", "-x264-params", "b-pyramid=normal:scenecut=0"]
    command += ["-b:v", rate, "-maxrate", rate, "-bufsize", rate]
    command += ["-g", "9999", "-force_key_frames", f"expr:gte(t,n_forced*{KEYFRAME_SECONDS})"]
    command += ["-c:a", "aac", "-b:a", "128k", "-f", "nut", f"{part}"]
    subprocess.run(command, check=True)
    recipe.write_text(known)
    part.rename(path)
    return path


def _cut(encoded: Path, folder: Path, shape: Shape, seconds: int, segment_seconds: int) -> None:
    frames = range(segment_seconds * shape.fps, seconds * shape.fps, segment_seconds * shape.fps)
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", f"{encoded}", "-c", "copy"]
    command += ["-muxdelay", "0", "-muxpreload", "0", "-output_ts_offset", f"{BASE_SECONDS}"]
    command += ["-f", "segment", "-segment_format", "mpegts"]
    command += ["-segment_frames", ",".join(map(str, frames)) or f"{seconds * shape.fps}"]
    # One audio frame per PES packet, as egress muxes.
    command += ["-segment_format_options", "pes_payload_size=0", f"{folder}/%05d.ts"]
    subprocess.run(command, check=True)


def flush(paths: list[Path]) -> None:
    """Returns when the files are on the disk: only clean pages can be dropped from the cache."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def forget(paths: list[Path]) -> None:
    """Drops the files from the page cache, so that they are read from the disk."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)

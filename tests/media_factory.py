"""MPEG-TS segments like those of a real egress, made with ffmpeg when a test asks for them.

Like egress: H.264 Main with B-frames in pyramids, one IDR per segment, AAC-LC on one grid that
ignores the video cut, times that begin at 3600 s. Pictures and sound never repeat, so that a hash
names one picture. Kept small: 160x120 unless asked otherwise.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

TICKS = 90_000
PACKET = 188
VIDEO_PID = 0x100
AUDIO_PID = 0x101


@dataclass(frozen=True)
class TsSegment:
    """A committed segment: its file and what its playlist line says."""

    path: Path
    extinf_seconds: float


@dataclass(frozen=True)
class Recording:
    """One session's segments in order. `base_seconds`: the PTS of its first moment."""

    segments: tuple[TsSegment, ...]
    base_seconds: float
    frame_ticks: int


@dataclass(frozen=True)
class Shape:
    """How a recording looks; two equal shapes are made once.

    `hole` is a stretch of seconds without pictures, `late_audio_seconds` how much later than the
    picture the sound begins, `variant` only makes two recordings of one shape differ. `numbered`
    pictures carry their number, plus 100 for each variant, as 10 black or white bars, lowest first,
    in their upper half.
    """

    fps: int = 15
    frames: int = 150
    segment_seconds: float = 2.0
    size: tuple[int, int] = (160, 120)
    b_frames: int = 3
    audio: bool = True
    sample_rate: int = 44_100
    channels: int = 2
    hole: tuple[float, float] | None = None
    late_audio_seconds: float = 0.0
    audio_frames_per_pes: bool = False
    base_seconds: float = 3_600.0
    variant: int = 0
    numbered: bool = False


class MediaFactory:
    """Makes recordings under a folder, each shape once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[Shape, Recording] = {}

    def record(self, shape: Shape) -> Recording:
        if shape not in self._made:
            folder = self._folder / f"recording-{len(self._made)}"
            folder.mkdir()
            self._made[shape] = _record(folder, shape)
        return self._made[shape]


def _record(folder: Path, shape: Shape) -> Recording:
    seconds = shape.frames / shape.fps
    width, height = shape.size
    source = f"testsrc2=size={width}x{height}:rate={shape.fps}:duration={seconds}"
    filters = [f"hue=h={40 * shape.variant}"]
    if shape.numbered:
        bar = f"mod(floor((N+{100 * shape.variant})/pow(2,floor(10*X/W))),2)"
        filters.append(f"geq=lum='if(lt(Y,H/2),16+219*{bar},lum(X,Y))':cb='128':cr='128'")
    if shape.hole:
        filters.append(f"select='not(between(t,{shape.hole[0]},{shape.hole[1] - 0.001}))'")
    command = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", source]
    if shape.audio:
        # The encoder's priming frame comes 1,024 samples early: here it stands at the beginning.
        late = shape.late_audio_seconds + 1024 / shape.sample_rate
        tone = f"0.3*sin(2*PI*({300 + 100 * shape.variant}+150*t)*t)"
        wave = "|".join([tone] * shape.channels)
        length = seconds - shape.late_audio_seconds
        command += ["-itsoffset", f"{late}", "-f", "lavfi"]
        command += ["-i", f"aevalsrc='{wave}':s={shape.sample_rate}:d={length}"]
        # Without noise substitution decoding is the same bytes each time.
        command += ["-c:a", "aac", "-b:a", "96k", "-aac_pns", "0"]
    command += ["-vf", ",".join(filters), "-fps_mode", "passthrough", "-c:v", "libx264"]
    command += ["-preset", "veryfast", "-profile:v", "main", "-pix_fmt", "yuv420p", "-threads", "1"]
    command += ["-bf", f"{shape.b_frames}", "-g", "9999", "-sc_threshold", "0", "-crf", "30"]
    command += ["-x264-params", "b-pyramid=normal", "-enc_time_base:v", f"1/{TICKS}"]
    command += ["-force_key_frames", f"expr:gte(t,n_forced*{shape.segment_seconds})"]
    command += ["-muxdelay", "0", "-muxpreload", "0", "-output_ts_offset", f"{shape.base_seconds}"]
    command += ["-f", "segment", "-segment_time", f"{shape.segment_seconds}"]
    command += ["-segment_time_delta", f"{0.4 / shape.fps}", "-segment_format", "mpegts"]
    if not shape.audio_frames_per_pes:
        command += ["-segment_format_options", "pes_payload_size=0"]
    subprocess.run([*command, f"{folder}/%03d.ts"], check=True)
    paths = sorted(folder.glob("*.ts"))
    frame_ticks = TICKS // shape.fps
    segments = [
        TsSegment(path, _length(path, 0 if path == paths[-1] else frame_ticks)) for path in paths
    ]
    return Recording(tuple(segments), shape.base_seconds, frame_ticks)


def _length(path: Path, last_frame_ticks: int) -> float:
    """EXTINF as egress writes it: without the very last frame."""
    with av.open(str(path)) as container:
        times = [packet.pts for packet in container.demux(video=0) if packet.pts is not None]
    return round((max(times) - min(times) + last_frame_ticks) / TICKS, 3)


def number_in(picture: NDArray[np.uint8]) -> int:
    """The number in a grey picture of a numbered recording."""
    height, width = picture.shape
    bars = [picture[height // 4, int((bit + 0.5) * width / 10)] > 127 for bit in range(10)]
    return sum(bar << bit for bit, bar in enumerate(bars))


def edit_packets(ts: bytes, change: Callable[[int, bytearray], bytearray | None]) -> bytes:
    """The transport stream with each packet as `change(pid, packet)` gives it, None to drop it."""
    edited = bytearray()
    for offset in range(0, len(ts), PACKET):
        packet = bytearray(ts[offset : offset + PACKET])
        kept = change((packet[1] & 0x1F) << 8 | packet[2], packet)
        edited += kept if kept is not None else b""
    return bytes(edited)


def stepped(ts: bytes, ticks: int, pids: Collection[int] = (VIDEO_PID, AUDIO_PID)) -> bytes:
    """The stream with all times of these elementary streams later by `ticks`, 33 bits of them."""

    def change(found: int, packet: bytearray) -> bytearray | None:
        if found in pids and packet[1] & 0x40:
            pes = 4 + (packet[4] + 1 if packet[3] & 0x20 else 0)
            for at in (pes + 9, pes + 14)[: (packet[pes + 7] >> 6).bit_count()]:
                packet[at : at + 5] = _stamp(packet[at] & 0xF1, _time(packet[at : at + 5]) + ticks)
        return packet

    return edit_packets(ts, change)


def without_times(ts: bytes, numbers: Collection[int], pid: int = VIDEO_PID) -> bytes:
    """The stream in which PES packets of `pid` with these numbers have no time."""
    seen = -1

    def change(found: int, packet: bytearray) -> bytearray | None:
        nonlocal seen
        if found == pid and packet[1] & 0x40:
            seen += 1
            if seen in numbers:
                pes = 4 + (packet[4] + 1 if packet[3] & 0x20 else 0)
                packet[pes + 7] &= 0x3F
                packet[pes + 9 : pes + 9 + packet[pes + 8]] = b"\xff" * packet[pes + 8]
        return packet

    return edit_packets(ts, change)


def _time(stamp: bytes | bytearray) -> int:
    high, middle, low = (
        stamp[0] >> 1 & 7,
        stamp[1] << 7 | stamp[2] >> 1,
        stamp[3] << 7 | stamp[4] >> 1,
    )
    return high << 30 | middle << 15 | low


def _stamp(flags: int, ticks: int) -> bytes:
    ticks %= 1 << 33
    middle, low = ticks >> 15 & 0x7FFF, ticks & 0x7FFF
    parts = (flags | ticks >> 30 << 1, middle >> 7, middle << 1 & 0xFF | 1, low >> 7)
    return bytes((*parts, low << 1 & 0xFF | 1))


def without_audio_pes(ts: bytes, dropped: Callable[[int], bool], pid: int = AUDIO_PID) -> bytes:
    """The stream without those PES packets of `pid` whose number `dropped` names, as if the muxer
    had never had them: counters go on."""
    seen = -1
    counter = -1

    def change(found: int, packet: bytearray) -> bytearray | None:
        nonlocal seen, counter
        if found != pid:
            return packet
        seen += packet[1] >> 6 & 1
        counter = packet[3] & 0x0F if counter < 0 else counter
        if dropped(seen):
            return None
        packet[3] = packet[3] & 0xF0 | counter
        counter = (counter + 1) & 0x0F
        return packet

    return edit_packets(ts, change)

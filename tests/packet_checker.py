"""Whether a clip holds exactly what its sources held: packet by packet, picture by picture.

Sources are the egress's `.ts` files and clips are MP4 files, both read by libav alone: nothing of
the product's own reading or writing is trusted here. Only what the clip claims to show (its spans)
comes from the product.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

TICKS = 90_000
WRAP = 1 << 33
SILENT_FRAMES = {bytes.fromhex("211004608c1c"), bytes.fromhex("00c800802380")}
# 90 kHz rounding of a time that was rounded before, in seconds.
ROUNDING = 2.5 / TICKS
HALF_TICK = 0.5 / TICKS


@dataclass(frozen=True)
class Packet:
    """One coded sample. `seconds`: on the session's clock in a source, on the movie's in a clip."""

    seconds: float
    digest: bytes
    size: int
    key: bool
    hidden: bool
    silent: bool


@dataclass(frozen=True)
class Shown:
    """A span of one session as the clip claims it, in seconds; `asked_end` is the window's."""

    session: str
    start: float
    end: float
    movie: float
    asked_end: float


@dataclass(frozen=True)
class Media:
    """All packets of one session or clip in decode order."""

    video: list[Packet]
    audio: list[Packet]


def read_transport(paths: Iterable[Path], base_seconds: float = 3_600.0) -> Media:
    """The packets of a session's `.ts` files. Times after a wrap go on."""
    media = Media([], [])
    for path in paths:
        with av.open(str(path), format="mpegts") as container:
            for packet in container.demux():
                if packet.pts is None or not packet.size:
                    continue
                ticks = (packet.pts - round(base_seconds * TICKS) + WRAP // 4) % WRAP - WRAP // 4
                data = bytes(packet)
                if packet.stream.type == "video":
                    nals = _nals_of_stream(data)
                    key = any(nal[0] & 31 == 5 for nal in nals)
                    media.video.append(_packet(ticks / TICKS, b"".join(nals), key=key))
                else:
                    frame = data[7 if data[1] & 1 else 9 :]
                    media.audio.append(_packet(ticks / TICKS, frame, key=True))
    return media


def read_clip(path: Path) -> Media:
    """The packets of an MP4 as libav gives them, its edit list applied."""
    return _read_clip(path, {})


def without_edits(path: Path) -> Media:
    """The packets of an MP4 as those programs have them that ignore its edit list."""
    return _read_clip(path, {"ignore_editlist": "1"})


def _read_clip(path: Path, options: dict[str, str]) -> Media:
    media = Media([], [])
    with av.open(str(path), options=options) as container:
        for packet in container.demux():
            if packet.pts is None or not packet.size:
                continue
            seconds = float(packet.pts * packet.time_base)
            data = bytes(packet)
            if packet.stream.type == "video":
                data = b"".join(_nals_of_sample(data))
            found = _packet(seconds, data, key=packet.is_keyframe, hidden=packet.is_discard)
            (media.video if packet.stream.type == "video" else media.audio).append(found)
    return media


def check_clip(clip: Media, sources: dict[str, Media], shown: Sequence[Shown]) -> None:
    """Assert that the clip shows every packet of its spans once, at its time, and no other."""
    _check_video(clip.video, sources, shown)
    _check_audio(clip.audio, sources, shown)


def _check_video(packets: list[Packet], sources: dict[str, Media], shown: Sequence[Shown]) -> None:
    visible = [packet for packet in packets if not packet.hidden]
    hidden = [packet for packet in packets if packet.hidden]
    expected: list[Packet] = []
    for span in shown:
        expected += [
            _moved(packet, span)
            for packet in sources[span.session].video
            if span.start - HALF_TICK <= packet.seconds < span.end - HALF_TICK
        ]
    assert len(visible) == len(expected)
    for found, wanted in zip(visible, expected, strict=True):
        assert (found.digest, found.size, found.key) == (wanted.digest, wanted.size, wanted.key)
        assert abs(found.seconds - wanted.seconds) <= ROUNDING
    # Hidden ones lie between the keyframe and the first shown, and nothing came after the end.
    first = shown[0]
    session = sources[first.session].video
    places = {packet.digest: index for index, packet in enumerate(session)}
    indexes = [places[packet.digest] for packet in packets if packet.digest in places]
    if hidden:
        assert packets[0].key
        assert packets[0].hidden
    head = indexes[: len(hidden) + 1]
    assert head == list(range(head[0], head[0] + len(head))), "the hidden head has gaps"
    assert all(session[places[one.digest]].seconds < first.start for one in hidden)


def _check_audio(packets: list[Packet], sources: dict[str, Media], shown: Sequence[Shown]) -> None:
    heard = [packet for packet in packets if not packet.silent]
    # Consecutive frames on one grid: the sound has no seam.
    steps = np.diff([packet.seconds for packet in packets if not packet.hidden])
    assert len(packets) > 0
    assert len(steps) == 0 or np.all(np.abs(steps - steps[0]) < ROUNDING)
    known = {
        packet.digest
        for span in shown
        for packet in sources[span.session].audio
        if packet.seconds < span.asked_end
    }
    assert all(packet.digest in known for packet in heard), "sound from elsewhere"
    for span in shown:
        here = [
            packet
            for packet in heard
            if span.movie - ROUNDING
            <= packet.seconds
            < span.movie + span.end - span.start - ROUNDING
        ]
        source = sources[span.session].audio
        length = float(np.median(np.diff([packet.seconds for packet in source] or [0.0, 0.0])))
        inside = [
            _moved(packet, span)
            for packet in source
            if span.start <= packet.seconds + ROUNDING
            and packet.seconds < span.end - ROUNDING
            and packet.seconds + length <= span.asked_end + ROUNDING
        ]
        times = [packet.seconds for packet in here]
        for wanted in inside:
            # The grid is exact; MPEG-TS floors, libav and joints round: 0.05 ms are no shift.
            place = bisect_left(times, wanted.seconds - 5e-5)
            assert place < len(times), f"no sound at {wanted.seconds}"
            assert abs(times[place] - wanted.seconds) < 5e-5, f"no sound at {wanted.seconds}"
            assert here[place].digest == wanted.digest


def pictures(path: Path) -> list[tuple[float, bytes]]:
    """Time and hash of each picture that a decoder shows."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [
            (float(frame.pts * stream.time_base), _digest(frame.to_ndarray().tobytes()))
            for frame in container.decode(stream)
            if frame.pts is not None and stream.time_base is not None
        ]


def sound(path: Path) -> tuple[float, NDArray[np.float32]]:
    """Time of the first sample, and all samples of the first channel, as a decoder plays them."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        frames = [frame for frame in container.decode(stream) if frame.pts is not None]
        first = frames[0].time or 0.0 if frames else 0.0
        return first, np.concatenate([frame.to_ndarray()[0] for frame in frames])


def _moved(packet: Packet, span: Shown) -> Packet:
    seconds = packet.seconds - span.start + span.movie
    return Packet(seconds, packet.digest, packet.size, packet.key, False, packet.silent)


def _packet(seconds: float, data: bytes, *, key: bool, hidden: bool = False) -> Packet:
    return Packet(seconds, _digest(data), len(data), key, hidden, data in SILENT_FRAMES)


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _nals_of_stream(data: bytes) -> list[bytes]:
    """NAL units of a byte stream, without delimiters."""
    found = [part.rstrip(b"\0") for part in data.split(b"\0\0\1")]
    return [nal for nal in found if nal and nal[0] & 31 != 9]


def _nals_of_sample(data: bytes) -> list[bytes]:
    found: list[bytes] = []
    position = 0
    while position < len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        found.append(data[position + 4 : position + 4 + length])
        position += 4 + length
    assert position == len(data)
    return found


def joined_transport(paths: Iterable[Path], folder: Path) -> Path:
    """The session's `.ts` files as one, for a decoder."""
    path = folder / "session.ts"
    path.write_bytes(b"".join(one.read_bytes() for one in paths))
    return path

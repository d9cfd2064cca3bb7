"""The key frames that an MP4 shows, found by its index: their times, and where they lie.

What an edit list hides before the first instant is no part of what is shown, so no picture is
made of it.
"""

from __future__ import annotations

from pathlib import Path

import av
import av.error
from av import VideoFrame
from av.container import InputContainer
from av.video.stream import VideoStream

from app.media import pictures
from app.media.picture_sources import KeyFrame, KeyFrameIndex, NoPicture


def read_index(path: Path) -> KeyFrameIndex:
    """Reads the movie's index. Raises NoPicture, OSError.

    The index has decode times. A key frame is shown later than that by what the pictures before it
    in decode order, but behind it in time, may need: as much for one as for the other, and the
    first sample tells. (Demuxing key frames alone would read them all, and libav 62 then takes the
    composition offsets of samples that it has left out for theirs.)
    """
    with _opened(path) as container:
        video = _video(container, path)
        first = next(container.demux(video), None)
        if first is None or first.pts is None or first.dts is None:
            raise NoPicture(f"{path.name} has no pictures")
        later = first.pts - first.dts
        unit = float(first.time_base)
        keys = [
            KeyFrame((entry.timestamp + later) * unit, entry.pos, entry.size)
            for entry in video.index_entries
            if entry.is_keyframe and not entry.is_discard and entry.timestamp + later >= 0
        ]
        seconds = (container.duration or 0) / av.time_base
        avcc = video.codec_context.extradata or b""
        return KeyFrameIndex(seconds, video.width, video.height, avcc, tuple(keys))


def first_picture(path: Path, movie: KeyFrameIndex) -> VideoFrame:
    """The first key frame that is shown; if there is none, the first picture that is.

    The latter is decoded from the hidden key frame on. Raises NoPicture, OSError.
    """
    if movie.keys:
        with path.open("rb") as file:
            file.seek(movie.keys[0].offset)
            return pictures.key_frame(movie.avcc, file.read(movie.keys[0].size_bytes))
    with _opened(path) as container:
        try:
            # libav drops the pictures that the edit list hides.
            frame = next(container.decode(_video(container, path)), None)
        except av.error.FFmpegError as error:
            raise NoPicture(f"{path.name}: {error.strerror}") from error
    if frame is None:
        raise NoPicture(f"{path.name} shows no picture")
    return frame


def _opened(path: Path) -> InputContainer:
    try:
        return av.open(str(path))
    except (av.error.InvalidDataError, ValueError) as error:
        raise NoPicture(f"{path.name} is no movie: {error}") from error


def _video(container: InputContainer, path: Path) -> VideoStream:
    if not container.streams.video:
        raise NoPicture(f"{path.name} has no pictures")
    video = container.streams.video[0]
    video.codec_context.thread_count = 1
    return video

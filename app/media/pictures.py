"""Still pictures: key frames decoded alone, made small, set side by side, written as JPEG.

All calls block. libav lets go of the GIL while it decodes, scales and encodes.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import av
import av.error
import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

from app.media.picture_sources import NoPicture
from app.media.sprites import Grid, fitted

_FORMAT = "yuvj420p"
"""What JPEG holds: colour at half the size, brightness from 0 to 255."""
_BLACK, _GREY = 0, 128
_QUALITY = 4
"""Quantiser of mjpeg, 2 (best) to 31: text in a screen share stays legible."""


def key_frame(avcc: bytes, sample: bytes) -> VideoFrame:
    """The picture of an IDR sample, as it lies in a fragment or an MP4. Raises NoPicture."""
    return _decoded("h264", sample, avcc)


def from_jpeg(data: bytes) -> VideoFrame:
    """The picture of a JPEG. Raises NoPicture."""
    return _decoded("mjpeg", data)


def small(frame: VideoFrame, width: int, height: int) -> VideoFrame:
    """The picture in another size, as JPEG holds it."""
    return frame.reformat(width, height, _FORMAT, interpolation="AREA")


def jpeg(frame: VideoFrame) -> bytes:
    """The JPEG of a picture that `small` or a Sheet has made."""
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.thread_count = 1
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, _FORMAT
    encoder.time_base = Fraction(1, 1)
    encoder.qmin = encoder.qmax = _QUALITY
    frame.pts = 0
    return b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))


class Sheet:
    """A sprite sheet, black where nothing was put."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        width, height = grid.sheet_width, grid.sheet_height
        self._pixels = np.full((height * 3 // 2, width), _GREY, np.uint8)
        self._pixels[:height] = _BLACK
        self._planes = _planes(self._pixels, width, height)

    def put(self, tile: int, frame: VideoFrame) -> None:
        """Sets a picture into the middle of its tile, made smaller if it is too large."""
        grid = self._grid
        width, height = fitted(frame.width, frame.height, (grid.width, grid.height))
        picture = small(frame, width, height).to_ndarray().astype(np.uint8, copy=False)
        x, y = grid.place(tile)
        x += (grid.width - width) // 4 * 2
        y += (grid.height - height) // 4 * 2
        brightness, *colours = zip(self._planes, _planes(picture, width, height), strict=True)
        for (plane, found), unit in ((brightness, 1), *((colour, 2) for colour in colours)):
            top, left = y // unit, x // unit
            plane[top : top + height // unit, left : left + width // unit] = found

    def jpeg(self) -> bytes:
        frame = VideoFrame.from_ndarray(self._pixels, _FORMAT)
        return jpeg(frame)


def _planes(
    pixels: NDArray[np.uint8], width: int, height: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Views of brightness and the two colours in a picture of even size, as libav packs them."""
    flat = pixels.reshape(-1)
    count, quarter = width * height, width * height // 4
    return (
        flat[:count].reshape(height, width),
        flat[count : count + quarter].reshape(height // 2, width // 2),
        flat[count + quarter :].reshape(height // 2, width // 2),
    )


def _decoded(codec: Literal["h264", "mjpeg"], data: bytes, extradata: bytes = b"") -> VideoFrame:
    decoder = av.CodecContext.create(codec, "r")
    decoder.thread_count = 1
    if extradata:
        decoder.extradata = extradata
    try:
        # The decoder holds pictures back for those that may come before them: told that none will.
        frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    except av.error.FFmpegError as error:
        raise NoPicture(f"{codec}: {error.strerror}") from error
    if not frames or frames[0].is_corrupt:  # then libav has guessed what is missing
        raise NoPicture(f"{codec}: no whole picture in {len(data)} bytes")
    return frames[0]

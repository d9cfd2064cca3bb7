"""Bring pictures of any size to one size."""

from __future__ import annotations

from typing import Any

import av
import numpy as np


class Canvas:
    """Scales any picture to one size, with black bars where the shapes differ."""

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self.black = self._frame(self._empty())

    def fit(self, frame: Any) -> av.VideoFrame:
        """The picture (livekit.rtc.VideoFrame, I420, any size) in this canvas's size."""
        source = self._frame(_even_i420(frame))
        scale = min(self._width / source.width, self._height / source.height)
        width = max(2, round(source.width * scale) & ~1)
        height = max(2, round(source.height * scale) & ~1)
        if (width, height) != (source.width, source.height):
            source = source.reformat(width, height)
        if (width, height) == (self._width, self._height):
            return source
        picture = self._empty()
        left, top = (self._width - width) // 2 & ~1, (self._height - height) // 2 & ~1
        targets = _planes(picture, self._width, self._height)
        pixels = _planes(source.to_ndarray(), width, height)
        for n, (target, plane) in enumerate(zip(targets, pixels, strict=True)):
            y, x = (top, left) if n == 0 else (top // 2, left // 2)
            target[y : y + plane.shape[0], x : x + plane.shape[1]] = plane
        return self._frame(picture)

    def _empty(self) -> np.ndarray:
        picture = np.full((self._height * 3 // 2, self._width), 128, np.uint8)
        picture[: self._height] = 16
        return picture

    @staticmethod
    def _frame(pixels: np.ndarray) -> av.VideoFrame:
        return av.VideoFrame.from_ndarray(pixels, format="yuv420p")


def _planes(pixels: np.ndarray, width: int, height: int) -> list[np.ndarray]:
    """Views of the Y, U and V planes of an even-sized I420 array."""
    flat = pixels.reshape(-1)
    luma, quarter = width * height, width * height // 4
    return [
        flat[:luma].reshape(height, width),
        flat[luma : luma + quarter].reshape(height // 2, width // 2),
        flat[luma + quarter :].reshape(height // 2, width // 2),
    ]


def _even_i420(frame: Any) -> np.ndarray:
    """The picture as an array (height * 3 / 2, width) with even sides; an odd edge is cut off."""
    width, height = frame.width, frame.height
    data = np.frombuffer(frame.data, np.uint8)
    if width % 2 == 0 and height % 2 == 0:
        return data.reshape(height * 3 // 2, width)
    chroma_width, chroma_height = (width + 1) // 2, (height + 1) // 2
    luma, chroma = width * height, chroma_width * chroma_height
    w, h = width & ~1, height & ~1
    planes = [
        data[:luma].reshape(height, width)[:h, :w],
        data[luma : luma + chroma].reshape(chroma_height, chroma_width)[: h // 2, : w // 2],
        data[luma + chroma :].reshape(chroma_height, chroma_width)[: h // 2, : w // 2],
    ]
    return np.concatenate([plane.ravel() for plane in planes]).reshape(h * 3 // 2, w)

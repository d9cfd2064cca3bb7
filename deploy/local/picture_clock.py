"""A wall clock in the picture that a program can read back after lossy encoding.

The top sixth of the picture is two rows of 16 cells, white for 1: 28 bits of milliseconds since
1970 (they wrap after 74 hours) and 4 bits of check sum. Read back from H.264 at 320x180 too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

COLUMNS = 16
ROWS = 2
BAND = 6
"""The clock is this part of the picture's height."""
BITS = 28
PERIOD_SECONDS = (1 << BITS) / 1000
BLACK, WHITE = 16, 235

Picture = npt.NDArray[np.uint8]


def burn(picture: Picture, t: float) -> None:
    """Write `t` (Unix seconds) into a picture of shape (height, width) or (height, width, n)."""
    value = round(t * 1000) % (1 << BITS)
    word = value << 4 | _check(value)
    for n in range(ROWS * COLUMNS):
        picture[_cell(picture, n, margin=0.0)] = WHITE if word >> n & 1 else BLACK


def read_clock(picture: Picture) -> float:
    """The time in a picture of shape (height, width) or (height, width, n), in seconds.

    Seconds of Unix time modulo PERIOD_SECONDS; `nearest` makes it absolute.

    :raises ValueError: there is no clock in it: black, or too damaged.
    """
    word = 0
    for n in range(ROWS * COLUMNS):
        if np.mean(picture[_cell(picture, n, margin=0.25)]) > (BLACK + WHITE) / 2:
            word |= 1 << n
    value = word >> 4
    # An all-black band reads as 0 with check sum 0; 0 as a true time comes once in 74 hours.
    if word == 0 or word & 15 != _check(value):
        raise ValueError(f"no clock in this picture of {picture.shape[1]}x{picture.shape[0]}")
    return value / 1000


def nearest(reading: float, t: float) -> float:
    """The Unix time with this reading that is nearest to `t` (Unix seconds)."""
    return t + (reading - t + PERIOD_SECONDS / 2) % PERIOD_SECONDS - PERIOD_SECONDS / 2


def _check(value: int) -> int:
    check = 0
    while value:
        check ^= value & 15
        value >>= 4
    return check


def _cell(picture: Any, n: int, margin: float) -> tuple[slice, slice]:
    """Where bit `n` lies; `margin` is the part of the cell to leave out on each side."""
    height, width = picture.shape[0] / BAND / ROWS, picture.shape[1] / COLUMNS
    row, column = divmod(n, COLUMNS)
    top, left = (row + margin) * height, (column + margin) * width
    bottom, right = (row + 1 - margin) * height, (column + 1 - margin) * width
    return slice(round(top), round(bottom)), slice(round(left), round(right))

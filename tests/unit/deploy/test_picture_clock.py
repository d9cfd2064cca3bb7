"""The wall clock in a picture."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest

from deploy.local import picture_clock

T = 1_795_380_492.389


def moving_picture(width: int, height: int, n: int) -> np.ndarray:
    picture = np.full((height, width, 3), 90, np.uint8)
    picture[height // 3 :, :: 1 + n % 5] = (n * 37) % 255
    return picture


@pytest.mark.parametrize("shape", [(360, 640), (360, 640, 3), (180, 320, 4), (719, 1279)])
def test_reads_back_what_was_burnt(shape: tuple[int, ...]) -> None:
    """A clock is read back to the millisecond from pictures of any size and depth."""
    picture = np.zeros(shape, np.uint8)
    picture_clock.burn(picture, T)
    assert picture_clock.nearest(picture_clock.read_clock(picture), T + 1000) == pytest.approx(
        T, abs=0.0006
    )


def test_refuses_a_picture_without_clock() -> None:
    """A black picture and a noisy one have no time."""
    noise = np.random.default_rng(1).integers(0, 255, (360, 640), np.uint8)
    for picture in (np.full((360, 640), 16, np.uint8), noise):
        with pytest.raises(ValueError, match="no clock"):
            picture_clock.read_clock(picture)


def test_nearest_goes_over_the_wrap() -> None:
    """A reading from before the counter's wrap is placed before a time after it."""
    wrap = (T // picture_clock.PERIOD_SECONDS + 1) * picture_clock.PERIOD_SECONDS
    picture = np.zeros((90, 160), np.uint8)
    picture_clock.burn(picture, wrap - 0.25)
    assert picture_clock.nearest(picture_clock.read_clock(picture), wrap + 5) == pytest.approx(
        wrap - 0.25, abs=0.001
    )


@pytest.mark.parametrize(("width", "height", "kbps"), [(640, 360, 250), (320, 180, 80)])
def test_survives_a_small_lossy_encoding(width: int, height: int, kbps: int) -> None:
    """Every frame's clock is readable after H.264 with B-frames at a low bitrate."""
    times = [T + n / 15 for n in range(30)]
    pictures = [moving_picture(1280, 720, n) for n in range(30)]
    for picture, t in zip(pictures, times, strict=True):
        picture_clock.burn(picture, t)
    encode = ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "1280x720"]
    encode += ["-r", "15", "-i", "-", "-vf", f"scale={width}:{height}", "-c:v", "libx264"]
    encode += ["-preset", "veryfast", "-bf", "2", "-b:v", f"{kbps}k", "-f", "mpegts", "-"]
    decode = ["ffmpeg", "-v", "error", "-i", "-", "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    raw = b"".join(picture.tobytes() for picture in pictures)
    encoded = subprocess.run(encode, input=raw, capture_output=True, check=True).stdout
    decoded = subprocess.run(decode, input=encoded, capture_output=True, check=True).stdout
    frames = np.frombuffer(decoded, np.uint8).reshape(-1, height, width)
    assert len(frames) == 30
    read = [picture_clock.nearest(picture_clock.read_clock(frame), T) for frame in frames]
    assert read == pytest.approx(times, abs=0.0006)

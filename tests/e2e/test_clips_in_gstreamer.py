"""Clips in GStreamer's own player of files, picture by picture."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from app.media.movie import plan
from app.media.movie_bytes import write
from app.models import Cut
from deploy.local.stack import ROOT
from tests.media_factory import MediaFactory, Shape, number_in
from tests.packet_checker import TICKS
from tests.unit.media.fragments import Fragments, prepare_all

# GStreamer is installed first, which takes a while.
pytestmark = [pytest.mark.heavy, pytest.mark.timeout(1800)]

FPS = 15
SIZE = (320, 180)
PICTURES = "avdec_h264 ! videoconvert ! video/x-raw,format=GRAY8"


@pytest.fixture(scope="module")
def program() -> None:
    subprocess.run([ROOT / "deploy/setup", "--browsers"], check=True)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Fragments:
    folder = tmp_path_factory.mktemp("recordings")
    shape = Shape(numbered=True, size=SIZE, frames=6 * FPS, fps=FPS)
    return prepare_all(MediaFactory(folder).record(shape), folder / "fragments")


@pytest.mark.parametrize("cut", [Cut.PRECISE, Cut.SEGMENT])
@pytest.mark.parametrize("start", range(0, 190_000, 19_000))
def test_every_picture_is_shown_from_the_asked_one_on(
    program: None, one: Fragments, tmp_path: Path, start: int, cut: Cut
) -> None:
    movie = plan([one.run(start, 500_000)], cut)
    write(movie, str(tmp_path / "clip.mp4"))
    subprocess.run(
        ["gst-launch-1.0", "-q", "filesrc", "location=clip.mp4", "!", "qtdemux", "!",
         *PICTURES.split(), "!", "filesink", "location=pictures"],
        cwd=tmp_path, check=True,
    )  # fmt: skip
    width, height = SIZE
    pictures = np.fromfile(tmp_path / "pictures", np.uint8).reshape(-1, height, width)
    first = round(movie.spans[0].start_ticks / TICKS * FPS)
    hidden = round(movie.hidden_head_seconds * FPS)
    assert [number_in(one) for one in pictures] == list(range(first, first + movie.frames - hidden))

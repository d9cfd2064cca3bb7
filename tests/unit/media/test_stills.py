"""Single pictures and indexes, as a process with limits makes them: as here, and when it can't."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from app.media import keyframes, pictures
from app.media.picture_sources import NoPicture
from app.media.sprites import Grid
from app.processes.bound_exec import FIRST_TO_GO
from app.processes.bound_pool import ProgramAnswer, ProgramEnded
from app.viewing import stills
from app.viewing.stills import LIMITS, PROGRAM, Stills
from app.work.places import PutOff, Stint
from tests.media_factory import Shape, number_in
from tests.packet_checker import TICKS
from tests.unit.media.fragments import Fragments, clip_of

Make = Callable[[Shape], Fragments]
NUMBERED = Shape(numbered=True, size=(320, 180), frames=90)


@pytest.fixture(scope="module")
def made() -> Iterator[Stills]:
    one = Stills()
    yield one
    one.close()


def number_on(jpeg: bytes) -> int:
    frame = pictures.from_jpeg(jpeg)
    return number_in(frame.to_ndarray()[: frame.height].astype("uint8"))


async def test_the_key_frame_of_a_fragment(made: Stills, fragments: Make) -> None:
    of = fragments(NUMBERED)
    for number, (source, one) in enumerate(zip(of.sources, of.prepared, strict=True)):
        (key,) = one.keys
        place = (Path(source.path), one.init.avcc, key.offset, key.size_bytes)
        poster = await made.poster(Stint(), *place)
        assert number_on(poster) == 30 * number


@pytest.mark.parametrize(("start", "end", "number"), [(1.0, 6.0, 30), (2.5, 3.5, 38)])
async def test_what_a_clip_shows(
    made: Stills, fragments: Make, tmp_path: Path, start: float, end: float, number: int
) -> None:
    _, path = clip_of([fragments(NUMBERED).run(round(start * TICKS), round(end * TICKS))], tmp_path)
    assert await made.index(Stint(), path) == keyframes.read_index(path)
    assert number_on(await made.poster_of_movie(Stint(), path)) == number
    assert number_on(await made.single(Stint(), path, Grid(1, 160, 90))) == number


async def test_what_is_no_movie_has_no_picture(made: Stills, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"no movie")
    for ask in (made.index, made.poster_of_movie):
        with pytest.raises(NoPicture, match="is no movie"):
            await ask(Stint(), path)
    with pytest.raises(FileNotFoundError):
        await made.index(Stint(), tmp_path / "absent.mp4")


async def test_what_takes_too_much_memory_has_no_picture_and_the_next_has_one(
    made: Stills, fragments: Make, tmp_path: Path
) -> None:
    of = fragments(NUMBERED)
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1_500_000_000)
    huge = partial(made.poster, path=tmp_path / "huge", offset=0, size_bytes=1_500_000_000)
    with pytest.raises(PutOff, match="it ended with code 1"):  # the fault may be the system's
        await huge(Stint(), avcc=of.init.avcc)
    with pytest.raises(NoPicture, match="the process that was to read it: it ended"):
        await huge(Stint(is_suspect=True), avcc=of.init.avcc)
    (key,) = of.prepared[0].keys
    place = (Path(of.sources[0].path), of.init.avcc, key.offset, key.size_bytes)
    for stint in (Stint(), Stint(is_suspect=True)):
        assert number_on(await made.poster(stint, *place)) == 0


async def test_it_has_limits_and_no_secret_of_ours(
    fragments: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVEKIT_API_SECRET", "not for strangers")
    _, path = clip_of([fragments(NUMBERED).run()], tmp_path)
    one = Stills()
    there = set(psutil.Process().children())
    await one.index(Stint(), path)
    (process,) = set(psutil.Process().children()) - there
    assert process.cmdline()[1:3] == ["-m", PROGRAM]
    assert not [name for name in process.environ() if "SECRET" in name]
    for name, most in LIMITS.by_name().items():
        assert process.rlimit(getattr(psutil, f"RLIMIT_{name}"))[1] == most
    assert Path(f"/proc/{process.pid}/oom_score_adj").read_text().strip() == FIRST_TO_GO
    one.close()
    assert not process.is_running()


@pytest.mark.parametrize(
    ("message", "output"),
    [
        (b"", b""),
        (b"p", b""),
        (b"p-1", b"\xff\xd8"),
        (b"p99", b"\xff\xd8"),
        (b"p99999999999999999999999999", b"\xff\xd8"),
        (b"p4", b"<svg"),
        (b"i2", b"{}"),
        (b"i9", b"[" * 9),
        (b"i22", b'[1e999, 1, 1, "00", []]'),
        (b"i24", b'[1, 1, 1, "00", [[1, 2]]]'),
        (b"i22", b'[1, -1, 1, "00", []]  '),
        (b"i22", b'["a", 1, 1, "00", []]  '),
    ],
)
def test_an_answer_that_can_not_be_is_refused(message: bytes, output: bytes) -> None:
    file = os.memfd_create("output")
    try:
        os.write(file, output)
        read = stills._jpeg if message[:1] == b"p" else stills._index
        with pytest.raises(ProgramEnded):
            read(ProgramAnswer(message, file))
    finally:
        os.close(file)

"""Clips read in another process: what is wrong is told, and whatever becomes of that process."""

from __future__ import annotations

import asyncio
import math
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.captures.failures import NotAsPlanned
from app.captures.verification import LIMITS, PROGRAM, Expected, Verifier
from app.captures.verification_messages import (
    FileFacts,
    ImplausibleFacts,
    pack_refusal,
    unpack,
)
from tests.media_factory import Shape
from tests.unit.media.fragments import Fragments, clip_of

STUBBORN = "tests.unit.captures.stubborn_verifier"
SHAPE = Shape(size=(320, 180), frames=90)
FACTS = FileFacts(90, 260, 320, 180, 6.0, first_decodes=True, last_key_decodes=True)


@pytest.fixture(scope="module")
def verifier() -> Iterator[Verifier]:
    made = Verifier()
    yield made
    made.close()


@pytest.fixture(scope="module")
def stubborn() -> Iterator[Verifier]:
    made = Verifier(program=STUBBORN)
    yield made
    made.close()


@pytest.fixture
def clip(fragments: Callable[[Shape], Fragments], tmp_path: Path) -> tuple[Path, Expected]:
    planned, path = clip_of([fragments(SHAPE).run()], tmp_path)
    return path, Expected.of(planned)


async def verify(one: Verifier, path: Path, expected: Expected) -> None:
    await one.verify(path, expected, caller="ada", source=path.stem)


def named(path: Path, name: str) -> Path:
    """A copy of a good clip, whose name tells a stubborn verifier what to do."""
    return Path(shutil.copy(path, path.with_name(f"{name}.mp4")))


async def test_a_right_clip_passes_and_every_difference_is_told(
    verifier: Verifier, clip: tuple[Path, Expected]
) -> None:
    path, right = clip
    await verify(verifier, path, right)
    with pytest.raises(NotAsPlanned) as caught:
        await verify(verifier, path, replace(right, width=170, frames=3, duration_seconds=99.0))
    assert caught.value.slug == "verification-failed"
    for told in ("pictures instead of 3;", "320 pixels wide instead of 170", "instead of 99.000 s"):
        assert told in str(caught.value)


async def test_pictures_that_can_not_be_decoded_are_told(
    verifier: Verifier, clip: tuple[Path, Expected]
) -> None:
    path, right = clip
    data = path.read_bytes()
    media = data.index(b"mdat") + 4
    path.write_bytes(data[:media] + bytes(len(data) - media))
    with pytest.raises(NotAsPlanned, match=r"libav can't read it: |decoded"):
        await verify(verifier, path, right)


@pytest.mark.parametrize("does", ["dies", "swells", "spins", "floods", "shuts", "babbles"])
async def test_a_clip_that_ruins_its_verifier_is_not_as_planned_and_the_next_is(
    stubborn: Verifier, clip: tuple[Path, Expected], does: str
) -> None:
    path, right = clip
    with pytest.raises(NotAsPlanned, match="the process that read it: it ") as caught:
        await verify(stubborn, named(path, does), right)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300
    await verify(stubborn, path, right)


async def test_one_that_is_prepared_verifies_every_clip_and_has_no_secret_of_ours(
    clip: tuple[Path, Expected], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVEKIT_API_SECRET", "not for strangers")
    one, there = Verifier(), set(psutil.Process().children())
    one.prepare().result()
    (process,) = set(psutil.Process().children()) - there
    for _ in range(3):
        await verify(one, *clip)
        assert set(psutil.Process().children()) - there == {process}
    assert process.cmdline()[1:3] == ["-m", PROGRAM]
    assert not [name for name in process.environ() if "SECRET" in name]
    for name, most in LIMITS.by_name().items():
        assert process.rlimit(getattr(psutil, f"RLIMIT_{name}"))[1] == most
    one.close()
    assert not process.is_running()
    with pytest.raises(OSError, match="it stops"):
        await verify(one, *clip)


async def test_closing_waits_for_no_clip(clip: tuple[Path, Expected]) -> None:
    path, right = clip
    one = Verifier(STUBBORN)
    await verify(one, path, right)
    slow = asyncio.create_task(verify(one, named(path, "sleeps"), right))
    await asyncio.sleep(0.1)
    began = time.monotonic()
    await asyncio.to_thread(one.close)
    with pytest.raises(OSError, match="it stops"):
        await slow
    assert time.monotonic() - began < 5


def test_the_words_of_libav_are_plain_text_of_one_line() -> None:
    assert unpack(pack_refusal("no\n\x1b[2J\u202e" + "x" * 500)) == "no??[2J?" + "x" * 192


@pytest.mark.parametrize(
    "answer",
    [b"", b"f", b"f" + b"\xff" * 42, b"n", b"n\x1b[2J", b"ntwo\nlines", b"n" + b"x" * 201, b"p1"],
)
def test_an_answer_that_can_not_be_is_refused(answer: bytes) -> None:
    with pytest.raises(ImplausibleFacts, match="it says"):
        unpack(answer)


@given(st.one_of(st.binary(max_size=80), st.binary(min_size=42, max_size=42).map(b"f".__add__)))
def test_no_answer_is_more_than_implausible(answer: bytes) -> None:
    try:
        found = unpack(answer)
    except ImplausibleFacts as error:
        refused = str(error)
        assert len(refused) < 300
        return
    assert isinstance(found, str) or math.isfinite(found.seconds)


def test_what_a_clip_holds_comes_back() -> None:
    assert unpack(FACTS.pack()) == FACTS


def test_what_copies_clips_loads_nothing_that_decodes() -> None:
    code = "import sys, app.captures.copied_cut; sys.exit('av' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

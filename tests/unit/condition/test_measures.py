"""How much lies in a folder."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import structlog

from app.buffer.paths import BUFFER_ROOT, FRAGMENTS_ROOT
from app.condition.measures import Budget, Size, buffered_bytes, size_of


def fill(folder: Path, files: int) -> None:
    """Files of one byte each, every other one deeper than the one before."""
    for number in range(files):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.ts").write_bytes(b"x")
        if number % 2:
            folder /= "deep"


def test_a_file_that_holds_nothing_takes_nothing(tmp_path: Path) -> None:
    """Whatever size it claims: a sum of such claims is more than a database holds."""
    (tmp_path / "media").write_bytes(b"x" * 10_000)
    before = size_of(tmp_path)
    assert before == Size(10_000, True)
    (tmp_path / "deep").mkdir()
    for number in range(3):
        with (tmp_path / "deep" / str(number)).open("wb") as file:
            os.truncate(file.fileno(), 2**43)
    assert size_of(tmp_path) == before


def test_a_walk_of_a_folder_ends_with_its_budget(tmp_path: Path) -> None:
    """Egress may make any number of files. It tells what it counted, and that this is not all."""
    fill(tmp_path, 20)
    assert size_of(tmp_path) == Size(20, True)
    some = size_of(tmp_path, Budget(entries=10))
    assert 0 < some.bytes <= 10
    assert not some.is_whole
    assert size_of(tmp_path, Budget(seconds=0.0)) == Size(1, False)


@pytest.mark.asyncio(loop_scope="function")  # whose threads others would be left with
async def test_the_buffer_is_measured_whoever_else_walks(tmp_path: Path) -> None:
    """In a thread of its own: a walk waits for nobody's thread, and takes nobody's."""
    fill(tmp_path / BUFFER_ROOT, 20)
    fill(tmp_path / FRAGMENTS_ROOT, 5)
    everybodys = ThreadPoolExecutor(1)
    asyncio.get_running_loop().set_default_executor(everybodys)
    free = threading.Event()
    everybodys.submit(free.wait)
    budgets = {BUFFER_ROOT: Budget(entries=1), FRAGMENTS_ROOT: Budget()}
    try:
        with structlog.testing.capture_logs() as logged:
            assert await asyncio.wait_for(buffered_bytes(tmp_path, budgets), 30) == 6
    finally:
        free.set()
    (line,) = logged
    assert (line["event"], line["root"]) == ("size_not_whole", BUFFER_ROOT)


@pytest.mark.parametrize("most_bytes", [0, 25])
async def test_all_of_the_buffer_is_measured_where_it_may_be(
    tmp_path: Path, most_bytes: int
) -> None:
    fill(tmp_path / BUFFER_ROOT, most_bytes)
    fill(tmp_path / FRAGMENTS_ROOT, most_bytes)
    assert await buffered_bytes(tmp_path) == 2 * most_bytes

"""Segments prepared in other processes: as in this one, and whatever becomes of those."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.indexing.fragment_files import Fragment, FragmentWriter
from app.indexing.parser import PROGRAM, Parser
from app.indexing.parser_messages import Implausible, Parsed, Request, unpack
from app.indexing.parser_program import measured
from app.indexing.playlist import Entry
from app.media.aac import AudioFormat
from app.media.continuity import Continuity
from app.media.faults import Unpreparable
from app.media.fragment import prepare
from app.media.loudness import levels_of
from app.media.prepared_fragment import LOUDEST, MOST_LEVELS
from app.storage.foreign import ForeignFolder
from app.work.places import ORDINARY, Stint
from tests.media_factory import MediaFactory, Recording, Shape
from tests.pace import Pace
from tests.waiting import wait_for

STUBBORN = "tests.unit.indexing.stubborn_parser"


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return MediaFactory(tmp_path_factory.mktemp("recordings")).record(Shape())


@pytest.fixture
def folder(tmp_path: Path, recording: Recording) -> Path:
    for number, segment in enumerate(recording.segments):
        (tmp_path / f"s{number}.ts").write_bytes(segment.path.read_bytes())
    return tmp_path


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    made = Parser()
    yield made
    made.close()


@pytest.fixture(scope="module")
def stubborn() -> Iterator[Parser]:
    made = Parser(program=STUBBORN)
    yield made
    made.close()


LATEST_TICKS = 3_600 * 90_000
THREADS = ThreadPoolExecutor(4)


async def make(
    parser: Parser,
    folder: Path,
    name: str,
    previous: Continuity | None = None,
    *,
    threads: Executor = THREADS,
    syncs: Executor = THREADS,
) -> Fragment:
    """Of a session of the folder's own."""
    entry = Entry(name, int(name[1]) if name[1].isdigit() else 7, 2.0, datetime.now(UTC))
    written = ForeignFolder(folder, ())
    writer = FragmentWriter(parser, threads, syncs, str(folder), written, folder, "test")
    return await writer.make(entry, previous, latest_ticks=LATEST_TICKS)


def named(folder: Path, does: str) -> str:
    """A good segment, whose name tells a stubborn parser what to do."""
    return Path(shutil.copy(folder / "s0.ts", folder / f"{does}.ts")).name


async def make_named(parser: Parser, folder: Path, does: str) -> Fragment:
    return await make(parser, folder, named(folder, does))


def parsers_of(pid: int, program: str) -> set[psutil.Process]:
    return {
        child
        for child in psutil.Process(pid).children()
        if child.status() != psutil.STATUS_ZOMBIE and program in child.cmdline()
    }


@pytest.fixture(scope="module", autouse=True)
def others() -> set[psutil.Process]:
    """Parsers that the tests of other modules go on with."""
    return parsers_of(os.getpid(), PROGRAM)


async def test_a_segment_is_prepared_as_in_this_process(
    parser: Parser, folder: Path, recording: Recording
) -> None:
    """One after another, each going on where the one before it ended."""
    here: Continuity | None = None
    there: Continuity | None = None
    for number, segment in enumerate(recording.segments):
        wanted = prepare(str(segment.path), 2.0, here)
        made = await make(parser, folder, f"s{number}.ts", there)
        here, there = wanted.continuity, made.parsed.continuity
        assert there == here
        assert (folder / made.name).read_bytes() == wanted.data
        assert made.parsed.size_bytes == len(wanted.data)
        assert made.modified_ns == (folder / made.name).stat().st_mtime_ns
        assert made.parsed.payload_offset == wanted.payload_offset
        assert made.parsed.samples.pack() == wanted.samples.pack()
    assert not list(folder.glob("*.part"))


async def test_no_fragment_is_told_before_it_is_synced_and_nobody_else_waits_for_that(
    parser: Parser, folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(folder / "s0.ts", other)
    disk_answers = threading.Event()
    with ThreadPoolExecutor(1) as threads, ThreadPoolExecutor(1) as syncs:
        syncs.submit(disk_answers.wait)
        try:
            waits = asyncio.create_task(make(parser, folder, "s0.ts", threads=threads, syncs=syncs))
            await wait_for(lambda: any(each.stat().st_size for each in folder.glob("*.part")))
            made = await make(parser, other, "s0.ts", threads=threads)
            assert (other / made.name).stat().st_size == made.parsed.size_bytes
            assert not waits.done()
            assert list(folder.glob("*.m4s")) == []
        finally:
            disk_answers.set()
        assert (folder / (await waits).name).exists()


async def test_a_segments_faults_come_back(parser: Parser, folder: Path) -> None:
    """And nothing is left of the attempt."""
    (folder / "x.ts").write_bytes((folder / "s0.ts").read_bytes()[:-300])
    with pytest.raises(Unpreparable) as caught:
        await make(parser, folder, "x.ts")
    assert caught.value.slug == "truncated"
    assert str(folder / "x.ts") in str(caught.value)
    assert list(folder.glob("*.part")) == list(folder.glob("*.m4s")) == []


@pytest.mark.parametrize("does", ["dies", "swells", "spins", "shuts", "babbles", "shrinks"])
async def test_a_segment_that_ruins_its_parser_is_corrupt_and_the_next_is_not(
    stubborn: Parser, folder: Path, does: str
) -> None:
    with pytest.raises(Unpreparable) as caught:
        await make_named(stubborn, folder, does)
    assert caught.value.slug == "corrupt"
    assert "the process that parsed it: it " in str(caught.value)
    assert len(str(caught.value)) < 500
    assert (await make(stubborn, folder, "s1.ts")).parsed.samples.pts.size == 30
    assert not list(folder.glob("*.part"))


async def test_a_segment_whose_sound_ends_its_parser_is_kept_without_levels(
    stubborn: Parser, folder: Path
) -> None:
    made = await make_named(stubborn, folder, "deafens")
    assert made.parsed.levels == b""
    wanted = await make(stubborn, folder, "s0.ts")
    assert len(wanted.parsed.levels) > 0
    assert (folder / made.name).read_bytes() == (folder / wanted.name).read_bytes()


def test_a_fragment_whose_levels_can_not_be_measured_has_none(recording: Recording) -> None:
    one = prepare(str(recording.segments[0].path), 2.0)
    assert len(measured(one)) > 0
    wrong = replace(one.init, audio_format=AudioFormat(0, 1))
    assert measured(replace(one, init=wrong)) == b""


@pytest.mark.parametrize("does", ["floods", "opens", "lingers"])
async def test_a_parser_writes_and_opens_only_so_much(
    stubborn: Parser, folder: Path, does: str
) -> None:
    """What the system refuses it ends it, as a stranger's code might not: it gets no further.

    And its exit code is known, however long its end takes.
    """
    with pytest.raises(Unpreparable, match="ended with code 1"):
        await make_named(stubborn, folder, does)


async def test_a_parser_has_no_secret_and_no_file_of_ours(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stubborn = Parser(STUBBORN)
    monkeypatch.setenv("LIVEKIT_API_SECRET", "not for strangers")
    held = os.open(folder / "s0.ts", os.O_RDONLY)
    os.set_inheritable(held, True)
    try:
        with pytest.raises(Unpreparable) as caught:
            await make_named(stubborn, folder, "tells")
    finally:
        os.close(held)
        stubborn.close()
    environment, files = (fault.detail for fault in caught.value.faults)
    assert "PATH" in environment
    assert "SECRET" not in environment
    assert files == f"/dev/null /memfd {folder}/tells.ts socket"


async def test_what_a_parser_says_by_itself_is_in_no_log(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """But for what keeps it from starting."""
    stubborn = Parser(STUBBORN)
    with pytest.raises(Unpreparable):
        await make_named(stubborn, folder, "swells")
    stubborn.close()
    said = capfd.readouterr().err
    assert "noise" in said
    assert "MemoryError" not in said


async def test_a_parser_that_ends_while_it_waits_costs_no_segment(
    parser: Parser, folder: Path, others: set[psutil.Process]
) -> None:
    await make(parser, folder, "s0.ts")
    for each in parsers_of(os.getpid(), PROGRAM) - others:
        each.kill()
    for number in (1, 2, 3):
        await make(parser, folder, f"s{number}.ts")


async def test_what_the_disk_does_not_take_is_no_fault_of_the_segment(
    parser: Parser, folder: Path
) -> None:
    """Its session waits, and goes on when there is space."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            await make(parser, folder, "s0.ts")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(folder.glob("*.part"))
    assert (await make(parser, folder, "s0.ts")).parsed.size_bytes


async def test_file_systems_that_take_no_file_as_a_whole_are_written_by_hand(
    parser: Parser, folder: Path
) -> None:
    """Here: an open file that only grows, into which the kernel neither copies nor sends."""
    made = os.open(folder / "made", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    given = os.open(folder / "s0.ts", os.O_RDONLY)
    try:
        parsed = parser.parse(Stint(), Request("s0.ts", 2.0, LATEST_TICKS, None), given, made)
    finally:
        os.close(given)
        os.close(made)
    wanted = await make(parser, folder, "s0.ts")
    assert (folder / "made").read_bytes() == (folder / wanted.name).read_bytes()
    assert (folder / "made").stat().st_size == parsed.size_bytes


def test_it_ends_with_the_indexer_whatever_it_does(folder: Path) -> None:
    code = f"""
import asyncio
from pathlib import Path
from tests.unit.indexing.test_parser import Parser, STUBBORN, make
async def main():
    parser = Parser(STUBBORN)
    await make(parser, Path({str(folder)!r}), "s1.ts")
    print("ready", flush=True)
    await make(parser, Path({str(folder)!r}), {named(folder, "sleeps")!r})
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as indexer:
        assert indexer.stdout is not None
        assert indexer.stdout.readline() == b"ready\n"
        (sleeping,) = parsers_of(indexer.pid, STUBBORN)
        indexer.send_signal(signal.SIGKILL)
        indexer.wait()
        sleeping.wait(2)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"\xff{}", "it says"),
        (b"m" + bytes(60), "what can't be"),
        (b"f" + b"[" * 50_000, "what can't be"),
        (b'f[["no-such-fault", "x"]]', "what can't be"),
        (b'f[["corrupt", 7]]', "no fault"),
        (b"f[]", "no fault"),
        (b"f1e999", "what can't be"),
    ],
)
def test_an_answer_that_can_not_be_is_refused(answer: bytes, why: str) -> None:
    with pytest.raises(Implausible, match=why) as refused:
        unpack(answer, Request("s.ts", 2.0, LATEST_TICKS, None))
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("levels", "why"),
    [(bytes(MOST_LEVELS + 1), "levels of its sound"), (bytes([LOUDEST + 1]), "louder than")],
    ids=["too many", "too loud"],
)
def test_levels_that_no_sound_has_are_refused(
    recording: Recording, levels: bytes, why: str
) -> None:
    one = prepare(str(recording.segments[0].path), 2.0)
    told = Parsed(len(one.data), one.payload_offset, one.init, one.samples, 3_000, levels=levels)
    with pytest.raises(Implausible, match=why):
        unpack(told.pack(), Request("s.ts", 2.0, LATEST_TICKS, None))


@given(data=st.data())
def test_no_answer_is_more_than_implausible(recording: Recording, data: st.DataObject) -> None:
    """Whatever a parser answers, it is refused, or something that can be kept."""
    prepared = prepare(str(recording.segments[0].path), 2.0)
    previous = data.draw(st.sampled_from([None, prepared.continuity]))
    request = Request("s.ts", 2.0, LATEST_TICKS, previous)
    size_bytes = len(prepared.data)
    samples = prepared.samples
    right = Parsed(
        size_bytes,
        prepared.payload_offset,
        prepared.init,
        samples,
        3_000,
        levels=levels_of(prepared),
    ).pack()
    wrong = bytearray(data.draw(st.sampled_from([right, b"m", b'f[["corrupt", "x"]]'])))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(wrong)))
        wrong[place : place + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    try:
        found = unpack(bytes(wrong), request)
    except Implausible:
        return
    if isinstance(found, Parsed):
        samples = found.samples
        assert found.payload_offset + samples.video_bytes + samples.audio_bytes == found.size_bytes
        assert samples.first_pts + int(samples.pts.max()) <= LATEST_TICKS
        assert samples.end_pts - samples.first_pts < 150 * 90_000
        assert len(found.levels) <= MOST_LEVELS
        assert max(found.levels, default=0) <= LOUDEST


def test_the_indexer_loads_nothing_that_reads_media() -> None:
    code = "import sys, app.indexing.indexer; sys.exit('av' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


async def test_a_segment_that_takes_long_keeps_no_other_waiting(
    stubborn: Parser, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    neighbour = Path(shutil.copytree(folder, tmp_path_factory.mktemp("neighbour") / "s"))
    await make(stubborn, folder, "s2.ts")
    slow = asyncio.create_task(make_named(stubborn, folder, "sleeps"))
    for number in (0, 1, 3):
        with Pace() as pace:
            await make(stubborn, neighbour, f"s{number}.ts")
        assert pace.fair_seconds < 1.5, pace.seconds
    assert (await slow).parsed.size_bytes


async def test_many_at_once_are_prepared_by_few(
    parser: Parser, folder: Path, others: set[psutil.Process]
) -> None:
    folders = [folder / str(number) for number in range(40)]
    for each in folders:
        each.mkdir()
        shutil.copy(folder / "s0.ts", each)
    made = await asyncio.gather(*(make(parser, each, "s0.ts") for each in folders))
    assert len(made) == 40
    assert len(parsers_of(os.getpid(), PROGRAM) - others) <= ORDINARY


async def test_closing_waits_for_no_segment(folder: Path) -> None:
    """Its attempt ends, and is not taken for a fault of the segment."""
    parser = Parser(STUBBORN)
    await make(parser, folder, "s1.ts")
    slow = asyncio.create_task(make_named(parser, folder, "sleeps"))
    await wait_for(lambda: list(folder.glob("*.part")))
    began = time.monotonic()
    await asyncio.to_thread(parser.close)
    with pytest.raises(OSError, match="it stops"):
        await slow
    assert time.monotonic() - began < 2.5
    with pytest.raises(OSError, match="it stops"):
        await make(parser, folder, "s2.ts")
    assert not list(folder.glob("*.part"))


async def test_a_session_that_is_given_back_leaves_nothing(stubborn: Parser, folder: Path) -> None:
    """Its parser is free, and its part is gone."""
    given_back = asyncio.create_task(make_named(stubborn, folder, "hangs"))
    await wait_for(lambda: list(folder.glob("*.part")))
    given_back.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_back
    assert not list(folder.glob("*.part"))
    assert (await make(stubborn, folder, "s1.ts")).parsed.size_bytes

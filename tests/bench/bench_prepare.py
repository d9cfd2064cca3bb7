"""What it costs to prepare a segment when it arrives, as a share of a core of a live stream.

`prepare` makes the fragment in memory, `make_fragment` writes it too, until it is on the disk;
`copy` only copies the segment's bytes; `ffmpeg` is a process for each segment, as is usual.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from app.indexing.fragment_files import FragmentWriter
from app.indexing.parser import Parser
from app.indexing.playlist import Entry
from app.media.continuity import Continuity
from app.media.fragment import prepare
from app.storage.foreign import ForeignFolder
from tests.bench import measure, media
from tests.bench.ground import Ground
from tests.bench.report import Result, result


def run(ground: Ground) -> list[Result]:
    kinds = [(media.HD_15, 2), (media.FULL_HD_30, 2), (media.FULL_HD_60, 2)]
    kinds += ground.pick(quick=[], full=[(media.FULL_HD_60, 4), (media.FULL_HD_60, 10)])
    results: list[Result] = []
    parser, runner = Parser(), asyncio.Runner()
    for shape, each in kinds:
        ground.say(f"preparing {shape.name} in segments of {each} s")
        paths = ground.cycle(shape, each)
        folder = ground.scratch / "preparing"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        ways: dict[str, Callable[[], list[float]]] = {
            "copy": partial(_cpu_seconds, [partial(_copy, path, folder) for path in paths]),
            "prepare": partial(_prepare, paths, each),
            "make_fragment": partial(_make_fragments, runner, parser, paths, folder, each),
            "ffmpeg": partial(_cpu_seconds, [partial(_ffmpeg, paths[0], folder)]),
        }
        params: dict[str, str | int] = {"media": shape.name, "segment_seconds": each}
        samples = measure.loops(ways, ground.pick(quick=5, full=15))
        shutil.rmtree(folder)
        for way, loops in samples.items():
            shares = [cpu / each * 100 for loop in loops for cpu in loop]
            results.append(result("prepare", way, params, "% of a core", shares))
    parser.close()
    runner.close()
    return results


def _cpu_seconds(steps: Sequence[Callable[[], object]]) -> list[float]:
    return [measure.cost(step).cpu_seconds for step in steps]


def _copy(path: Path, folder: Path) -> None:
    shutil.copyfile(path, folder / "copy")


def _prepare(paths: Sequence[Path], each: int) -> list[float]:
    continuity: Continuity | None = None
    used = []

    def step(path: Path) -> None:
        nonlocal continuity
        continuity = prepare(str(path), each, continuity).continuity

    for path in paths:
        used.append(measure.cost(partial(step, path)).cpu_seconds)
    return used


def _make_fragments(
    runner: asyncio.Runner, parser: Parser, paths: Sequence[Path], folder: Path, each: int
) -> list[float]:
    continuity: Continuity | None = None
    used = []
    with ThreadPoolExecutor(1) as threads:
        written = ForeignFolder(folder, ())
        writer = FragmentWriter(parser, threads, threads, "session", written, folder, "bench")

        def step(entry: Entry) -> None:
            nonlocal continuity
            made = runner.run(writer.make(entry, continuity, latest_ticks=2**40))
            continuity = made.parsed.continuity

        for number, path in enumerate(paths):
            shutil.copyfile(path, folder / path.name)
            entry = Entry(path.name, number, each, datetime.now(UTC))
            before = measure.children_cpu_seconds()
            here = measure.cost(partial(step, entry)).cpu_seconds
            used.append(here + measure.children_cpu_seconds() - before)
    return used


def _ffmpeg(path: Path, folder: Path) -> None:
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(path), "-c", "copy"]
    command += [
        "-bsf:a",
        "aac_adtstoasc",
        "-f",
        "mp4",
        "-movflags",
        "+frag_keyframe+delay_moov+default_base_moof",
    ]
    subprocess.run([*command, str(folder / "out.mp4")], check=True)

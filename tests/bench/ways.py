"""Ways to make one clip of recorded segments: ours, and those of others.

    python -m tests.bench.ways      a job as JSON in, `ready` out; then for each line in
                                    ({"fsync"}) a clip is made, and its cost told

Each way has a process of its own. What a running service has done long before (imports, reading
the rows) is done before `ready`; a program that would be started for the clip is started within
the measured time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tests.bench import measure
from tests.bench.measure import Cost

Key = TypeVar("Key")
PROGRAMS = ("cat", "ffmpeg_concat", "ffmpeg_m3u8")
"""Ways that run another program."""
_LOOK_SECONDS = 0.01


@dataclass(frozen=True)
class Job:
    """A clip to make: `way` of `ts` or fragments, as in the files' list `index`.

    `span`: [start, end) in ticks of the session, for `ours`. `copies`: so many at once, into
    `out`.0, `out`.1 … ; only `ours`.
    """

    way: str
    index: str
    out: str
    span: tuple[int, int] = (0, 0)
    copies: int = 1


@dataclass
class Made:
    """What it cost; of several at once, when each was done (seconds)."""

    cost: Cost
    done_seconds: list[float] = field(default_factory=list)


Run = Callable[[Job, dict[str, Any], list[Path], bool], Made]


class Maker:
    """A process that makes one job's clip again and again; their files are removed."""

    def __init__(self, job: Job) -> None:
        self._way = job.way
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.ways"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self._told(json.dumps(asdict(job))) != "ready":
            raise RuntimeError(f"{job.way} did not get ready")

    def make(self, *, fsync: bool = False) -> Made:
        """Makes the clip; with `fsync` until it is on the disk. RuntimeError if that fails."""
        told = json.loads(self._told(json.dumps({"fsync": fsync})))
        return Made(Cost(**told["cost"]), told["done_seconds"])

    def end(self) -> None:
        """Ends the process."""
        self._child.communicate()

    def _told(self, line: str) -> str:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(line + "\n")
        self._child.stdin.flush()
        answer = self._child.stdout.readline().strip()
        if not answer:
            raise RuntimeError(f"{self._way} failed with exit code {self._child.wait()}")
        return answer


@contextmanager
def makers(jobs: Mapping[Key, Job]) -> Iterator[dict[Key, Maker]]:
    """A process for each job until the block ends."""
    started: dict[Key, Maker] = {}
    try:
        for key, job in jobs.items():
            started[key] = Maker(job)
        yield started
    finally:
        for maker in started.values():
            maker.end()


def main() -> None:
    """The child: see the module."""
    given = json.loads(sys.stdin.readline())
    job = Job(**given | {"span": tuple(given["span"])})
    index = json.loads(Path(job.index).read_text())
    outs = [Path(f"{job.out}.{number}") for number in range(job.copies)]
    run = _run_program if job.way in PROGRAMS else _prepared(job, index)
    _tell("ready")
    while line := sys.stdin.readline():
        try:
            made = run(job, index, outs, json.loads(line)["fsync"])
        finally:
            for out in outs:
                out.unlink(missing_ok=True)
        _tell(json.dumps(asdict(made)))


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _run_program(job: Job, index: dict[str, Any], outs: list[Path], fsync: bool) -> Made:
    [out] = outs
    peak = 0

    def watch(pid: int, ended: threading.Event) -> None:
        nonlocal peak
        while not ended.is_set():
            peak = max(peak, measure.peak_bytes(pid))
            ended.wait(_LOOK_SECONDS)

    def run() -> None:
        ended = threading.Event()
        with out.open("wb") as output:
            program = subprocess.Popen(_command(job, index, out), stdout=output)
            watcher = threading.Thread(target=watch, args=(program.pid, ended))
            watcher.start()
            code = program.wait()
            ended.set()
            watcher.join()
            if code:
                raise RuntimeError(f"{job.way} ended with {code}")
        if fsync:
            _sync(out)

    cost = measure.cost(run)
    _check(out, index)
    return Made(Cost(cost.seconds, cost.cpu_seconds, peak))


def _command(job: Job, index: dict[str, Any], out: Path) -> list[str]:
    if job.way == "cat":
        return ["cat", *index["fragments"]]
    ffmpeg = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-xerror"]
    copied = ["-c", "copy", "-movflags", "+faststart", "-f", "mp4", str(out)]
    if job.way == "ffmpeg_concat":
        return [*ffmpeg, "-f", "concat", "-safe", "0", "-i", index["concat"], *copied]
    return [*ffmpeg, "-allowed_extensions", "ALL", "-i", index["playlist"], *copied]


def _prepared(job: Job, index: dict[str, Any]) -> Run:
    """The function of a way that runs within a process, everything imported and warm."""
    if job.way == "pyav_concat":
        from tests.bench import remuxing

        clips = [lambda out: remuxing.concatenate(index["ts"], out)]
    else:
        from tests.bench import joined

        first, end = index["rows"]
        recorded = joined.read(Path(index["recorded"]), first, end, index["repeats"])
        joined.warm_up(recorded)
        clips = [lambda out: joined.join(recorded, job.span, out)] * job.copies
    return lambda job, index, outs, fsync: _run_clips(index, clips, outs, fsync)


def _run_clips(
    index: dict[str, Any], clips: list[Callable[[Path], None]], outs: list[Path], fsync: bool
) -> Made:
    began = time.perf_counter()

    def one(clip: Callable[[Path], None], out: Path) -> float:
        clip(out)
        if fsync:
            _sync(out)
        return time.perf_counter() - began

    def run() -> list[float]:
        nonlocal began
        began = time.perf_counter()
        if len(clips) == 1:
            return [one(clips[0], outs[0])]
        with ThreadPoolExecutor(len(clips)) as threads:
            return list(threads.map(one, clips, outs))

    done: list[float] = []
    cost = measure.cost(lambda: done.extend(run()))
    for out in outs:
        _check(out, index)
    return Made(cost, done)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check(out: Path, index: dict[str, Any]) -> None:
    """A way that left something out would be quick."""
    size, expected = out.stat().st_size, index["size_bytes"]
    if not 0.93 * expected < size < 1.07 * expected:
        raise RuntimeError(f"{out} has {size} bytes; its segments have {expected}")


if __name__ == "__main__":
    main()

"""One run of ffmpeg: watched, bounded, gone when it is over.

The command lines are built where they are needed, with ffmpeg-python's `compile`.
"""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar

import structlog

from app.errors import CaptureFailed, StorageFull
from app.metrics import FFMPEG_SECONDS
from app.models import FailureReason
from app.processes.bound_exec import NOT_STARTED
from app.processes.bound_process import Limits, bound_process
from app.storage import clip_files
from app.work.places import PutOff, Stint

STALL_SECONDS = 60.0
"""Longer than any seek or flush takes: ffmpeg tells its progress twice a second."""
SLOWEST = 12.0
"""Times its length is what encoding media takes at most: 2160p30 takes 10 on two cores that have
more to do, 1080p60 takes 5. Strangers' media may take any time."""
LEAST_SECONDS, MOST_SECONDS = 120.0, 2 * 3600.0
"""That a run has, however short or long its media is."""
LIMITS = Limits(memory_bytes=6 * 2**30)
"""Encoding 1080p takes 0.4 GiB with 2 threads, 5 GiB with 96. A worker runs two at a time,
and two short ones beside them."""
SHORT_LIMITS = Limits(memory_bytes=2 * 2**30)
"""4096x2304 takes 0.7 GiB with 2 threads."""
SHORT_THREADS = 2
TAIL_BYTES = 8192
_BLOCK_BYTES = 65536
_FILE = "file:"
_LOOK_SECONDS = 0.5
_NICER = ("nice", "-n", "5")
"""Before a long one: a short one beside it, and all else, has three quarters of the processor."""

log = structlog.get_logger()


class FfmpegFailed(CaptureFailed):
    """ffmpeg ended otherwise than by finishing."""

    slug: ClassVar[str] = FailureReason.FFMPEG_FAILED


class FfmpegMissing(FfmpegFailed):
    """ffmpeg is not installed where the worker runs."""

    slug: ClassVar[str] = FailureReason.FFMPEG_MISSING


class FfmpegStalled(FfmpegFailed):
    """ffmpeg got no further for a minute, or went on for far too long, and was ended."""

    slug: ClassVar[str] = FailureReason.FFMPEG_STALLED


@dataclass(frozen=True)
class Effort:
    """What a run may take. `is_short`: it is expected to end soon, and has few threads and little
    memory; else it has the processor that others leave. `stint`: whether it may go on."""

    stint: Stint = field(default_factory=Stint)
    is_short: bool = False

    @property
    def threads(self) -> dict[str, int]:
        """The option for an input, and for an output."""
        return {"threads": SHORT_THREADS} if self.is_short else {}


def longest_seconds(media_seconds: float) -> float:
    """How long a run may take that encodes so much: others wait for its place."""
    return min(MOST_SECONDS, max(LEAST_SECONDS, SLOWEST * media_seconds))


async def run(
    argv: Sequence[str],
    effort: Effort | None = None,
    *,
    on_progress: Callable[[float], None] | None = None,
    stall_seconds: float = STALL_SECONDS,
    run_seconds: float = LEAST_SECONDS,
) -> None:
    """Runs `argv` (ffmpeg and its arguments, inputs and outputs named) until it has finished.

    `on_progress` is told the seconds of output that are done. The process, with its group, is
    killed when the caller is cancelled, and dies with us. Its command line, which everybody on the
    machine may read, names none of its `file:`s.

    Raises FfmpegMissing, FfmpegStalled if nothing got on for `stall_seconds` or all takes longer
    than `run_seconds`, StorageFull, FfmpegFailed, OSError if an input can't be opened; PutOff if
    its stint is over.
    """
    started = time.monotonic()
    effort = effort or Effort()
    limits = SHORT_LIMITS if effort.is_short else LIMITS
    # An output that is there is what was left when the run was put off.
    options = ["-nostdin", "-y", "-hide_banner", "-xerror", "-progress", "pipe:1"]
    before = () if effort.is_short else _NICER
    progress = _Progress(on_progress)
    readers: list[asyncio.Future[Any]] = []
    try:
        async with (
            _nameless(argv) as (given, files),
            bound_process(
                [*before, given[0], *options, *given[1:]],
                limits=limits,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=files,
            ) as process,
        ):
            assert process.stdout is not None
            assert process.stderr is not None
            reading = asyncio.create_task(progress.read(process.stdout))
            tail = asyncio.create_task(_tail(process.stderr))
            readers = [reading, tail]
            await _while_it_moves(reading, progress, stall_seconds, run_seconds, effort.stint)
            async with asyncio.timeout(stall_seconds):
                _check(argv[0], await process.wait(), await tail)
    except TimeoutError as error:
        raise FfmpegStalled(f"ffmpeg did not end {stall_seconds:g} s after its work") from error
    finally:
        # A killed group has closed its pipes, so these are over at once.
        await asyncio.shield(asyncio.gather(*readers, return_exceptions=True))
        FFMPEG_SECONDS.observe(time.monotonic() - started)


@asynccontextmanager
async def _nameless(argv: Sequence[str]) -> AsyncIterator[tuple[list[str], list[int]]]:
    """The command line with open files for paths, and these. Raises OSError, StorageFull.

    An output is opened by ffmpeg as often as it likes, so it is named by what the kernel calls it.
    """
    told, files = list[str](), list[int]()
    try:
        for option, each in pairwise(["", *argv]):
            if not each.startswith(_FILE):
                told.append(each)
                continue
            access = os.O_RDONLY if option == "-i" else os.O_RDWR | os.O_CREAT
            opening = partial(os.open, each.removeprefix(_FILE), access | os.O_CLOEXEC, 0o666)
            with clip_files.disk_errors():
                files.append(await asyncio.to_thread(opening))
            told.append(f"{_FILE}/proc/self/fd/{files[-1]}")
        yield told, files
    finally:
        for file in files:
            os.close(file)


async def _while_it_moves(
    reading: asyncio.Task[None],
    progress: _Progress,
    stall_seconds: float,
    run_seconds: float,
    stint: Stint,
) -> None:
    began = time.monotonic()
    while not reading.done():
        now = time.monotonic()
        left = progress.moved_at + stall_seconds - now
        if left <= 0:
            raise FfmpegStalled(f"ffmpeg got no further for {stall_seconds:g} s")
        if now - began >= run_seconds:
            raise FfmpegStalled(
                f"ffmpeg took longer than {run_seconds:.0f} s, which is more than media of this "
                "length needs"
            )
        if not stint.may_go_on(now - began):
            raise PutOff(f"others wait to encode, after {now - began:.0f} s")
        await asyncio.wait({reading}, timeout=min(left, _LOOK_SECONDS))
    await reading


def _check(program: str, code: int, stderr: str) -> None:
    if code == 0:
        return
    # The caller of the service reads the error, the operator the log: its words stand only here.
    log.warning("ffmpeg_failed", code=code, last_words=stderr)
    if any(os.strerror(number) in stderr for number in (errno.ENOSPC, errno.EDQUOT)):
        raise StorageFull("the disk that holds the clips is full: free space there")
    if code == NOT_STARTED:
        raise FfmpegMissing(f"{program} can't be run on the server: it must be installed there")
    ended = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    raise FfmpegFailed(f"ffmpeg {ended}; the service's log has what it said")


async def _tail(stream: asyncio.StreamReader) -> str:
    """The last words of a stream, however much it says."""
    kept = b""
    while block := await stream.read(_BLOCK_BYTES):
        kept = (kept + block)[-TAIL_BYTES:]
    lines = kept.decode(errors="replace").strip().splitlines()
    return " | ".join(lines[-4:])


class _Progress:
    """What `-progress` tells: `out_time_us=…` is how much of the output is done."""

    def __init__(self, on_progress: Callable[[float], None] | None) -> None:
        self.moved_at = time.monotonic()
        self._told = on_progress
        self._done_us = -1

    async def read(self, stream: asyncio.StreamReader) -> None:
        rest = b""
        while block := await stream.read(_BLOCK_BYTES):
            *lines, rest = (rest + block).split(b"\n")
            rest = rest[-TAIL_BYTES:]
            for line in lines:
                name, _, value = line.strip().partition(b"=")
                if name == b"out_time_us" and value.isdigit():  # "N/A" before the first frame
                    self._moved(int(value))

    def _moved(self, done_us: int) -> None:
        if done_us <= self._done_us:
            return
        self._done_us = done_us
        self.moved_at = time.monotonic()
        if self._told is not None:
            self._told(done_us / 1e6)

"""app.captures.ffmpeg_process with the real program, and with ones that misbehave as it might."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from app.captures import ffmpeg_process
from app.captures.ffmpeg_process import Effort
from app.processes.bound_exec import FIRST_TO_GO
from app.work.places import PutOff, Stint
from tests.waiting import PATIENCE_SECONDS, wait_for

SOURCE = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=15:duration=2"]


def program(folder: Path, script: str) -> str:
    path = folder / "ffmpeg"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_it_writes_the_output_and_tells_how_far_it_is(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    told: list[float] = []
    await ffmpeg_process.run(["ffmpeg", *SOURCE, "-y", str(out)], on_progress=told.append)
    assert out.stat().st_size > 1000
    assert told == sorted(told)
    assert told[-1] == pytest.approx(2, abs=0.2)


async def test_a_failing_run_says_its_code_and_no_path(tmp_path: Path) -> None:
    with pytest.raises(ffmpeg_process.FfmpegFailed, match="ended with code 1") as raised:
        await ffmpeg_process.run(["ffmpeg", "-i", str(tmp_path / "absent.mp4"), "-f", "null", "-"])
    assert raised.value.slug == "ffmpeg-failed"
    assert str(tmp_path) not in raised.value.detail


async def test_its_command_line_names_no_file_of_ours(tmp_path: Path) -> None:
    """Every user of the machine reads the command lines of all processes."""
    given, out, seen = tmp_path / "given.mp4", tmp_path / "alice.part", tmp_path / "seen"
    await ffmpeg_process.run(["ffmpeg", *SOURCE, "-f", "mp4", f"file:{given}"])
    asked = ["-i", f"file:{given}", "-c", "copy", "-movflags", "+faststart", "-f", "mp4"]
    telling = program(tmp_path, f'tr "\\0" " " < /proc/$$/cmdline > {seen}; exec ffmpeg "$@"')
    await ffmpeg_process.run([telling, *asked, f"file:{out}"])
    assert out.stat().st_size > 1000
    assert seen.read_text().count("file:/proc/self/fd/") == 2
    assert "given" not in seen.read_text()
    assert "alice" not in seen.read_text()


@pytest.mark.edge("ffmpeg absent, hanging, killed, loud")
async def test_an_absent_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(ffmpeg_process.FfmpegMissing, match="must be installed") as raised:
        await ffmpeg_process.run(["ffmpeg-that-is-nowhere", "-version"])
    assert raised.value.slug == "ffmpeg-missing"


@pytest.mark.edge("ffmpeg absent, hanging, killed, loud")
async def test_ten_megabytes_of_stderr_neither_block_nor_fill_the_memory(tmp_path: Path) -> None:
    chatty = program(tmp_path, "head -c 10000000 /dev/zero | tr '\\0' 'x' >&2; echo >&2; exit 3")
    with pytest.raises(ffmpeg_process.FfmpegFailed, match="code 3"):
        await ffmpeg_process.run([chatty])


async def test_megabytes_of_progress_without_a_line_end_are_dropped(tmp_path: Path) -> None:
    chatty = program(tmp_path, "head -c 5000000 /dev/zero | tr '\\0' '9'; exit 0")
    told: list[float] = []
    await ffmpeg_process.run([chatty], on_progress=told.append)
    assert told == []


@pytest.mark.edge("ffmpeg absent, hanging, killed, loud")
async def test_a_run_that_gets_no_further_is_ended_with_all_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    hanging = program(tmp_path, f"sleep 1000 & echo $$ $! > {pids}; echo out_time_us=5; wait")
    with pytest.raises(ffmpeg_process.FfmpegStalled, match="no further"):
        await ffmpeg_process.run([hanging], stall_seconds=3)
    started = [int(pid) for pid in pids.read_text().split()]
    # nobody waits for the end of what it has started itself
    await wait_for(lambda: not any(map(alive, started)))


async def test_a_program_that_closes_its_pipe_and_stays_is_ended(tmp_path: Path) -> None:
    staying = program(tmp_path, "exec sleep 1000 >/dev/null")
    with pytest.raises(ffmpeg_process.FfmpegStalled, match="did not end"):
        await ffmpeg_process.run([staying], stall_seconds=2)


async def test_a_run_is_put_off_when_its_stint_is_over(tmp_path: Path) -> None:
    others: list[str] = []
    stint = Stint(0.1, is_wanted=lambda: bool(others))
    running = program(tmp_path, "while :; do i=$((i+1)); echo out_time_us=$i; sleep 0.1; done")
    run = asyncio.create_task(ffmpeg_process.run([running], Effort(stint, is_short=True)))
    await wait_for(lambda: stint.is_blamed)
    assert not run.done()
    others.append("somebody")
    with pytest.raises(PutOff, match="others wait"):
        await run


@pytest.mark.parametrize("is_short", [True, False])
async def test_a_long_run_has_the_processor_that_others_leave(
    tmp_path: Path, is_short: bool
) -> None:
    said = tmp_path / "said"
    told = program(tmp_path, f"(nice; ulimit -d) > {said}")
    await ffmpeg_process.run([told], Effort(is_short=is_short))
    niceness, kib = (int(line) for line in said.read_text().split())
    assert niceness == os.nice(0) + (0 if is_short else 5)
    assert kib <= (2 if is_short else 6) * 2**20


async def test_repeating_the_same_progress_is_no_progress(tmp_path: Path) -> None:
    looping = program(tmp_path, "while :; do echo out_time_us=5; sleep 0.05; done")
    with pytest.raises(ffmpeg_process.FfmpegStalled):
        await ffmpeg_process.run([looping], stall_seconds=1)


async def test_a_run_that_goes_on_and_on_is_ended(tmp_path: Path) -> None:
    slow = program(tmp_path, "n=0; while :; do n=$((n+1)); echo out_time_us=$n; sleep 0.05; done")
    with pytest.raises(ffmpeg_process.FfmpegStalled, match="longer than"):
        await ffmpeg_process.run([slow], run_seconds=2)


async def test_a_run_that_is_killed_says_so(tmp_path: Path) -> None:
    with pytest.raises(ffmpeg_process.FfmpegFailed, match="signal 9"):
        await ffmpeg_process.run([program(tmp_path, "kill -9 $$")])


async def test_cancelling_ends_the_process(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    hanging = program(tmp_path, f"echo $$ > {pid_file}; exec sleep 1000")
    task = asyncio.create_task(ffmpeg_process.run([hanging]))
    await wait_for(lambda: pid_file.exists() and pid_file.read_text().strip())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not alive(int(pid_file.read_text()))


async def test_what_a_run_left_that_was_put_off_is_written_anew(tmp_path: Path) -> None:
    """Without asking: nobody would answer."""
    out = tmp_path / "out.mp4"
    out.write_bytes(b"there")
    await asyncio.wait_for(ffmpeg_process.run(["ffmpeg", *SOURCE, str(out)]), PATIENCE_SECONDS)
    assert out.read_bytes()[4:8] == b"ftyp"


async def test_it_has_limits_and_no_secret_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It decodes what strangers have encoded."""
    monkeypatch.setenv("LIVEKIT_API_SECRET", "not for strangers")
    said = tmp_path / "said"
    asked = "env; ulimit -d; ulimit -c; cat /proc/self/oom_score_adj"
    await ffmpeg_process.run([program(tmp_path, f"({asked}) >{said}")])
    *environment, memory_kib, core, goes_first = said.read_text().splitlines()
    assert any(line.startswith("PATH=") for line in environment)
    assert not any("SECRET" in line for line in environment)
    assert int(memory_kib) == ffmpeg_process.LIMITS.by_name()["DATA"] // 1024
    assert (core, goes_first) == ("0", FIRST_TO_GO)

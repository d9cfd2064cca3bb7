"""deploy/down ends what deploy/up noted, and nothing that merely has the same process id."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local import run_record
from deploy.local.run_record import Process, Record
from tests.waiting import PATIENCE_SECONDS, wait_for

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts Python code in a process of its own; it is gone after the test."""
    started = []

    def run(code: str = "import time; time.sleep(600)") -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def test_a_noted_process_is_ended(start: Start, tmp_path: Path) -> None:
    process = start()
    record = Record()
    record.note("service", process.pid)
    record.write(tmp_path)
    found = Record.read(tmp_path)
    assert found == record
    assert run_record.end(found) == ["service"]
    assert process.wait(PATIENCE_SECONDS) < 0


def test_another_process_with_the_same_id_is_left_alone(start: Start) -> None:
    process = start()
    now = Process.of(process.pid)
    assert now
    earlier = replace(now, start_ticks=now.start_ticks - 1)
    rebooted = replace(now, boot_id="another boot")
    assert run_record.end(Record({"service": earlier, "share": rebooted})) == []
    assert process.poll() is None


def test_a_process_that_has_ended_is_nothing_to_end(start: Start) -> None:
    process = start("")
    noted = Process.of(process.pid)
    process.wait()
    assert noted is None or not noted.runs
    assert Process.of(process.pid) is None


async def test_an_ended_process_that_nobody_waited_for_has_ended(start: Start) -> None:
    process = start("")
    await wait_for(lambda: Process.of(process.pid) is None)


def test_a_process_that_ignores_sigterm_is_killed(start: Start) -> None:
    process = start(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('ready', flush=True); time.sleep(600)"
    )
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    record = Record()
    record.note("egress", process.pid)
    assert run_record.end(record, forced_seconds=0.3) == ["egress"]
    assert process.wait(PATIENCE_SECONDS) == -9


def test_a_name_in_proc_cannot_mislead(start: Start) -> None:
    """/proc/PID/stat holds the name of the program unescaped, and it may look like fields."""
    process = start(
        "import ctypes, time; ctypes.CDLL(None).prctl(15, b') Z 1 1 (', 0, 0, 0);"  # PR_SET_NAME
        "print('ready', flush=True); time.sleep(600)"
    )
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    found = Process.of(process.pid)
    assert found
    assert found.runs


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"processes": {"up": {}}, "summary": ""}'])
def test_a_broken_record_is_no_record(tmp_path: Path, content: str) -> None:
    (tmp_path / "up.json").write_text(content)
    assert Record.read(tmp_path) is None


def test_one_deploy_up_at_a_time_has_a_folder(tmp_path: Path) -> None:
    first = run_record.claim(tmp_path / "run")
    assert first is not None
    assert run_record.claim(tmp_path / "run") is None

"""What `deploy/up` started, written down so that `deploy/down` ends exactly that."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".run"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Process:
    """A process that can't be mistaken for a later one with the same id."""

    pid: int
    start_ticks: int
    boot_id: str

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The process that has this id now; None if none has, or if it has ended."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # proc(5): the name, in parentheses, may hold anything; state is field 3, starttime 22
        fields = stat[stat.rindex(")") + 2 :].split()
        if fields[0] in "ZX":
            return None
        return cls(pid, int(fields[19]), BOOT_ID.read_text().strip())

    @property
    def runs(self) -> bool:
        return Process.of(self.pid) == self

    def signal(self, number: signal.Signals) -> None:
        """Sends `number` to this process and to no other."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            # With the handle open the id can't pass to another process, so this comparison holds.
            if self.runs:
                signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            pass  # it ended in between, which is what was wanted
        finally:
            os.close(handle)


@dataclass
class Record:
    """The contents of up.json: the processes by name, `up` itself among them."""

    processes: dict[str, Process] = field(default_factory=dict)
    summary: str = ""
    """What deploy/up printed in the end; empty until it was ready."""

    def note(self, name: str, pid: int | None) -> None:
        process = Process.of(pid) if pid is not None else None
        if process:
            self.processes[name] = process

    def write(self, folder: Path) -> None:
        part = folder / "up.json.part"
        part.write_text(json.dumps(asdict(self), indent=1) + "\n")
        part.replace(folder / "up.json")

    @classmethod
    def read(cls, folder: Path) -> Record | None:
        """The record of `folder`; None if there is none, or none that can be read."""
        try:
            found = json.loads((folder / "up.json").read_text())
            processes = {name: Process(**it) for name, it in found["processes"].items()}
            return cls(processes, found["summary"])
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return None


def claim(folder: Path) -> int | None:
    """An open descriptor that says that we run `folder`; None if another does.

    The claim ends with the descriptor, so with this process too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def end(record: Record, *, orderly_seconds: float = 60, forced_seconds: float = 10) -> list[str]:
    """Ends what still runs of `record`; the names of those.

    `up` ends its own children, in order; what outlives it gets SIGTERM, then SIGKILL.

    Raises TimeoutError that names a process which does not even end by SIGKILL.
    """
    names = [name for name, process in record.processes.items() if process.runs]
    up = record.processes.get("up")
    if up:
        up.signal(signal.SIGTERM)
        _wait([up], orderly_seconds)
    for number in (signal.SIGTERM, signal.SIGKILL):
        rest = [process for process in record.processes.values() if process.runs]
        for process in rest:
            process.signal(number)
        _wait(rest, forced_seconds)
    if stuck := [name for name, process in record.processes.items() if process.runs]:
        raise TimeoutError(f"does not end: {', '.join(stuck)}")
    return names


def _wait(processes: list[Process], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(process.runs for process in processes) and time.monotonic() < deadline:
        time.sleep(0.05)

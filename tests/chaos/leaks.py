"""What is left behind: processes, descriptors, temporary files."""

from __future__ import annotations

from collections import Counter

import psutil

from app.processes.counters_folder import PREFIX
from tests.chaos.site import Site
from tests.service import PARSER, PROGRAMS

MORE_DESCRIPTORS = 48
"""Connections and files come and go; what leaks with each round passes this in time."""
OF_EGRESS = "EG_"
"""What a stand-in that is killed leaves behind is not the service's."""
POOLED = frozenset({PARSER, "app.viewing.still_program", "app.captures.verification_program"})
"""What is kept for the next time, by whoever needed it."""
MOST_POOLED = 2


class Leaks:
    """Compares what there is with the first time that it was asked."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._first: dict[str, int] = {}

    async def faults(self) -> list[str]:
        """What is there and should not be, or the reverse."""
        return self._processes() + self._descriptors() + self._files()

    def _processes(self) -> list[str]:
        pids = self._site.pids()
        wanted = {"supervisor", *PROGRAMS, *self._site.stack.names}
        found = [f"{name} does not run" for name in sorted(wanted - pids.keys())]
        ours = {each.pid for each in psutil.Process().children(recursive=True)}
        for process in psutil.process_iter(["cmdline", "cwd", "pid"]):
            place = " ".join([*(process.info["cmdline"] or []), process.info["cwd"] or ""])
            if str(self._site.folder) in place and process.pid not in ours:
                found.append(f"process {process.pid} is left: {place[:200]}")
        service = psutil.Process(pids["supervisor"]).children(recursive=True) if pids else []
        found += [
            f"process {child.pid} of the service still runs: {' '.join(child.cmdline())[:200]}"
            for child in service
            if child.pid not in pids.values() and not _pooled(child)
        ]
        pooled = Counter(program for child in service if (program := _pooled(child)))
        return found + [f"{n} of {program} run" for program, n in pooled.items() if n > MOST_POOLED]

    def _descriptors(self) -> list[str]:
        found = []
        for name, pid in self._site.pids().items():
            count = psutil.Process(pid).num_fds()
            most = self._first.setdefault(name, count) + MORE_DESCRIPTORS
            if count > most:
                found.append(f"{name} has {count} descriptors, more than {most}")
        return found

    def _files(self) -> list[str]:
        """Parts that nobody writes any more; temporary files besides the counters of this run."""
        parts = sorted(self._site.service.media_root.rglob("*.mp4.*.part"))
        temporary = (self._site.folder / "tmp").glob("*")
        counters, others = [], []
        for path in sorted(temporary, key=lambda path: path.stat().st_mtime, reverse=True):
            if path.name.startswith(PREFIX):
                counters.append(path)
            elif not path.name.startswith(OF_EGRESS):
                others.append(path)
        return [f"{path} is left" for path in [*parts, *counters[1:], *others]]


def _pooled(process: psutil.Process) -> str | None:
    """The program of a pool that it is, if any."""
    return next((word for word in process.cmdline() if word in POOLED), None)

"""Where the minutes of a run go: its last lines tell the time of each folder and slow file."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath

import pytest

SLOW_SECONDS = 30.0
MOST_FILES = 10


class Durations:
    """Adds up what each file's tests take, setting up and tearing down included."""

    def __init__(self) -> None:
        self._counts: Counter[PurePosixPath] = Counter()
        self._seconds: dict[PurePosixPath, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        path = PurePosixPath(report.nodeid.partition("::")[0])
        self._seconds[path] = self._seconds.get(path, 0.0) + report.duration
        if report.when == "call":
            self._counts[path] += 1

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        lines = list(self.lines())
        if lines:
            terminalreporter.section("where the minutes go")
            for line in lines:
                terminalreporter.write_line(line)

    def lines(self) -> list[str]:
        """A line a folder, and one for each of the slowest files. None for a single file."""
        if len(self._seconds) < 2:
            return []
        folders: Counter[PurePosixPath] = Counter()
        seconds: dict[PurePosixPath, float] = {}
        for path, spent in self._seconds.items():
            folder = PurePosixPath(*path.parent.parts[:3])
            seconds[folder] = seconds.get(folder, 0.0) + spent
            folders[folder] += self._counts[path]
        slow = sorted(self._seconds.items(), key=lambda item: -item[1])[:MOST_FILES]
        return [
            *(_line(seconds[folder], folders[folder], folder) for folder in sorted(seconds)),
            *(_line(spent, self._counts[path], path) for path, spent in slow
              if spent >= SLOW_SECONDS),
        ]  # fmt: skip


def _line(seconds: float, count: int, path: PurePosixPath) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:3d} min {rest:02d} s  {count:5d} tests  {path}"

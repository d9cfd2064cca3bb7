"""Branch coverage of the unit tests: `pytest -p tests.branch_coverage`, as `deploy/test --all`
asks.

Only theirs: tracing takes two thirds more of the processor's time, which is seconds for them and
minutes for all tests, and it sees nothing of the processes that the others start. Most of what does
I/O is held by those others. What is imported before the first test counts, too.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Generator
from pathlib import Path

import coverage
import pytest

ROOT = Path(__file__).resolve().parents[1]
UNIT = ROOT / "tests/unit"
FOLDER = ROOT / ".run/coverage"
FLOOR_PERCENT = 56
"""What it was when it was last looked at, less one."""

_TOTAL = pytest.StashKey[float]()
_measured = coverage.Coverage(
    data_file=FOLDER / "data",
    data_suffix=True,
    branch=True,
    source_pkgs=["app", "handlers"],
    config_file=False,
)
_measured.set_option("run:disable_warnings", ["no-data-collected", "module-not-imported"])
_measured.start()


def pytest_configure(config: pytest.Config) -> None:
    """What an earlier run measured goes, before any worker begins."""
    if not _is_worker(config):
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)


def pytest_collection_finish() -> None:
    """All modules are imported."""
    _measured.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measures a unit test."""
    if not item.path.is_relative_to(UNIT):
        return (yield)
    _measured.start()
    try:
        return (yield)
    finally:
        _measured.stop()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Writes what this process has measured; the first one, last of all, fails below the floor."""
    _measured.stop()
    _measured.save()
    if _is_worker(session.config):
        return
    percent = _total()
    session.config.stash[_TOTAL] = percent
    if percent < FLOOR_PERCENT and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """One of the closing lines."""
    percent = config.stash[_TOTAL]
    terminalreporter.write_line(
        f"branch coverage of the unit tests: {percent:.1f} % (at least {FLOOR_PERCENT} %)",
        red=percent < FLOOR_PERCENT,
    )


def _total() -> float:
    """Of all processes together, in percent of lines and branches."""
    whole = coverage.Coverage(
        data_file=FOLDER / "data", branch=True, source_pkgs=["app", "handlers"], config_file=False
    )
    whole.set_option("run:disable_warnings", ["module-not-imported"])
    whole.combine([str(FOLDER)])
    return whole.report(file=io.StringIO())


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")

"""What was measured before, a file for each time: so that a slow-down is seen when it comes.

Only the same machine compares: cores, processor and file system decide as much as the code does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench.targets import Verdict

FOLDER = Path(__file__).with_name("history")
SLOWER_BY = 0.1
_SAME = ("cores", "cpu", "file_system")


@dataclass(frozen=True)
class Measured:
    """What was measured once; `commit` is the code's. `machine` is as `host.machine()` tells it."""

    at: str
    commit: str
    machine: Mapping[str, Any]
    verdicts: Sequence[Verdict]

    @property
    def numbers(self) -> dict[str, float]:
        """By target what was measured."""
        told = ((f"{one.what}, {one.unit}", one.measured) for one in self.verdicts)
        return {what: measured for what, measured in told if measured is not None}


@dataclass(frozen=True)
class SlowDown:
    """A number that is worse than it was: `by` 0.25 is a quarter more, or less of what is good."""

    what: str
    before: float
    now: float
    by: float


def keep(measured: Measured, folder: Path = FOLDER) -> Path:
    """Writes it down. Returns its file."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{measured.at[:16].replace(':', '-')}.json"
    path.write_text(json.dumps(asdict(measured), indent=1) + "\n")
    return path


def kept(folder: Path = FOLDER) -> list[Measured]:
    """All of it, oldest first."""
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def _read(path: Path) -> Measured:
    told = json.loads(path.read_text())
    return Measured(**told | {"verdicts": [Verdict(**each) for each in told["verdicts"]]})


def last_on(machine: Mapping[str, Any], before: Sequence[Measured]) -> Measured | None:
    """The newest of these that comes from a machine of the same kind."""
    alike = [each for each in before if all(each.machine[key] == machine[key] for key in _SAME)]
    return alike[-1] if alike else None


def slow_downs(before: Measured, now: Measured) -> list[SlowDown]:
    """What is worse than before by more than SLOWER_BY, worst first."""
    found = []
    grows = {f"{one.what}, {one.unit}" for one in now.verdicts if one.at_least}
    for what in before.numbers.keys() & now.numbers.keys():
        old, new = before.numbers[what], now.numbers[what]
        if min(old, new) <= 0:
            continue
        by = old / new - 1 if what in grows else new / old - 1
        if by > SLOWER_BY:
            found.append(SlowDown(what, old, new, by))
    return sorted(found, key=lambda one: -one.by)

"""Packages of npm that tests and checks need, pinned by the locks in tests/node and tests/clients.

`python -m tests.npm` installs them.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.local.stack import ROOT


@dataclass(frozen=True)
class Packages:
    """Those of one lock, in `tests/name`."""

    name: str

    @property
    def folder(self) -> Path:
        """Where they are: node finds them from here."""
        return ROOT / ".run" / self.name

    @property
    def programs(self) -> Path:
        """Where the programs among them are."""
        return self.folder / "node_modules" / ".bin"

    @property
    def _lock(self) -> Path:
        return ROOT / "tests" / self.name / "package-lock.json"

    def install(self) -> None:
        """Returns when the packages of the lock are in the folder; installs them if they are not.

        One process at a time: `npm ci` removes first what another may be reading.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            self._install()

    def _install(self) -> None:
        done = self.folder / "installed.json"
        if done.exists() and done.read_bytes() == self._lock.read_bytes():
            return
        for name in ("package.json", "package-lock.json"):
            shutil.copy(self._lock.with_name(name), self.folder)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        ran = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=300)
        assert ran.returncode == 0, f"npm can't install what the tests need: {ran.stderr[-2000:]}"
        shutil.copy(self._lock, done)


NODE = Packages("node")
"""What runs in node or in a browser, and what reads the console's modules."""
CLIENTS = Packages("clients")
"""What reads the description of the API as others do: a linter, a generator of clients."""

if __name__ == "__main__":
    NODE.install()
    CLIENTS.install()

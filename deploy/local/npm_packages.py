"""Packages of npm, pinned by a lock, and installed beside the code that needs them."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class NpmPackages:
    """Those of the lock in `pinned`. They are in `folder`: node finds them from there."""

    pinned: Path
    folder: Path

    @property
    def programs(self) -> Path:
        """Where the programs among them are."""
        return self.folder / "node_modules" / ".bin"

    def install(self) -> None:
        """Returns when the packages of the lock are in the folder; installs them if they are not.

        One process at a time: `npm ci` removes first what another may be reading. Raises
        RuntimeError if npm can't.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            self._install()

    def _install(self) -> None:
        lock, done = self.pinned / "package-lock.json", self.folder / "installed.json"
        if done.exists() and done.read_bytes() == lock.read_bytes():
            return
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError("there is no npm on PATH: install node with npm")
        for name in ("package.json", "package-lock.json"):
            shutil.copy(self.pinned / name, self.folder)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        ran = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=300)
        if ran.returncode:
            raise RuntimeError(f"npm can't install what {lock} pins: {ran.stderr[-2000:]}")
        shutil.copy(lock, done)

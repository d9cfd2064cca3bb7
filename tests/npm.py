"""Packages of npm that tests and checks need, as the lock in tests/node pins them.

`python -m tests.npm` installs them.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess

from deploy.local.stack import ROOT

FOLDER = ROOT / ".run" / "node"
"""Where they are: node finds them from here."""
_LOCK = ROOT / "tests" / "node" / "package-lock.json"


def install() -> None:
    """Returns when the packages of the lock are in FOLDER; installs them if they are not.

    One process at a time: `npm ci` removes first what another may be reading.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        _install()


def _install() -> None:
    done = FOLDER / "installed.json"
    if done.exists() and done.read_bytes() == _LOCK.read_bytes():
        return
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_LOCK.with_name(name), FOLDER)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    ran = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, f"npm can't install what the tests need: {ran.stderr[-2000:]}"
    shutil.copy(_LOCK, done)


if __name__ == "__main__":
    install()

"""The console's pure modules and the kit, tested in node: see tests/node/*.test.js."""

from __future__ import annotations

import os
import shutil
import subprocess

from deploy.local.stack import ROOT

TESTS = ROOT / "tests" / "node"


def test_the_consoles_modules_do_what_they_promise() -> None:
    """`node --test` passes; where it doesn't, its report says what was wrong."""
    node = shutil.which("node")
    assert node, "there is no node on PATH: `deploy/setup --test` installs one"
    files = sorted(map(str, TESTS.glob("*.test.js")))
    assert files, f"no tests in {TESTS}"
    # By itself node runs one file at a time on two cores, and most of them wait for something.
    # Words and numbers are written as the viewer's locale has it: here, one that tests know.
    environment = {**os.environ, "LC_ALL": "en_US.UTF-8"}
    ran = subprocess.run(
        [node, "--test", "--test-concurrency=4", "--test-reporter=spec", *files],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert ran.returncode == 0, f"{ran.stdout[-20_000:]}\n{ran.stderr[-2000:]}"

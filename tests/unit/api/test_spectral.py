"""The description is as Spectral, a linter of such descriptions, wants it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from app.api.openapi import describe
from app.main import ROUTES
from tests import npm


def test_spectral_finds_nothing_to_say(tmp_path: Path) -> None:
    """Not a warning, not a hint."""
    npm.CLIENTS.install()
    (tmp_path / "openapi.json").write_text(json.dumps(describe(ROUTES)))
    (tmp_path / "rules.yaml").write_text("extends: ['spectral:oas']\n")
    command = [
        str(npm.CLIENTS.programs / "spectral"), "lint", "openapi.json",
        "--ruleset", "rules.yaml", "--fail-severity", "hint",
    ]  # fmt: skip
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout[-5000:] + ran.stderr[-2000:]

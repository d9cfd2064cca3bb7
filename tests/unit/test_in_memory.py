"""Folders in memory: theirs who runs, and nobody's left over."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.in_memory import memory_folder


def test_a_folder_in_memory_is_empty_and_goes_when_it_is_done(tmp_path: Path) -> None:
    with memory_folder(tmp_path / "disk", memory=tmp_path) as folder:
        assert folder.parent == tmp_path
        assert list(folder.iterdir()) == []
        (folder / "file").touch()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_goes_and_what_another_uses_stays(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for pid in (ended.pid, os.getppid()):
        (tmp_path / f"replay-buffer-tests-{pid}-x").mkdir()
    with memory_folder(tmp_path / "disk", memory=tmp_path):
        left = {path.name for path in tmp_path.iterdir()}
    assert f"replay-buffer-tests-{ended.pid}-x" not in left
    assert f"replay-buffer-tests-{os.getppid()}-x" in left


def test_a_machine_with_little_memory_uses_its_disk(tmp_path: Path) -> None:
    with memory_folder(tmp_path / "disk", memory=tmp_path / "none") as folder:
        assert folder == tmp_path / "disk"
    with memory_folder(tmp_path / "disk", needed_bytes=2**70, memory=tmp_path) as folder:
        assert folder == tmp_path / "disk"

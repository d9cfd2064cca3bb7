"""A disk is full when it takes no more bytes, or no more files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.storage.durable_folders import sync_folder
from app.storage.foreign import ForeignFolder
from app.storage.free_space import FREE_FILES_MIN, FreeSpace


@pytest.mark.parametrize(
    ("free_bytes", "free_files", "short"),
    [
        (100, None, False),
        (99, None, True),
        (100, FREE_FILES_MIN, False),
        (100, FREE_FILES_MIN - 1, True),
        (99, FREE_FILES_MIN, True),
    ],
)
def test_too_few_inodes_are_too_little_space(
    free_bytes: int, free_files: int | None, short: bool
) -> None:
    """Where a disk knows of any number of them, only bytes count."""
    assert FreeSpace(free_bytes, 1000, free_files).is_short(100) == short


def test_a_file_system_that_syncs_no_folder_is_asked_for_no_more(tmp_path: Path) -> None:
    """As proc(5), which says EINVAL as SMB does. What is closed is an error."""
    ForeignFolder(Path("/proc"), (str(os.getpid()),)).sync()
    descriptor = os.open(tmp_path, os.O_RDONLY)
    os.close(descriptor)
    with pytest.raises(OSError, match="Bad file descriptor"):
        sync_folder(descriptor)

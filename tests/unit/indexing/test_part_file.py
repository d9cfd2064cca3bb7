"""A file that is written aside, and what is left of it."""

from __future__ import annotations

import os
from pathlib import Path

from app.indexing.fragment_files import PartFile


def test_a_part_goes_though_its_disk_is_full_only_when_it_is_closed(tmp_path: Path) -> None:
    """Where writing is put off, as on NFS and fuse-overlayfs. A closed file has an error, too."""
    part = PartFile(tmp_path / "00000001.m4s", "indexer")
    part.begin()
    os.close(part.file)
    part.discard()
    assert [*tmp_path.iterdir()] == []

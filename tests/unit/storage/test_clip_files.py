"""The files of clips are for our user alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from app.storage import clip_files


@pytest.mark.parametrize("top", ["replays", "thumbnails"])
def test_nobody_else_is_let_into_the_folder_of_clips(tmp_path: Path, top: str) -> None:
    """Of whatever group it is: that of the root, which is egress's."""
    root = tmp_path / "media"
    root.mkdir()
    root.chmod(0o2750)
    before = os.umask(0o027)
    try:
        clip_files.save(root, f"{top}/owner/file", b"clip")
    finally:
        os.umask(before)
    assert stat.S_IMODE((root / top).stat().st_mode) & 0o777 == 0o700
    assert clip_files.size_bytes(root, f"{top}/owner/file") == 4

"""Files that are held open while they are sent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.storage.open_file import open_file


async def test_a_file_is_closed_where_no_answer_comes_of_it(tmp_path: Path) -> None:
    (tmp_path / "clip").write_bytes(b"clip")
    opened = await open_file(tmp_path / "clip")
    with opened.until_answered():
        os.fstat(opened.descriptor)
    os.fstat(opened.descriptor)  # it is still to be sent
    with pytest.raises(KeyError), opened.until_answered():
        raise KeyError("of an altered row")
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened.descriptor)

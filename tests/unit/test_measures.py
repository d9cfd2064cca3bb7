"""How much lies in a folder."""

from __future__ import annotations

import os
from pathlib import Path

from app.condition.measures import size_of


def test_a_file_that_holds_nothing_takes_nothing(tmp_path: Path) -> None:
    """Whatever size it claims: a sum of such claims is more than a database holds."""
    (tmp_path / "media").write_bytes(b"x" * 10_000)
    before = size_of(tmp_path)
    assert before == 10_000
    (tmp_path / "deep").mkdir()
    for number in range(3):
        with (tmp_path / "deep" / str(number)).open("wb") as file:
            os.truncate(file.fileno(), 2**43)
    assert size_of(tmp_path) == before

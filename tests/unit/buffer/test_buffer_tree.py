"""What is left in the buffer's folders, and goes with the empty ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cleaning import buffer_tree
from app.storage.foreign import LIFTED


@pytest.mark.parametrize("root", buffer_tree.ROOTS)
def test_what_an_interrupted_removal_has_lifted_out_goes(tmp_path: Path, root: str) -> None:
    """It lies beside the session that it was in, where no other removal looks."""
    user = tmp_path / root / "room-1f1c5b2fad" / "ann-b6e1557a1e"
    left, session = user / f"{LIFTED}0123abcd", user / "8b5b66d7-01a222f78e5bcfbfde54a349"
    for folder in (left / "deep", session):
        folder.mkdir(parents=True)
        (folder / "a.ts").touch()
    buffer_tree.remove_empty(tmp_path, frozenset({session.name}), "8b5b66d7")
    assert [path.name for path in user.iterdir()] == [session.name]
    assert (session / "a.ts").exists()

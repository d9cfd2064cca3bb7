"""What is left in the buffer's folders, and goes with the empty ones."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from app.buffer.paths import BUFFER_ROOT, FRAGMENTS_ROOT
from app.cleaning import buffer_tree
from app.storage.foreign_removal import LIFTED
from app.storage.shared_folder import SharedFolder

ROOTS = (BUFFER_ROOT, FRAGMENTS_ROOT)


@pytest.mark.parametrize("root", ROOTS)
def test_what_an_interrupted_removal_has_lifted_out_goes(tmp_path: Path, root: str) -> None:
    """It lies beside the session that it was in, where no other removal looks."""
    user = tmp_path / root / "room-1f1c5b2fad" / "ann-b6e1557a1e"
    left, session = user / f"{LIFTED}0123abcd", user / "8b5b66d7-01a222f78e5bcfbfde54a349"
    for folder in (left / "deep", session):
        folder.mkdir(parents=True)
        (folder / "a.ts").touch()
    buffer_tree.remove_empty(SharedFolder(tmp_path), frozenset({session.name}), "8b5b66d7")
    assert [path.name for path in user.iterdir()] == [session.name]
    assert (session / "a.ts").exists()


def test_only_so_many_folders_are_looked_at_where_somebody_else_makes_them(tmp_path: Path) -> None:
    """Of rooms, of users and of sessions together, and only for so long; others the next time."""
    for root in ROOTS:
        for room in range(5):
            for user in range(5):
                session = f"8b5b66d7-{room:012}{user:012}"
                (tmp_path / root / str(room) / str(user) / session).mkdir(parents=True)

    def found(**bounds: Any) -> Counter[str]:
        folders = buffer_tree.session_folders(SharedFolder(tmp_path), "8b5b66d7", **bounds)
        return Counter(folder.parts[0] for folder in folders)

    assert found() == {BUFFER_ROOT: 25, FRAGMENTS_ROOT: 25}
    assert found(most=12) == {BUFFER_ROOT: 6, FRAGMENTS_ROOT: 25}
    assert found(seconds=0.0) == {BUFFER_ROOT: 1, FRAGMENTS_ROOT: 25}

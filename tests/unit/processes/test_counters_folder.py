"""app.processes.counters_folder: which folders are removed, and which are let be."""

from __future__ import annotations

from pathlib import Path

from app.processes.counters_folder import PREFIX, counters_folder


def test_a_folder_that_was_left_goes_and_one_in_use_stays(tmp_path: Path) -> None:
    left = tmp_path / f"{PREFIX}left"
    left.mkdir()
    (left / "counter_1.db").touch()
    with counters_folder(tmp_path) as first, counters_folder(tmp_path) as second:
        assert {*tmp_path.iterdir()} == {first, second}
    assert [*tmp_path.iterdir()] == []


def test_what_is_no_folder_or_leads_to_another_one_stays(tmp_path: Path) -> None:
    """In a folder that others write to as well, names promise nothing."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "kept").touch()
    (tmp_path / f"{PREFIX}link").symlink_to(mine)
    (tmp_path / f"{PREFIX}file").touch()
    with counters_folder(tmp_path):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {
        "mine", f"{PREFIX}link", f"{PREFIX}file",
    }  # fmt: skip
    assert (mine / "kept").exists()

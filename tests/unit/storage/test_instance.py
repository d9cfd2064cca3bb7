"""An installation keeps its id, whatever is mounted where its media root should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import ConfigurationError
from app.storage.instance import RootAbsent, instance_id, require


def test_the_first_to_ask_makes_the_id_and_it_stays(tmp_path: Path) -> None:
    made = instance_id(tmp_path / "media")
    assert instance_id(tmp_path / "media") == instance_id(tmp_path / "media", known=made) == made
    require(tmp_path / "media", made)


@pytest.mark.parametrize("there", [True, False])
def test_no_other_id_is_made_where_one_is_known(tmp_path: Path, there: bool) -> None:
    root = tmp_path / "media"
    if there:
        root.mkdir()
    with pytest.raises(RootAbsent, match=r"no \.instance, and this installation is '0123abcd'"):
        instance_id(root, known="0123abcd")
    assert root.exists() == there
    assert [*tmp_path.rglob("*")] == [root] * there


def test_a_folder_takes_the_place_of_another_by_its_id(tmp_path: Path) -> None:
    (tmp_path / ".instance").write_text("0123abcd\n")
    assert instance_id(tmp_path, known="0123abcd") == "0123abcd"


def test_the_root_of_another_installation_is_refused(tmp_path: Path) -> None:
    made = instance_id(tmp_path)
    with pytest.raises(ConfigurationError, match=f"is of installation '{made}', and the database"):
        instance_id(tmp_path, known="0123abcd" if made != "0123abcd" else "0123abce")


def test_a_root_that_vanished_is_told(tmp_path: Path) -> None:
    made = instance_id(tmp_path / "media")
    (tmp_path / "media").rename(tmp_path / "elsewhere")
    for _ in range(2):
        with pytest.raises(RootAbsent, match="its disk is not mounted"):
            require(tmp_path / "media", made)
        (tmp_path / "media").mkdir(exist_ok=True)

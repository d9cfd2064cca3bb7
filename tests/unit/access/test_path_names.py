"""Names in paths: plain, encoded, or none."""

from __future__ import annotations

import pytest

from app.access.path_names import named, path_name
from app.errors import Invalid, NotFound


@pytest.mark.parametrize("name", ["ann", "a b", "~x", "ä/ö", "x" * 65, ".."])
def test_a_name_comes_back_from_its_path(name: str) -> None:
    assert named(path_name(name)) == name


@pytest.mark.parametrize("segment", ["x\n", "\n", "~eAo", "x\r"])
def test_no_control_character_is_in_a_name(segment: str) -> None:
    """Nor at its end, where a pattern may overlook a newline."""
    with pytest.raises(Invalid, match="control characters"):
        named(segment)


@pytest.mark.parametrize("segment", ["a b", "~", "~%", ""])
def test_what_names_nothing_is_not_found(segment: str) -> None:
    with pytest.raises(NotFound):
        named(segment)

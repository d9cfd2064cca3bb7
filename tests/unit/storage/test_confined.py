"""Names of others become paths only within their folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.buffer.session_folders import fragment_path
from app.storage.confined import PathRefused, inside, is_name, key_inside, member, member_text
from tests.rows import PartOfRow

SESSION = "0a1b2c3d-0123456789abcdef01234567"


@pytest.mark.parametrize(
    "name", ["00000001.m4s", "segment_20261122.ts.bad", "x", "..x", "-rf", "_", "a" * 255]
)
def test_a_plain_name_is_a_file_of_its_folder(name: str) -> None:
    assert member(Path("/media/folder"), name) == Path("/media/folder") / name
    assert member_text("/media/folder", name) == f"/media/folder/{name}"


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", "/etc/passwd", "../x", "a/b", "a\\b", "a b", "a\n", "a\0", "ä", "a" * 256,
        "\ud800", "segment.ts\n",
    ],
)  # fmt: skip
def test_any_other_name_is_refused_with_the_name(name: str) -> None:
    with pytest.raises(PathRefused, match="is no file name") as caught:
        member(Path("/media/folder"), name)
    assert repr(name)[:90] in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("name", [None, 5, b"x", ["x"], {"x": 1}])
def test_what_a_row_holds_instead_of_a_name_is_refused(name: object) -> None:
    """A store that anybody could write to holds anything."""
    assert not is_name(name)
    with pytest.raises(PathRefused):
        member(Path("/media"), name)  # type: ignore[arg-type]


def test_a_path_stays_below_its_root(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "inner").mkdir(parents=True)
    (root / "link").symlink_to("/etc")
    (root / "near").symlink_to(root / "inner")
    assert inside(root, "a/b") == root / "a/b"
    for path in ("../x", "/etc/passwd", "a/../../x", "a//b", "a/", "", "."):
        with pytest.raises(PathRefused, match="is no file name"):
            inside(root, path)
    for path in ("link/passwd", "link", "near/x"):
        with pytest.raises(PathRefused, match="by a link"):
            inside(root, path)


def test_a_sessions_row_tells_only_its_own_folder(tmp_path: Path) -> None:
    """Another one would be read, and removed with all that is in it."""
    folder = f"replay-buffer/room/ann/{SESSION}"
    row: PartOfRow = {"_id": SESSION, "folder": folder}
    assert fragment_path(tmp_path, row) == tmp_path / folder.replace("replay-buffer", "fragments")
    for wrong in (
        "replays",
        f"replays/room/ann/{SESSION}",
        "replay-buffer/room/ann/another",
        f"replay-buffer/../ann/{SESSION}",
        f"/replay-buffer/room/{SESSION}",
        f"replay-buffer/{SESSION}",
        "",
        None,
    ):
        with pytest.raises(PathRefused):
            fragment_path(tmp_path, row | {"folder": wrong})


def test_a_key_lies_below_its_prefix() -> None:
    """Whatever a row says: a key is made of names."""
    assert key_inside("replay/clips", "replays/ann-1/x.mp4") == "replay/clips/replays/ann-1/x.mp4"
    for relative in ("", "/x", "../x", "a/../../x", "a//b", "a/./b", "a\\b", "a b", "x\0", "a/"):
        with pytest.raises(PathRefused):
            key_inside("clips", relative)
    with pytest.raises(PathRefused):
        key_inside("", "x")

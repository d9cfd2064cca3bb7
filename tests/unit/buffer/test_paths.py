"""Names on disk."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.buffer import paths

NOW = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)
HOSTILE = [
    "..",
    ".",
    "/",
    "a/b",
    "a\\b",
    "{time}",
    "",
    " ",
    "🎬",
    "x" * 500,
    "A",
    "a",
    "\x00",
    "CON",
]


@pytest.mark.edge("names of any kind")
@given(st.text(max_size=80), st.text(max_size=80))
def test_names_never_collide_or_lead_anywhere(one: str, other: str) -> None:
    """Whatever somebody is called: a plain folder name, another one for another name."""
    first, second = paths.folder_name(one), paths.folder_name(other)
    for name in (first, second):
        assert re.fullmatch(r"[a-z0-9-]{1,51}", name)
    assert (first == second) == (one == other)


def test_hostile_names_have_folders_of_their_own() -> None:
    names = {paths.folder_name(name) for name in HOSTILE}
    assert len(names) == len(HOSTILE)
    for name in names:
        assert PurePosixPath(name).parts == (name,)


def test_an_egress_is_known_by_its_prefix() -> None:
    """The session's id comes back out of what egress was told, whatever lies before it."""
    session_id = paths.new_session_id("0123abcd", NOW)
    folder = paths.session_folder("../x", "{time}", session_id)
    prefix = paths.filename_prefix("/out", str(folder))
    assert prefix.startswith("/out/replay-buffer/")
    assert "{" not in prefix
    assert ".." not in prefix
    assert paths.session_of_prefix(prefix) == session_id
    assert paths.instance_of(session_id) == "0123abcd"


@pytest.mark.parametrize("prefix", ["", "seg", "/out/room/seg", "/out/0123abcd/segment"])
def test_others_prefixes_are_not_ours(prefix: str) -> None:
    assert paths.session_of_prefix(prefix) is None


def test_clips_are_named_by_when_they_were_asked_for() -> None:
    path = paths.clip_path("alice", NOW, "abcdef0123456789")
    assert path.name == "20261122T120000250-abcdef01.mp4"
    assert path.parts[0] == "replays"


def test_a_path_that_readers_see_has_nobodys_name() -> None:
    """Nor has that of its copy; any other is taken for one that has."""
    assert paths.is_nameless(str(paths.nameless_clip_path("0123456789abcdef01234567")))
    assert paths.is_nameless("replays/0123456789abcdef01234567.clean.mp4")
    named = paths.clip_path("0123456789abcdef01234567", NOW, "0123456789abcdef01234567")
    assert not paths.is_nameless(str(named))
    for other in ("replays/ada.mp4", "replays/0123456789abcdef01234567.mp4\n", "0.mp4", ""):
        assert not paths.is_nameless(other)


@given(st.integers(0, 10**12))
def test_what_is_ours_is_known_by_its_name(sequence: int) -> None:
    """Whoever looks for strays takes each name for what it was given to, and for nothing else."""
    names = {
        paths.FRAGMENT_NAME: paths.fragment_name(sequence),
        paths.TILE_NAME: paths.tile_name(sequence),
        paths.INIT_NAME: paths.init_name(f"{sequence:016x}"),
    }
    for pattern, name in names.items():
        assert [other for other in names if other.fullmatch(name)] == [pattern]
        assert not pattern.fullmatch(f"{name}.part")

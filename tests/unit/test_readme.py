"""The README's promises, as far as they can be looked up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.recording.reasons import Why
from tests import readme

ROOT = readme.README.parent
TEXT = readme.README.read_text()


@pytest.mark.parametrize("name", readme.TABLES)
def test_a_table_tells_what_the_code_has(name: str) -> None:
    """Settings, routes and metrics in the README are those of the code."""
    assert readme.table_in(TEXT, name) == readme.TABLES[name]()


@pytest.mark.parametrize("why", Why)
def test_every_reason_is_explained(why: Why) -> None:
    """Each slug that `why` may hold has a line that says what to do."""
    assert re.search(rf"^\| `{why}` \|", TEXT, re.MULTILINE)


def test_every_file_that_it_names_is_there() -> None:
    """Paths in the README lead somewhere."""
    named = set(re.findall(r"`((?:deploy|tests|app)/[\w./-]+)`", TEXT))
    named |= set(re.findall(r"^(deploy/\w+)", TEXT, re.MULTILINE))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_command_of_the_program_is_in_it() -> None:
    """`python -m app COMMAND` is told of for each command."""
    from app.__main__ import _parser

    (commands,) = (a.choices for a in _parser()._actions if a.dest == "command")
    assert commands
    assert [c for c in commands if f"python -m app {c}" not in TEXT and f"`{c}`" not in TEXT] == []


def test_what_always_holds_is_what_the_checker_checks() -> None:
    """The invariants in the README are numbered 1 to 5."""
    section = TEXT.split("### What always holds")[1].split("##")[0]
    assert re.findall(r"^(\d)\. ", section, re.MULTILINE) == list("12345")


def test_links_and_pictures_lead_somewhere() -> None:
    """Relative links point to files of the project."""
    for target in re.findall(r"\]\((?!https?://|#)([^)]+)\)", TEXT):
        assert (ROOT / Path(target)).exists(), target

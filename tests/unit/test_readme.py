"""The promises of the READMEs, as far as they can be looked up."""

from __future__ import annotations

import re

import pytest

from app.recording.reasons import Why
from tests import readme

ROOT = readme.ROOT
TEXTS = {str(path.relative_to(ROOT)): path.read_text() for path in readme.READMES}
ALL = "\n".join(TEXTS.values())


@pytest.mark.parametrize("name", readme.TABLES)
def test_a_table_tells_what_the_code_has(name: str) -> None:
    """Settings, routes and metrics in the READMEs are those of the code."""
    table = readme.TABLES[name]
    assert readme.table_in(table.readme.read_text(), name) == table.make()


@pytest.mark.parametrize("why", Why)
def test_every_reason_is_explained(why: Why) -> None:
    """Each slug that `why` may hold has a line that says what to do."""
    assert re.search(rf"^\| `{why}` \|", TEXTS["deploy/README.md"], re.MULTILINE)


def test_every_file_that_they_name_is_there() -> None:
    """Paths in the READMEs lead somewhere, counted from the project's folder."""
    named = set(re.findall(r"`((?:deploy|tests|app|handlers)/[\w./-]+)`", ALL))
    named |= set(re.findall(r"^(deploy/\w+)", ALL, re.MULTILINE))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_command_of_the_program_is_told() -> None:
    """`python -m app COMMAND` is told of for each command."""
    from app.__main__ import _parser

    (commands,) = (a.choices for a in _parser()._actions if a.dest == "command")
    assert commands
    assert [c for c in commands if f"python -m app {c}" not in ALL and f"`{c}`" not in ALL] == []


def test_links_and_pictures_lead_somewhere() -> None:
    """Relative links point to files of the project, and to headings that are there."""
    lost = []
    for name, text in TEXTS.items():
        for target in re.findall(r"\]\((?!https?://)([^)]+)\)", text):
            path, _, heading = target.partition("#")
            file = (ROOT / name).parent / path if path else ROOT / name
            if not file.exists() or (heading and heading not in readme.anchors(file.read_text())):
                lost.append(f"{name}: {target}")
    assert lost == []

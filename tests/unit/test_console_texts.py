"""The console's texts: all in texts.js, all that are named there, and one for each reason.

german.js, which has the same in German, is held to it in tests/node/german.test.js.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app.console.assets import STATIC
from app.models import AuditAction, BufferGapWhy, FaultSlug, Why
from tests import readme

TEXTS = {"texts.js", "german.js"}
MODULES = sorted(path for path in STATIC.rglob("*.js") if path.name not in TEXTS)
# Of the buffer's timeline: see Gap in app/viewing/timeline.py.
GAPS = {*BufferGapWhy, *FaultSlug}
ALIAS = re.compile(r"const (\w+) = (\w+)((?:\.\w+)+);")
STRING = re.compile(r"'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`")
COMMENT = re.compile(r"/\*.*?\*/|(?<![:'\"\\])//[^\n]*", re.DOTALL)
# Strings that begin as a sentence would, and are none: headers, keys, an error's name.
NO_TEXTS = {"Accept", "Authorization", "Date"}
NO_TEXTS |= {"Enter", "Escape", "Home", "End", "Delete", "Tab"}
NO_TEXTS |= {"Problem"}
HEADER = re.compile(r"Bearer \$")
SINKS = re.compile(
    r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|new Function|localStorage|"
    r"indexedDB|document\.cookie|DOMParser|srcdoc)\b"
)


def name_of(path: Path) -> str:
    return str(path.relative_to(STATIC))


def source(path: Path) -> str:
    return COMMENT.sub("", path.read_text())


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What texts.js exports, as node reads it; a function is null."""
    folder = tmp_path_factory.mktemp("console") / "static"
    shutil.copytree(STATIC, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    script = (
        "import {english} from './texts.js';"
        "console.log(JSON.stringify(english, (_, it) => typeof it === 'function' ? null : it));"
    )
    ran = subprocess.run(
        ["node", "--input-type=module", "-e", script],
        cwd=folder, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    read: dict[str, Any] = json.loads(ran.stdout)
    return read


def used(code: str) -> set[tuple[str, ...]]:
    """The dotted names of texts that a module uses, without the `texts` before them."""
    aliases: dict[str, tuple[str, ...]] = {"texts": ()}
    for alias, base, path in ALIAS.findall(code):
        if base in aliases:
            aliases[alias] = (*aliases[base], *path.split(".")[1:])
    any_alias = "|".join(aliases)
    outside = re.sub(r"'[^'\n]*'", "''", code)
    found = re.findall(rf"(?<![\w.])({any_alias})((?:\??\.\w+)+)", outside)
    return {(*aliases[base], *re.split(r"\??\.", path)[1:]) for base, path in found}


def missing(texts: object, path: tuple[str, ...]) -> bool:
    """Whether no text is there. What follows a text itself, such as `.length`, is not looked at."""
    for name in path:
        if not isinstance(texts, dict):
            return False
        if name not in texts:
            return True
        texts = texts[name]
    return False


def test_every_text_that_is_used_is_there(texts: dict[str, Any]) -> None:
    """Also those that are named by way of `const own = texts.part;`."""
    wrong = [
        f"{name_of(path)}: {'.'.join(name)}"
        for path in MODULES
        for name in sorted(used(source(path)))
        if missing(texts, name)
    ]
    assert wrong == []


def test_every_text_of_the_page_itself_is_there(texts: dict[str, Any]) -> None:
    """Those that index.html names."""
    names = re.findall(r'data-(?:text|label)="([\w.]+)"', (STATIC / "index.html").read_text())
    assert names
    assert [name for name in names if missing(texts, tuple(name.split(".")))] == []


def own_texts(code: str) -> set[str]:
    """The strings of a module that read like a word or a sentence for people."""
    code = re.sub(r"new \w*Error\([^)]*\)", "", code)
    strings = {one or other for one, other in STRING.findall(code)}
    found = {text for text in strings if re.match(r"[A-Z][a-z]+(?:[ .!?…].*)?$", text, re.DOTALL)}
    return {text for text in found - NO_TEXTS if not HEADER.match(text)}


def test_no_module_holds_a_text_of_its_own() -> None:
    """All that people read is in texts.js, but what is thrown at developers."""
    held = {name_of(path): own_texts(source(path)) for path in MODULES}
    assert {name: found for name, found in held.items() if found} == {}


def test_no_module_makes_markup_of_strings_or_keeps_things_for_good() -> None:
    """Names stay text, and only sessionStorage knows a token."""
    found = {name_of(path): SINKS.findall(source(path)) for path in MODULES}
    assert {name: sinks for name, sinks in found.items() if sinks} == {}


def test_every_reason_has_words_and_says_what_to_do(texts: dict[str, Any]) -> None:
    """Why nothing is recorded, and why a part can't be shown: each slug, and no other."""
    reasons = texts["buffers"]["why"]
    assert set(reasons) == {why.value for why in Why}
    assert all(set(reason) == {"says", "todo"} for reason in reasons.values())
    assert set(texts["buffers"]["gaps"]) == GAPS


def test_every_reason_of_a_failed_capture_has_words(texts: dict[str, Any]) -> None:
    """Those that app/api/README.md tells, and no other."""
    assert texts["timeline"]["failures"].keys() == readme.reasons().keys()
    assert all(texts["timeline"]["failures"].values())


def test_every_action_of_the_audit_has_words(texts: dict[str, Any]) -> None:
    """Each that is written, and no other: the list is what the page offers to look for."""
    assert set(texts["admin"]["audit"]["actions"]) == set(AuditAction)

"""The promises of the READMEs, as far as they can be looked up."""

from __future__ import annotations

import ast
import json
import os
import re
from pathlib import Path

import pytest

from app.access import tokens
from app.api import openapi, versions
from app.api.capture_views import CaptureView
from app.api.clip_views import ClipView
from app.buffer import paths
from app.captures.requests import CaptureRequest
from app.main import ROUTES
from app.models import Why
from app.settings import Settings, load, safety
from deploy.local import demo
from deploy.local.local_run import summary
from tests import readme

ROOT = readme.ROOT
MOST_LINES = 180
TEXTS = {str(path.relative_to(ROOT)): path.read_text() for path in readme.READMES}
ALL = "\n".join(TEXTS.values())
COMMON_CAPITALS = {
    "AAC",
    "OTLP",
    "AWS",
    "MPEG",
    "NAL",
    "API",
    "HTTP",
    "HLS",
    "JSON",
    "TLS",
    "NFS",
    "SMB",
    "URL",
    "POST",
    "DELETE",
}


@pytest.mark.parametrize("name", readme.TABLES)
def test_a_table_tells_what_the_code_has(name: str) -> None:
    """What stands between markers is what the code has now."""
    table = readme.TABLES[name]
    told = readme.table_in(table.readme.read_text(), name)
    assert told == table.make(), "python -m tests.readme makes it anew"


@pytest.mark.parametrize("name", readme.TABLES)
def test_a_table_speaks_to_people(name: str) -> None:
    """No value as Python writes it, and no name of a constant that is no setting."""
    made = readme.TABLES[name].make()
    assert re.findall(r"\(['\"].*?['\"],?\)|datetime\.|frozenset", made) == []
    capitals = set(re.findall(r"(?<![\w`-])[A-Z]{3,}(?:_[A-Z]+)*\b", re.sub(r"`[^`]*`", "", made)))
    known = {setting.upper() for setting in Settings.model_fields} | COMMON_CAPITALS
    assert capitals - known == set()


def test_every_reason_is_explained() -> None:
    """Each slug that `why` may hold has a line that says what to do."""
    explained = re.findall(r"^\| `([\w-]+)` \|", TEXTS["deploy/README.md"], re.MULTILINE)
    assert sorted(set(Why) - set(explained)) == []


def test_no_test_patches_code_or_is_skipped() -> None:
    """As tests/README.md says. What replaces code by name goes on to pass when the code moves."""
    refused = {"setattr", "delattr", "unittest.mock", "skip", "skipif", "xfail", "importorskip"}
    found = set()
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(node, "attr", getattr(node, "id", getattr(node, "module", None)))
            found |= {f"{path.relative_to(ROOT)}: {name}"} if name in refused else set()
    assert sorted(found) == []


def test_every_file_that_they_name_is_there() -> None:
    """Paths in the READMEs lead somewhere, counted from the project's folder."""
    named = set(re.findall(r"`((?:deploy|tests|app|handlers)/[\w./-]+)`", ALL))
    named |= set(re.findall(r"^(deploy/\w+)", ALL, re.MULTILINE))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
    modules = {path.name for folder in readme.FOLDERS for path in ROOT.glob(f"{folder}/**/*.py")}
    assert set(re.findall(r"`(\w+\.py)`", ALL)) - modules == set()


NAMES_IN = r"((?:`[\w.]+`(?:,? [a-z ]{1,30}){0,2},? ?)+)(?<= )(?:in|of) `(\w+/[\w/]+\.(?:py|js))`"
"""One name or several, perhaps with some words between them, and the module that they are in."""


def test_every_name_that_they_tell_of_a_module_is_defined_in_it() -> None:
    """`name` in `path.py`, or of it: the module makes what bears that name, and imports it not."""
    told = re.findall(NAMES_IN, " ".join(ALL.split()))
    assert len(told) > 60
    lost = [
        f"{name} in {path}"
        for names, path in told
        for name in re.findall(r"`([\w.]+)`", names)
        if not set(name.split(".")) <= names_made(ROOT / path)
    ]
    assert lost == []


def names_made(path: Path) -> set[str]:
    """What a module defines or assigns, at any depth; of JavaScript also the keys of objects."""
    text = path.read_text()
    if path.suffix == ".js":
        return set(re.findall(r"(?m)(?:\b(?:const|let|function|class) |^ *)(\w+)", text))
    nodes = list(ast.walk(ast.parse(text)))
    definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    made = {node.name for node in nodes if isinstance(node, definitions)}
    stored = [each for each in nodes if isinstance(each, ast.Name)]
    return made | {each.id for each in stored if isinstance(each.ctx, ast.Store)}


@pytest.mark.parametrize("name", TEXTS)
def test_a_module_left_open_is_one_of_some(name: str) -> None:
    """Of `app/api/…_routes.py` there are modules."""
    left_open = re.findall(r"`(app/[\w/]*)…(\w+\.py)`", TEXTS[name])
    assert [each for each in left_open if not list(ROOT.glob("*".join(each)))] == []


def test_every_test_that_they_name_is_there() -> None:
    """What is said to hold a promise does: the threat model names a test for each."""
    named = set(re.findall(r"`(test_\w+)`", ALL))
    assert len(named) > 40
    texts = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)", texts))
    assert sorted(named - there) == []


def test_every_command_of_the_program_is_told() -> None:
    """`python -m app COMMAND` is told of for each command."""
    from app.__main__ import _parser

    (commands,) = (a.choices for a in _parser()._actions if a.dest == "command")
    assert commands
    assert [c for c in commands if f"python -m app {c}" not in ALL and f"`{c}`" not in ALL] == []


def test_every_call_of_the_program_is_one() -> None:
    """What stands behind `python -m app` is a command with arguments that it takes."""
    from app.__main__ import _parser

    calls = re.findall(r"python -m app((?: (?!#)[\w./-]+)*)", ALL)
    assert len(calls) > 10
    for arguments in {call for call in calls if call}:
        _parser().parse_args(arguments.split())  # ends the test if it does not


def test_folders_under_the_media_root_are_told() -> None:
    """Each folder that we make there has its place in the table for operators."""
    text = TEXTS["deploy/README.md"]
    roots = (paths.BUFFER_ROOT, paths.CLIPS_ROOT, paths.THUMBNAILS_ROOT)
    assert [root for root in roots if not re.search(rf"^\| `{root}/", text, re.MULTILINE)] == []


def test_every_command_of_deploy_is_told() -> None:
    """Each program in deploy/ has its place in the table of that folder."""
    programs = [path for path in (ROOT / "deploy").iterdir() if path.is_file() and not path.suffix]
    commands = [path.name for path in programs if os.access(path, os.X_OK)]
    assert commands
    assert [name for name in commands if f"`deploy/{name}`" not in TEXTS["deploy/README.md"]] == []


def test_commands_take_the_options_that_are_told() -> None:
    """Each option behind a command of deploy/ stands in the command, or in the module it runs."""
    told = re.findall(r"deploy/(\w+) (-{1,2}[a-z0-9-]+)", ALL)
    assert len(told) > 3
    unknown = []
    for command, option in told:
        text = (ROOT / "deploy" / command).read_text()
        for module in re.findall(r"python -m (deploy[\w.]+|tests[\w.]+)", text):
            path = ROOT / module.replace(".", "/")
            text += (path / "__main__.py" if path.is_dir() else path.with_suffix(".py")).read_text()
        unknown += [] if re.search(rf"(?<!-){option}\b", text) else [f"deploy/{command} {option}"]
    assert unknown == []


def test_every_route_that_is_told_is_one() -> None:
    """`GET /path` in a text is a route of the description, whatever its parameters are called.

    The version may be left out.
    """
    known = {
        f"{method} {unnamed(route.path)}"
        for route in openapi.listed_of(ROUTES)
        for method in route.methods or ()
    }
    told = re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^\s`?]*)", ALL)
    assert len(told) > len(known)
    assert {route for route in told if unnamed(route) not in known} == set()


def unnamed(path: str) -> str:
    """A path with its version and its parameters' names left out."""
    return re.sub(r"\{\w+\}", "{}", path.replace(versions.CURRENT, ""))


def test_every_name_in_capitals_is_one() -> None:
    """Settings, and other names in capitals with an underscore, stand in the code."""
    code = "\n".join(
        path.read_text()
        for folder in readme.FOLDERS
        for suffix in ("py", "yaml")
        for path in ROOT.glob(f"{folder}/**/*.{suffix}")
    )
    settings = {name.upper() for name in Settings.model_fields}
    known = settings | set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", code))
    told = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", ALL))
    assert len(told) > 30
    assert told - known == set()


def test_the_first_capture_is_one() -> None:
    """The body that README.md sends is a request, and its answer has members that a clip has."""
    text = TEXTS["README.md"]
    (body,) = re.findall(r"-d '(.*?)'", text)
    CaptureRequest.model_validate_json(body)
    (shown,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    answer = json.loads(shown)
    assert answer.keys() <= CaptureView.model_fields.keys()
    assert answer["clip"].keys() - {"…"} <= ClipView.model_fields.keys()


def test_the_first_capture_is_of_what_the_demo_shares(tmp_path: Path) -> None:
    """Pasted as it stands, with the token that `deploy/up` prints, it means the demo's share."""
    text = TEXTS["README.md"]
    settings = load(_env_file=None, livekit_api_key="k", livekit_api_secret="s" * 32)
    (token,) = re.findall(r"^  token +(\S+)$", summary(settings, tmp_path, ""), re.MULTILINE)
    caller = tokens.verify(settings, token)
    (body,) = re.findall(r"-d '(.*?)'", text)
    request = CaptureRequest.model_validate_json(body)
    assert (caller.room, caller.identity) == (demo.ROOM, demo.IDENTITY)
    assert request.room == demo.ROOM
    assert (request.sharer or caller.identity) == demo.IDENTITY
    assert re.findall(r"curl -X POST (\S+)", text) == [f"{settings.base_url}/v1/captures"]
    calls = re.findall(r"python -m app capture (\S+) (\S+)", text)
    assert calls == [(demo.ROOM, demo.IDENTITY)]


@pytest.mark.parametrize("name", ["README.md", "deploy/README.md"])
def test_the_installation_beside_livekit_can_be_reached(name: str) -> None:
    """With what the steps export, LiveKit on another machine reaches the webhook that they name."""
    (steps,) = re.findall(r"^## Beside your.*?\n(.*?)^## ", TEXTS[name], re.DOTALL | re.MULTILINE)
    given = dict(re.findall(r"([A-Z_]+)=(\S+)", steps))
    assert given.keys() >= {"HOST", "PUBLIC_URL", "FILE_UPLOAD_DEST", "EGRESS_FILE_UPLOAD_DEST"}
    values = {key.lower(): value.replace("…", "s" * 32) for key, value in given.items()}
    settings = load(_env_file=None, **values)
    assert not safety.is_own(safety.host_of(settings.livekit_url))
    assert not safety.is_loopback(settings.host)
    assert f"urls: [{settings.base_url}/webhooks/livekit]" in steps
    for step in ("pip install '.[embedded]'", "python -m app doctor"):
        assert step in steps


def test_the_first_readme_is_short_and_leads_to_all_others() -> None:
    """Whoever starts there finds every text of the project."""
    assert len(TEXTS["README.md"].splitlines()) <= MOST_LINES
    found: set[str] = set()
    left = {"README.md"}
    while left:
        name = left.pop()
        found.add(name)
        links = re.findall(r"\]\(([\w./-]*README\.md)", TEXTS[name])
        paths = [(ROOT / name).parent / link for link in links]
        left |= {str(path.resolve().relative_to(ROOT)) for path in paths} - found
    assert found == TEXTS.keys()


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

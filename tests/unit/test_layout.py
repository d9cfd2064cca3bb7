"""The rules that keep the house in order: where things live and which way the arrows go."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*ROOT.glob("app/**/*.py"), *ROOT.glob("handlers/**/*.py")])
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "service"}
# room → the other rooms it may import; the frame (modules right below app/) holds them together
ARROWS = {
    "media": set(),
    "storage": set(),
    "buffer": {"media", "storage"},
    "access": {"buffer", "storage"},
    "recording": {"buffer", "access", "storage"},
    "clips": {"media", "buffer", "access", "storage"},
    "console": set(),
    "api": {"media", "buffer", "access", "storage", "clips", "recording"},
}
# the frame that any room may stand on
FRAME = {"settings", "errors", "models", "store", "jobs", "context", "metrics", "ffmpeg", "events"}
PURE = [
    "app/recording/planner.py",
    "app/recording/encoding.py",
    "app/recording/reasons.py",
    "app/buffer/paths.py",
    "app/clips/visibilities.py",
    "app/indexing/playlist.py",
    "app/buffer/retention.py",
    "app/viewing/hls.py",
    "app/access/permissions.py",
    "app/access/policy.py",
    "app/media/movie.py",
    "app/media/fragment.py",
    "app/media/boxes.py",
]
IMPURE = {"starlette", "arq", "redis", "motor", "pymongo", "odmantic", "httpx", "aiohttp", "socket"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> set[str]:
    """Dotted names that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_has_a_name_that_says_something(path: Path) -> None:
    """No module is a drawer for odds and ends."""
    assert path.stem not in FORBIDDEN_NAMES


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_is_short_and_says_what_it_is_for(path: Path) -> None:
    """A module has a docstring and at most 300 lines, or it is two."""
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    if text.strip():
        assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_only_along_the_arrows(path: Path) -> None:
    """handlers → app; api → clips, recording → buffer, access → storage; never back."""
    parts = path.relative_to(ROOT).parts
    for name in imports(path):
        target = name.split(".")
        if target[0] == "handlers":
            assert parts in {("handlers", "__init__.py"), ("app", "receiver.py")}
        if target[0] != "app" or len(parts) < 3 or parts[0] != "app":
            continue
        room, other = parts[1], target[1]
        if other in ARROWS:
            assert other == room or other in ARROWS[room], f"{room} may not import {name}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_only_handlers_take_webhook_events(path: Path) -> None:
    """A function that takes a WebhookEvent lives in handlers/; the router only passes it on."""
    if path.parent.name == "handlers" or path.name == "routing.py":
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            taken = [ast.unparse(a.annotation) for a in node.args.args if a.annotation]
            assert "WebhookEvent" not in taken, node.name


@pytest.mark.parametrize("path", sorted(ROOT.glob("handlers/*.py")), ids=name_of)
def test_a_handler_reads_as_one_sentence(path: Path) -> None:
    """Handlers note and ask: no loop, no retry, no LiveKit call, no path."""
    tree = ast.parse(path.read_text())
    assert not any(
        isinstance(n, ast.For | ast.While | ast.AsyncFor | ast.Try) for n in ast.walk(tree)
    )
    assert not any(
        name.startswith(("livekit.api", "pathlib", "app.buffer")) for name in imports(path)
    )
    for node in tree.body:
        if isinstance(node, ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            assert docstring is not None
            assert docstring.startswith("When ")


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_import_no_io(name: str) -> None:
    """What decides imports no web, queue, database or network library."""
    path = ROOT / name
    found = {imported.split(".")[0] for imported in imports(path)}
    assert not found & IMPURE


def users_of(prefix: str) -> set[str]:
    """Modules that import something whose dotted name begins with `prefix`."""
    return {name_of(p) for p in SOURCES if any(i.startswith(prefix) for i in imports(p))}


def test_one_place_calls_livekit() -> None:
    """LiveKit's client is imported by its adapter alone."""
    assert users_of("livekit.api.LiveKitAPI") == {"app/recording/livekit.py"}


def test_one_place_knows_the_queue() -> None:
    """arq is known to the queue and the worker."""
    assert users_of("arq") == {"app/work/queue.py", "app/worker.py"}


def test_one_place_reads_the_environment() -> None:
    """Settings come from app/settings.py; others only pass an environment on to children."""
    readers = {name_of(p) for p in SOURCES if "os.environ[" in p.read_text()
               or "os.getenv" in p.read_text()}  # fmt: skip
    assert readers == set()


def test_one_place_makes_problem_documents() -> None:
    """Our errors become HTTP answers in one module."""
    writers = {name_of(p) for p in SOURCES if "application/problem+json" in p.read_text()}
    assert writers <= {"app/api/problems.py", "app/api/openapi.py"}

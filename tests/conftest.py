"""What every test gets: an environment without the developer's own settings, and its turn."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.settings import Settings

MONGO_URL = os.environ.pop("MONGO_URL", "")
"""A MongoDB given from outside, for the store tests to run on; empty: an embedded one."""

for _name in Settings.model_fields:
    os.environ.pop(_name.upper(), None)

HERE = Path(__file__).parent
KINDS = ("chromium", "media", "stores", "stand-in", "unit")
"""What tests work with, in the order in which they begin: the longest first, the shortest last."""
TOGETHER = ("chromium", "media")
"""Kinds of which one process runs all: one Chromium, one LiveKit with its service and a share."""


def kind_of(name: str) -> str:
    """The kind of a file of tests, by its path."""
    if name.startswith("e2e/console/") or name.endswith("_in_chromium.py"):
        return "chromium"
    if name.startswith("e2e/"):
        return "media"
    if name.startswith("integration/standin/"):
        return "stand-in"
    return "unit" if name.startswith("unit/") else "stores"


@pytest.hookimpl(tryfirst=True)  # before xdist, which looks for the groups' names
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        return KINDS.index(kind_of(item.path.relative_to(HERE).as_posix()))

    items.sort(key=place)
    for item in items:
        name = item.path.relative_to(HERE).as_posix()
        kind = kind_of(name)
        item.add_marker(pytest.mark.xdist_group(kind if kind in TOGETHER else name))

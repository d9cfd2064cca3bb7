"""What every test gets: an environment without the developer's own settings, and its turn."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

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


class Groups(LoadScopeScheduling):  # type: ignore[misc] # xdist tells no types
    """Gives each process whole groups: a file, or all files of a kind that is run together.

    xdist's own `--dist loadgroup` finds no groups with pytest 9.2, which has no `_nodeid`.
    """

    def _split_scope(self, nodeid: str) -> str:
        name = nodeid.partition("::")[0].removeprefix("tests/")
        kind = kind_of(name)
        return kind if kind in TOGETHER else name


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Groups:
    return Groups(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: KINDS.index(kind_of(item.path.relative_to(HERE).as_posix())))

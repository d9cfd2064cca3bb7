"""What every test gets: an environment without the developer's own settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.settings import Settings

MONGO_URL = os.environ.pop("MONGO_URL", "")
"""A MongoDB given from outside, for the store tests to run on; empty: an embedded one."""

for _name in Settings.model_fields:
    os.environ.pop(_name.upper(), None)

_END_TO_END = Path(__file__).parent / "e2e"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spreads the tests over workers: a file's on one, and all end-to-end ones, first, on one.

    So there is one LiveKit, one service and one recorder at work, which a busy machine freezes;
    beside them run the tests that work more than they wait.
    """
    for item in items:
        group = "e2e" if _END_TO_END in item.path.parents else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: _END_TO_END not in item.path.parents)

"""The console's modules and the kit know the service's JSON as the service tells it."""

from __future__ import annotations

from tests import console_types


def test_the_types_of_the_console_are_those_of_the_api() -> None:
    """Else `tsc` holds the modules against what the service told once."""
    now = console_types.written()
    found = console_types.PATH.read_text()
    assert found == now, "the API has changed: run `.venv/bin/python -m tests.console_types`"


def test_the_types_of_the_kit_are_those_of_the_api() -> None:
    """What apps are given is typed as it is answered."""
    found = console_types.KIT_PATH.read_text()
    assert found == console_types.kit_written(), "run `.venv/bin/python -m tests.console_types`"

"""Media for these tests, made once per run."""

from __future__ import annotations

from tests.unit.media.conftest import factory as factory
from tests.unit.media.conftest import fragments as fragments

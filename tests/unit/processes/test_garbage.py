"""The garbage collector of a process that serves."""

from __future__ import annotations

import gc

from app.processes import garbage


def test_what_is_loaded_is_not_looked_through_again() -> None:
    """Later collections see what came later, and free its garbage as ever."""
    before = len(gc.get_objects())
    try:
        garbage.keep_what_is_loaded()
        assert len(gc.get_objects()) < before / 10
        cycle: list[object] = []
        cycle.append(cycle)
        del cycle
        assert gc.collect() >= 1
    finally:
        gc.unfreeze()

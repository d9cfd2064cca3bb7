"""Keeps the garbage collector's pauses short."""

from __future__ import annotations

import gc


def keep_what_is_loaded() -> None:
    """Takes everything that is there now out of all later collections.

    Call it once in a process that serves, when its modules are loaded. They are more than 100,000
    objects that live as long as the process, and looking through all of them for garbage stops it
    for 75 to 120 ms, every few hundred requests.
    """
    gc.collect()
    gc.freeze()

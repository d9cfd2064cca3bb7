"""Rows of how the installation was."""

from __future__ import annotations

from typing import TypedDict


class SampleRow(TypedDict):
    """A row of `Sample`."""

    _id: int
    free_disk_bytes: int
    buffered_bytes: int
    clips_bytes: int
    media_lag_seconds: float
    index_lag_seconds: float | None
    active_sessions: int

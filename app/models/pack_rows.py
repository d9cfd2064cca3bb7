"""Rows of packs: which fragments' media is kept together in a bucket."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from app.models.pack_words import PackState


class PackedFragment(TypedDict):
    """A fragment whose media is bytes [offset, offset + length) of a pack.

    `modified_ns`: of its row, when it was packed.
    """

    sequence: int
    offset: int
    length: int
    modified_ns: int | None


class PackRow(TypedDict):
    """A row of `Pack`."""

    _id: str
    session_id: str
    state: PackState
    fragments: list[PackedFragment]
    start_ticks: int
    end_ticks: int
    tag: str
    created_at: datetime

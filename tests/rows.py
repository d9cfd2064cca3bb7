"""Rows for tests, typed as the database gives them."""

from __future__ import annotations

from typing import Any, cast

from app.models import RowOf, Stored

PartOfRow = Any
"""A row with the fields alone that a test is about."""


def document(made: Stored[RowOf]) -> RowOf:
    """What a model writes into its collection."""
    writes: Any = made
    return cast(RowOf, writes.model_dump_doc())

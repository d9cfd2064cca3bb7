"""Packs: media of one session's fragments, in a bucket."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from odmantic import Field, Model
from pymongo import ASCENDING, IndexModel

from app.models.pack_rows import PackRow
from app.models.pack_words import PackState
from app.models.stored import Stored


class Pack(Model, Stored[PackRow]):
    """An object of the bucket of clips that holds media of a session's fragments.

    `fragments`, each a `PackedFragment`, are in order, their media one behind the other. `tag` is
    the object's, once it is written. The row is there before the object, and goes after it.
    """

    model_config = {
        "collection": "packs",
        "indexes": lambda: [
            IndexModel([("session_id", ASCENDING), ("end_ticks", ASCENDING)]),
            IndexModel(
                [("state", ASCENDING)],
                partialFilterExpression={
                    "state": {"$in": [PackState.WRITING, PackState.CONDEMNED]}
                },
            ),
        ],
    }

    id: str = Field(primary_field=True)
    session_id: str
    state: PackState = PackState.WRITING
    fragments: list[dict[str, Any]]
    start_ticks: int
    end_ticks: int
    tag: str = ""
    created_at: datetime

"""Writes facts: one, or many of one kind in a command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from app.models import Row, RowOf
from app.store import chunks
from app.work import rounds

_AT_ONCE = 500
"""Facts in one command."""


class Fact(NamedTuple):
    """What an event tells of a sid for sure; the rest counts only if nobody has told it before."""

    sid: str
    known: Row
    unless_known: Row

    def update(self) -> tuple[Row, Row]:
        return {"_id": self.sid}, {"$set": self.known, "$setOnInsert": self.unless_known}


async def add(rows: AsyncCollection[RowOf], fact: Fact) -> bool:
    """Writes a fact of a sid that has a row. False if there is none."""
    which, _ = fact.update()
    return (await rows.update_one(which, {"$set": fact.known})).matched_count > 0


async def write(rows: AsyncCollection[RowOf], fact: Fact) -> None:
    """Writes a fact, whether there is a row of its sid or not."""
    try:
        await rows.update_one(*fact.update(), upsert=True)
    except DuplicateKeyError:
        # two upserts of a new sid at once: the loser finds the row the second time
        await rows.update_one(*fact.update(), upsert=True)


async def write_all(rows: AsyncCollection[RowOf], kind: str, facts: Sequence[Fact]) -> None:
    """Writes facts, _AT_ONCE in one command; where that fails one by one, each in its own try.

    `kind` of what they are about, for the log.
    """

    async def written(some: Sequence[Fact]) -> int:
        if len(some) == 1:
            await write(rows, some[0])
        else:
            updates = [UpdateOne(*fact.update(), upsert=True) for fact in some]
            await rows.bulk_write(updates, ordered=False)
        return len(some)

    for chunk in chunks(facts, _AT_ONCE):
        await rounds.together_or_alone(kind, {fact.sid: [fact] for fact in chunk}, written)

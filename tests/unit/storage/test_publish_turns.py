"""Turns of files that are published: who waits long needs nothing but its part any more."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from app import metrics
from app.errors import StoreAway
from app.models.metric_words import ErrorKind
from app.storage import composition
from app.storage.publish_turns import PublishTurns
from tests.unit.storage.test_composition import of_fragment
from tests.waiting import wait_for

WHOLE = b"headermediaend"


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    """That of a part which lacks what a fragment has."""
    return of_fragment(tmp_path, hashlib.sha256(WHOLE).hexdigest())


def is_whole(listing: Path) -> bool:
    return not composition.is_lacking(listing)


async def test_who_waits_for_a_turn_for_long_is_made_whole(listing: Path) -> None:
    """Before the store has failed anybody: it hangs."""
    turns = PublishTurns(1, patience_seconds=0.05)
    waiting = asyncio.Event()

    async def publish() -> None:
        async with turns.turn(listing):
            waiting.set()

    async with turns.turn(listing.parent / "other.part"):
        task = asyncio.create_task(publish())
        await wait_for(lambda: is_whole(listing), 5)
        assert not waiting.is_set()
    await task
    assert composition.part_of(listing).read_bytes() == WHOLE


async def test_who_comes_during_an_outage_is_made_whole_before_its_turn(listing: Path) -> None:
    turns = PublishTurns(1)
    other = listing.parent / "other.part"
    with pytest.raises(StoreAway):
        async with turns.turn(other):
            raise StoreAway("told by a test")

    async def publish() -> None:
        async with turns.turn(listing):
            pass

    async with turns.turn(other):
        task = asyncio.create_task(publish())
        await wait_for(lambda: is_whole(listing), 5)
    await task


async def test_what_is_not_put_in_its_turn_is_made_whole(listing: Path) -> None:
    turns = PublishTurns(1)
    async with turns.turn(listing):
        pass
    assert not is_whole(listing)
    with pytest.raises(StoreAway):
        async with turns.turn(listing):
            raise StoreAway("told by a test")
    assert is_whole(listing)


async def test_a_disk_that_is_too_full_to_make_it_whole_is_told_and_the_part_waits_on(
    listing: Path,
) -> None:
    full = metrics.ERRORS.labels(ErrorKind.STORAGE_FULL)
    before = full._value.get()
    part = composition.part_of(listing)
    part.unlink()
    part.symlink_to("/dev/full")
    with pytest.raises(StoreAway, match="told by a test"):
        async with PublishTurns(1).turn(listing):
            raise StoreAway("told by a test")
    assert full._value.get() == before + 1
    assert not is_whole(listing)

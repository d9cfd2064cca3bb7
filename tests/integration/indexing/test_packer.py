"""What is packed of sessions, whatever became of one of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from app.buffer import readable_packs
from app.buffer.paths import BUFFER_ROOT, fragment_name
from app.buffer.session_folders import fragment_path
from app.captures import packed_writer
from app.context import Context
from app.indexing.packer import Packer
from app.models import SessionRow
from app.models.schema import Pack, Segment
from app.settings import Settings
from app.storage.pack_places import PACK_BYTES
from tests.integration.buffer.packing import packs_of
from tests.integration.conftest import MakeSettings
from tests.rows import document
from tests.waiting import wait_for

NOW = datetime.now(UTC)
SOON_SECONDS = 10


@pytest.fixture
def settings(
    make_settings: MakeSettings, in_bucket: dict[str, str], far_buffer: dict[str, str]
) -> Settings:
    """Of an installation whose clips, and whose egress, are in buckets."""
    return make_settings(**in_bucket | far_buffer)


def session_of(name: str) -> SessionRow:
    """What of its row is needed to pack."""
    told: Any = {
        "_id": name,
        "room": "room",
        "identity": name,
        "folder": f"{BUFFER_ROOT}/room/ada/{name}",
    }
    return cast(SessionRow, told)


def file_of(ctx: Context, name: str, sequence: int) -> Path:
    folder = fragment_path(ctx.settings.media_root, session_of(name))
    return folder / fragment_name(sequence)


async def recorded(ctx: Context, name: str, count: int) -> SessionRow:
    """A session of so many fragments that are a pack each."""
    for sequence in range(count):
        path = file_of(ctx, name, sequence)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.truncate(PACK_BYTES)
        made = Segment(
            id=f"{name}:{sequence}",
            session_id=name,
            buffer_id="buffer",
            sequence=sequence,
            name=path.name,
            start=NOW,
            end=NOW,
            start_ticks=sequence,
            end_ticks=sequence + 1,
            extinf_seconds=2.0,
            size_bytes=PACK_BYTES,
            modified_ns=path.stat().st_mtime_ns,
            indexed_at=NOW,
        )
        await ctx.store.rows(Segment).insert_one(document(made))
    return session_of(name)


@asynccontextmanager
async def packing(ctx: Context, packer: Packer) -> AsyncIterator[None]:
    running = asyncio.create_task(packer.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait({running})


@pytest.fixture
def packer(ctx: Context) -> Packer:
    return Packer(ctx, ThreadPoolExecutor(1))


async def packed(ctx: Context) -> list[tuple[str, int]]:
    """Session and sequence of each fragment that is packed, in the order of their packs."""
    rows = sorted(await packs_of(ctx), key=lambda row: row["created_at"])
    return [
        (row["session_id"], each["sequence"])
        for row in rows
        if row["state"] == "written"
        for each in row["fragments"]
    ]


def are_packed(ctx: Context, *wanted: tuple[str, int]) -> Callable[[], Any]:
    async def there() -> bool:
        return sorted(await packed(ctx)) == sorted(wanted)

    return there


async def test_a_file_that_can_not_be_read_keeps_nothing_else_from_being_packed(
    ctx: Context, packer: Packer
) -> None:
    one, other = await recorded(ctx, "one", 2), await recorded(ctx, "other", 1)
    unreadable = file_of(ctx, "one", 0)
    unreadable.unlink()
    unreadable.mkdir()
    for each in (one, other):
        await packer.begin(each)
    async with packing(ctx, packer):
        await wait_for(are_packed(ctx, ("one", 1), ("other", 0)), SOON_SECONDS)
    assert len(await packs_of(ctx)) == 2


async def test_a_session_that_is_begun_again_before_its_turn_is_packed_once_and_in_turns(
    ctx: Context, packer: Packer
) -> None:
    one, other = await recorded(ctx, "one", 2), await recorded(ctx, "other", 1)
    for each in (one, other, one):
        await packer.begin(each)
    async with packing(ctx, packer):
        await wait_for(are_packed(ctx, ("one", 0), ("one", 1), ("other", 0)), SOON_SECONDS)
        await packer.begin(other)
    assert await packed(ctx) == [("other", 0), ("one", 0), ("one", 1)]


@pytest.mark.parametrize(
    "altered",
    [
        {"$set": {"fragments": []}},
        {"$unset": {"fragments": 1}},
        {"$set": {"fragments": [{"offset": 0}]}},
        {"$set": {"fragments.0.sequence": "a"}},
        {"$unset": {"state": 1}},
        {"$unset": {"tag": 1}},
        {"$set": {"_id": "../other"}},
    ],
)
async def test_a_packs_row_that_was_altered_is_passed_over(
    ctx: Context, packer: Packer, altered: dict[str, Any]
) -> None:
    """By who goes on indexing its session, and by who makes a clip of it."""
    session = await recorded(ctx, "one", 2)
    await packer.begin(session)
    async with packing(ctx, packer):
        await wait_for(are_packed(ctx, ("one", 0), ("one", 1)), SOON_SECONDS)
    rows = ctx.store.rows(Pack)
    (first, second) = sorted(await packs_of(ctx), key=lambda row: row["created_at"])
    if new_id := altered.get("$set", {}).get("_id"):
        await rows.delete_one({"_id": first["_id"]})
        await rows.insert_one({**first, "_id": new_id})
    else:
        await rows.update_one({"_id": first["_id"]}, altered)
    assert await readable_packs.written(ctx.store, ["one"]) == [second]
    await packed_writer.of(ctx, {"one": session})
    await packer.begin(session)


async def test_a_segments_row_that_was_altered_is_packed_no_more(
    ctx: Context, packer: Packer
) -> None:
    session = await recorded(ctx, "one", 2)
    await ctx.store.rows(Segment).update_one({"_id": "one:0"}, {"$unset": {"start_ticks": 1}})
    await packer.begin(session)
    async with packing(ctx, packer):
        await wait_for(are_packed(ctx, ("one", 1)), SOON_SECONDS)

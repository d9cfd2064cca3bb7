"""Rows that somebody altered in the database: no name in them leads to a file that is not ours.

And whoever works through many rows goes on behind such a one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.cleaning import cleanup, strays
from app.cleaning.buffer_invariants import violations
from app.cleaning.erasure import forget_session
from app.context import Context
from app.models.instants import EPOCH
from app.models.schema import EgressSession, Segment, Summary
from tests.integration.buffer.shares import BeginShare, DiskShare, indexing
from tests.integration.cleaning.test_cleanup import age, end, index, make_old, problems
from tests.waiting import wait_for

LONG_OVER = EPOCH + timedelta(days=1)
LEADS_ELSEWHERE = [
    "{outside}",
    "../../../../../outside.txt",
    "../../../../.instance",
    "",
    ".",
    "a b",
]


@pytest.fixture
def outside(ctx: Context) -> Path:
    """A file of the service's user that is none of the media."""
    path = ctx.settings.media_root.parent / "outside.txt"
    path.write_text("LIVEKIT_API_SECRET=only-the-service-may-read-this")
    return path


async def alter(disk: DiskShare, sequence: int, **fields: Any) -> None:
    found = await disk.ctx.store.rows(Segment).update_one(
        {"_id": f"{disk.session_id}:{sequence}"}, {"$set": fields}
    )
    assert found.modified_count


@pytest.mark.parametrize("name", LEADS_ELSEWHERE)
async def test_cleanup_removes_no_file_but_the_sessions(
    ctx: Context, share: BeginShare, outside: Path, name: str
) -> None:
    """Its old neighbours go as they should, and the row that was altered goes with them."""
    disk, other = await share("ann"), await share("bea")
    await index(ctx, disk, other)
    await make_old(ctx, disk, range(3))
    await make_old(ctx, other, range(3))
    await alter(disk, 1, name=name.format(outside=outside))
    await cleanup.run(ctx)
    assert outside.exists()
    assert (ctx.settings.media_root / ".instance").exists()
    for each in (disk, other):
        assert [row["sequence"] for row in await each.rows()] == [3, 4]
    assert other.files("*.m4s") == ["00000003.m4s", "00000004.m4s"]


async def test_a_session_whose_folder_was_altered_takes_nothing_with_it(
    ctx: Context, share: BeginShare
) -> None:
    disk, other = await share("ann"), await share("bea")
    await index(ctx, disk, other)
    clip = ctx.settings.media_root / "replays" / "ann-1" / "clip.mp4"
    clip.parent.mkdir(parents=True)
    clip.write_bytes(b"a clip")
    row = await disk.session()
    for folder in ("replays", "", ".", "../media", (await other.session())["folder"], "/"):
        await disk.change(folder=folder)
        assert await forget_session(ctx, await disk.session(), datetime.now(UTC))
        assert clip.exists()
        assert len(other.files("*.m4s")) == 5
        sessions = ctx.store.rows(EgressSession)
        assert await sessions.find_one({"_id": disk.session_id}) is None
        await sessions.insert_one(row)


async def test_what_can_be_no_file_is_told_and_becomes_a_gap(
    ctx: Context, share: BeginShare
) -> None:
    """The checker says which row it is, and what it says of the others stays true."""
    disk, other = await share("ann"), await share("bea")
    await index(ctx, disk, other)
    await alter(disk, 1, name="../x")
    (other.fragments / "00000002.m4s").unlink()
    found = await problems(ctx)
    assert any(f"{disk.session_id}:1: '../x' is no file name" in each for each in found)
    assert any("00000002.m4s is gone" in each for each in found)
    assert len([each for each in found if disk.session_id in each]) <= 2
    await strays.settle(ctx, datetime.now(UTC))
    states = [row["state"] for row in await other.rows()]
    assert states == ["indexed", "indexed", "quarantined", "indexed", "indexed"]


async def test_strays_go_whatever_another_session_says(ctx: Context, share: BeginShare) -> None:
    """Its folder, its times or its summary: nothing of it is taken, and nothing is kept for it."""
    disk, other, third = await share("ann"), await share("bea"), await share("cem")
    await index(ctx, disk, other, third)
    for each in (disk, other, third):
        await end(each)
    await ctx.store.rows(EgressSession).update_one(
        {"_id": disk.session_id}, {"$unset": {"folder": "", "indexing": ""}}
    )
    await ctx.store.rows(Summary).update_one({"_id": other.session_id}, {"$set": {"runs": [7]}})
    stray = third.folder / "nobody.knows"
    stray.touch()
    age(stray)
    assert (await strays.settle(ctx, datetime.now(UTC))).removed == 1
    assert not stray.exists()
    for each in (disk, other, third):
        assert len(each.files("*.m4s")) == 5


@pytest.mark.parametrize(
    "field", ["created_at", "indexer", "segment_seconds", "active_at", "clock_ns", "folder"]
)
async def test_an_indexer_follows_the_others_whatever_a_session_lacks(
    ctx: Context, share: BeginShare, field: str
) -> None:
    """From the beginning, or from an instant on at which it is followed."""
    before, later, neighbour = await share("eve"), await share("fay"), await share("ann")
    sessions = ctx.store.rows(EgressSession)
    await sessions.update_one({"_id": before.session_id}, {"$unset": {field: ""}})
    async with indexing(ctx) as indexer:
        for each in (later, neighbour):
            each.commit()
            await each.indexed(1)
        await sessions.update_one({"_id": later.session_id}, {"$unset": {field: ""}})
        looked = await looks_twice(ctx, neighbour)
        neighbour.commit()
        await neighbour.indexed(2)
        assert neighbour.session_id in indexer._followers
    assert looked


async def looks_twice(ctx: Context, share: DiskShare) -> bool:
    """Waits until an indexer has read the sessions' rows once more: it takes another one."""
    name = f"new {share.session_id}"
    await ctx.store.rows(EgressSession).update_one(
        {"_id": share.session_id}, {"$set": {"indexer": name, "indexer_until": LONG_OVER}}
    )

    async def taken() -> bool:
        return (await share.session())["indexer"] not in (None, name)

    await wait_for(taken)
    return True


async def test_a_folder_that_bears_a_sessions_name_is_not_the_sessions(
    ctx: Context, share: BeginShare
) -> None:
    """Egress may make folders: an empty one of that name does not make the media a gap."""
    disk = await share()
    await index(ctx, disk)
    await end(disk)
    (ctx.settings.media_root / "replay-buffer" / "x" / "y" / disk.session_id).mkdir(parents=True)
    mismatch = await strays.find(ctx, datetime.now(UTC))
    assert mismatch.missing == ()
    assert mismatch.rows == 5


async def test_files_with_odd_names_are_strays_like_others(ctx: Context, share: BeginShare) -> None:
    disk = await share()
    await index(ctx, disk)
    await end(disk)
    names = [b"a b.ts", b"\xff.ts", "ä.m4s".encode(), b"new\nline", b"00000001.m4s "]
    for name in names:
        path = Path(str(disk.folder)) / name.decode(errors="surrogateescape")
        path.write_bytes(b"x")
        age(path)
    assert len([each async for each in violations(ctx, datetime.now(UTC))]) == len(names)
    done = await strays.settle(ctx, datetime.now(UTC), confirmed=True)
    assert done.removed == len(names)
    assert disk.files("*.m4s") == [f"0000000{number}.m4s" for number in range(5)]

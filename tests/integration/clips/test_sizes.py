"""Lists of clips by their size: every one that is wanted, once, the largest first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.access.tokens import Caller
from app.clips import clip_sizes, library
from app.clips.clip_pages import Wanted
from app.context import Context
from app.errors import NotFound
from app.models.schema import File, ReplayClip
from app.store import row_of
from tests.integration.clips.rows import clip_row, file_row

NOW = datetime.now(UTC).replace(microsecond=0)
SIZES = (0, 1, 1, 1, 2, 70, 900, 900, 64_000, 64_001, 10**6, 10**6 + 1, 10**9, 2**44)


async def fill(ctx: Context) -> list[tuple[int, str, ReplayClip]]:
    """Clips of ann in two rooms and of bob, with a rendition of each second one: (size, file's id,
    clip)."""
    clips, files = [], []
    for number, size_bytes in enumerate(SIZES * 3):
        clip = clip_row(
            f"c{number:02}",
            owner="bob" if number % 5 == 0 else "ann",
            room=("north", "south")[number % 2],
            title=("goal", "")[number % 3 == 0],
            deleted_at=NOW if number % 7 == 0 else None,
            created_at=NOW - timedelta(hours=number),
        )
        file: Any = {**row_of(file_row(clip)), "size_bytes": size_bytes}
        clips.append((size_bytes, clip.file_id, clip))
        files.append(file)
        if number % 2:
            files.append({**file, "_id": f"r{number:02}"})
    await ctx.store.rows(ReplayClip).insert_many([row_of(clip) for _, _, clip in clips])
    await ctx.store.rows(File).insert_many(files)
    return clips


async def listed(
    ctx: Context, owner: str | None, limit: int, looked_at: int, asked: dict[str, Any]
) -> list[str]:
    """Every id, page by page."""
    found: list[str] = []
    after = None
    for _ in range(200):
        page = await clip_sizes.page(
            ctx, owner, Wanted(**asked), limit=limit, after=after, looked_at=looked_at
        )
        found += [clip.row["_id"] for clip in page.items]
        if (after := page.next) is None:
            return found
    raise AssertionError("the pages do not end")


async def test_lists_by_size_hold_what_a_plain_loop_finds(ctx: Context) -> None:
    """Whatever the size of a page, also where it looks at few rows only."""
    clips = sorted(await fill(ctx), key=lambda each: each[:2], reverse=True)
    asked: list[dict[str, Any]] = [
        {},
        {"room": "north"},
        {"title": "GOAL"},
        {"owner": "bob"},
        {"since": NOW - timedelta(hours=20), "until": NOW - timedelta(hours=3)},
    ]
    for owner in ("ann", None, "nobody"):
        for wanted in asked:
            expected = [
                clip.id
                for _, _, clip in clips
                if clip.deleted_at is None
                and owner in (None, clip.owner)
                and wanted.get("room", clip.room) == clip.room
                and wanted.get("owner", clip.owner) == clip.owner
                and wanted.get("title", "").casefold() in clip.title
                and wanted.get("since", clip.created_at) <= clip.created_at
                and clip.created_at < wanted.get("until", NOW + timedelta(days=1))
            ]
            for limit, looked_at in ((50, 500), (4, 500), (3, 5)):
                assert await listed(ctx, owner, limit, looked_at, wanted) == expected


async def test_by_size_everybody_lists_their_own_and_an_instance_admin_all(ctx: Context) -> None:
    """Of the room that their token is for."""
    clips = [clip for _, _, clip in await fill(ctx) if clip.deleted_at is None]
    of_ann = {clip.id for clip in clips if clip.owner == "ann"}
    north = {clip.id for clip in clips if clip.room == "north"}

    async def seen(caller: Caller, **asked: Any) -> set[str]:
        page = await clip_sizes.seen_page(ctx, caller, Wanted(**asked), limit=50, after=None)
        return {clip.row["_id"] for clip in page.items}

    ops = Caller("ops", instance_admin=True)
    assert await seen(Caller("ann")) == of_ann
    assert await seen(Caller("ann", room="north")) == of_ann & north
    assert await seen(Caller("ann", room="north"), room="south") == set()
    assert await seen(Caller("ann"), owner="bob") == set()
    assert await seen(Caller("ann"), but_of="ann") == set()
    assert await seen(ops) == {clip.id for clip in clips}
    assert await seen(ops, owner="ann", room="north") == of_ann & north


async def test_an_owner_deletes_a_clip_of_another_room_that_rests_for_its_own(ctx: Context) -> None:
    """Their quota is one for all rooms. For good it goes, and comes back, only by its own room."""
    await fill(ctx)
    elsewhere = Caller("ann", room="west")
    clip_id = "c01"
    for forbidden in (
        library.find(ctx, elsewhere, clip_id),
        library.delete(ctx, elsewhere, clip_id, purge=True),
        library.delete(ctx, Caller("bob", room="west"), clip_id),
        library.change(ctx, elsewhere, clip_id, {"title": "mine"}),
    ):
        with pytest.raises(NotFound):
            await forbidden
    assert await library.delete(ctx, elsewhere, clip_id) == "ann"
    for forbidden in (
        library.restore(ctx, elsewhere, clip_id),
        library.delete(ctx, elsewhere, clip_id),
        library.delete(ctx, elsewhere, clip_id, purge=True),
    ):
        with pytest.raises(NotFound):
            await forbidden
    row = await ctx.store.rows(ReplayClip).find_one({"_id": clip_id})
    assert row is not None
    assert row["ready"]
    assert row["deleted_at"] is not None

"""Clips: listed by pages, changed, deleted, taken back, swept away."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.access import quota
from app.access.tokens import Caller
from app.clips import clip_expiry, clip_pages, library, trash
from app.clips.clip_pages import Wanted
from app.context import Context
from app.errors import Gone, Invalid, NotFound, QuotaExceeded, StoreRefuses
from app.models.schema import File, ReplayClip
from app.storage.clip_folder import ClipFolder
from app.storage.free_space import free_bytes
from app.store import row_of
from tests.integration.captures.checking import captured, files
from tests.integration.captures.conftest import ADA, ADMIN, BOB, MakeShare
from tests.integration.clips.clients import beside
from tests.integration.clips.rows import add_clip, charge, clip_row


async def shelve(ctx: Context, number: int, owner: str = "ada", room: str = "room") -> str:
    """A clip's rows without its file: for lists, which never look at it."""
    now = datetime.now(UTC)
    clip_id, file_id = f"{number:024x}", f"f{number:023x}"
    # two of each instant, so that the id has to decide
    created_at = now - timedelta(seconds=number // 2)
    await ctx.store.create(
        File(
            id=file_id,
            filename="clip.mp4",
            size_bytes=100,
            uploaded_by=owner,
            storage_path=f"replays/x/{clip_id}.mp4",
            resource_id=clip_id,
            created_at=created_at,
        )
    )
    await ctx.store.create(
        ReplayClip(
            id=clip_id,
            capture_id=f"c{number:023x}",
            file_id=file_id,
            owner=owner,
            shared_by=owner,
            room=room,
            room_sid="RM",
            ready=True,
            requested_start=created_at,
            requested_end=created_at,
            created_at=created_at,
        )
    )
    return clip_id


async def ids(ctx: Context, caller: Caller, **asked: Any) -> list[str]:
    """Every id, page by page."""
    found: list[str] = []
    after = None
    while True:
        page = await clip_pages.page(ctx, caller, Wanted(**asked), limit=3, after=after)
        assert len(page.items) <= 3
        found += [clip.row["_id"] for clip in page.items]
        after = page.next
        if after is None:
            return found


async def test_pages_hold_every_clip_of_the_caller_once_newest_first(ctx: Context) -> None:
    mine = [await shelve(ctx, number) for number in range(10)]
    await shelve(ctx, 50, owner="bob")
    found = await ids(ctx, ADA)
    assert sorted(found) == sorted(mine)
    rows = {row["_id"]: row async for row in ctx.store.rows(ReplayClip).find({})}
    order = [(rows[each]["created_at"], each) for each in found]
    assert order == sorted(order, reverse=True)


async def test_lists_are_filtered_by_room_and_owner_within_what_may_be_seen(
    ctx: Context,
) -> None:
    here = await shelve(ctx, 1)
    there = await shelve(ctx, 2, room="other")
    theirs = await shelve(ctx, 3, owner="bob")
    assert await ids(ctx, ADA, room="other") == [there]
    assert await ids(ctx, Caller("ada", room="room")) == [here]
    assert await ids(ctx, ADA, owner="bob") == []
    assert await ids(ctx, ADMIN, owner="bob") == [theirs]
    assert set(await ids(ctx, ADMIN)) == {here, there, theirs}


@pytest.mark.parametrize("cursor", ["", "x", "!!!!", "MTIz", "OTk5OTk5OTk5OTk5OTk5OTk5OTkvYQ", "é"])
async def test_a_cursor_that_no_list_gave_is_refused(ctx: Context, cursor: str) -> None:
    with pytest.raises(Invalid, match="leave it out"):
        await clip_pages.page(ctx, ADA, Wanted(), after=cursor)


async def test_a_clip_is_seen_and_changed_by_its_owner_and_admins_only(ctx: Context) -> None:
    clip_id = await shelve(ctx, 1)
    for caller in (ADA, ADMIN, Caller("ada", room="room")):
        assert (await library.find(ctx, caller, clip_id)).row["_id"] == clip_id
    purge = partial(library.delete, purge=True)
    for stranger in (BOB, Caller("ada", room="other"), Caller("mod", room="room", room_admin=True)):
        for act in (library.find, library.restore, purge):
            with pytest.raises(NotFound) as raised:
                await act(ctx, stranger, clip_id)
            with pytest.raises(NotFound) as unknown:
                await act(ctx, stranger, "0" * 24)
            assert raised.value.detail == unknown.value.detail
        with pytest.raises(NotFound):
            await library.change(ctx, stranger, clip_id, {"title": "mine"})
    with pytest.raises(NotFound):
        await library.delete(ctx, BOB, clip_id)
    changed = await library.change(ctx, ADA, clip_id, {"title": "new", "keep": True})
    assert (changed.row["title"], changed.row["keep"]) == ("new", True)


@pytest.mark.parametrize(("first", "last"), [("private", "link"), ("link", "private")])
async def test_a_link_that_was_turned_off_never_comes_back(
    ctx: Context, first: str, last: str
) -> None:
    """Even if somebody has it prolonged at the same time: then there is a new one, or none."""
    clip_id = await shelve(ctx, 1)
    clips = ctx.store.rows(ReplayClip)

    async def open_to(ctx: Context, value: str) -> None:
        await library.change(ctx, ADA, clip_id, {"visibility": value})

    secrets = set[str | None]()
    await open_to(ctx, "link")
    row = await clips.find_one({"_id": clip_id})
    assert row is not None
    secrets.add(row["link_secret"])
    async for _ in beside(ctx, partial(open_to, value=first), partial(open_to, value=last)):
        row = await clips.find_one({"_id": clip_id})
        assert row is not None
        assert (row["visibility"] == "private") == (row["link_secret"] is None)
        assert row["link_secret"] not in secrets - {None}
        await open_to(ctx, "link")
        row = await clips.find_one({"_id": clip_id})
        assert row is not None
        secrets.add(row["link_secret"])


async def test_a_file_is_named_by_the_title_that_its_clip_has_when_it_is_served(
    ctx: Context,
) -> None:
    clip_id = await shelve(ctx, 1)
    for title in ("one", "two"):
        clip = await library.change(ctx, ADA, clip_id, {"title": title})
        served = await library.file_for(ctx, ADA, clip.file["_id"])
        assert served["filename"].startswith(f"{title} 20")
        assert served["filename"].endswith(".mp4")


async def test_deleting_frees_the_quota_once_and_hides_the_clip(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=5)
    clip_id = made.capture["clip_id"]
    answers = await asyncio.gather(
        *(library.delete(ctx, ADA, clip_id) for _ in range(5)), return_exceptions=True
    )
    assert answers.count("ada") == 1
    assert all(each == "ada" or isinstance(each, NotFound) for each in answers)
    assert (await quota.read(ctx.store, ctx.settings, "ada")).used_bytes == 0
    assert (await clip_pages.page(ctx, ADA, Wanted())).items == []
    assert len(files(ctx)) == 1
    assert made.file is not None
    with pytest.raises(Gone):
        await library.file_of(ctx, ADA, made.file["_id"])
    with pytest.raises(Gone):
        await library.file_of(ctx, None, made.file["_id"])
    with pytest.raises(NotFound):
        await library.file_of(ctx, BOB, made.file["_id"])


async def test_restoring_charges_again_or_says_that_the_quota_is_used_up(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=5)
    assert made.file is not None
    clip_id, size = made.capture["clip_id"], made.file["size_bytes"]
    await library.delete(ctx, ADA, clip_id)
    await quota.set_limit(ctx.store, "ada", size - 1)
    with pytest.raises(QuotaExceeded):
        await library.restore(ctx, ADA, clip_id)
    await quota.set_limit(ctx.store, "ada", size)
    for _ in range(2):
        assert (await library.restore(ctx, ADA, clip_id)).row["deleted_at"] is None
    assert (await quota.read(ctx.store, ctx.settings, "ada")).used_bytes == size
    await clip_expiry.sweep_clips(ctx)
    assert (await library.file_of(ctx, ADA, made.file["_id"])).file == made.file


async def test_a_minute_later_it_is_too_late_and_the_file_goes(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=5)
    clip_id = made.capture["clip_id"]
    await library.delete(ctx, ADA, clip_id)
    await clip_expiry.sweep_clips(ctx)
    assert len(files(ctx)) == 1
    await ctx.store.rows(ReplayClip).update_one(
        {"_id": clip_id}, {"$set": {"deleted_at": datetime.now(UTC) - timedelta(seconds=61)}}
    )
    with pytest.raises(Gone, match="60 s"):
        await library.restore(ctx, ADA, clip_id)
    assert (await quota.read(ctx.store, ctx.settings, "ada")).used_bytes == 0
    await clip_expiry.sweep_clips(ctx)
    assert files(ctx) == []
    with pytest.raises(NotFound):
        await library.restore(ctx, ADA, clip_id)


async def test_a_deleted_clip_rests_outside_of_the_quota_and_is_listed_to_its_owner(
    ctx: Context, ended_share: MakeShare
) -> None:
    """For TRASH_DAYS; purged, it goes with the next sweep, and nobody restores it."""
    ctx = replace(ctx, settings=ctx.settings.model_copy(update={"trash_days": 7}))
    await ended_share()
    made = await captured(ctx, ADA, last=5)
    clip_id, now = made.capture["clip_id"], datetime.now(UTC)
    trash = Wanted(deleted=True)
    assert (await clip_pages.page(ctx, ADA, trash)).items == []
    await library.delete(ctx, ADA, clip_id, now=now - timedelta(days=6))
    await clip_expiry.sweep_clips(ctx)
    assert len(files(ctx)) == 1
    assert (await quota.read(ctx.store, ctx.settings, "ada")).used_bytes == 0
    for caller, seen in ((ADA, [clip_id]), (ADMIN, [clip_id]), (BOB, [])):
        found = await clip_pages.page(ctx, caller, trash)
        assert [clip.row["_id"] for clip in found.items] == seen
    assert await ids(ctx, ADA) == []
    assert (await library.restore(ctx, ADA, clip_id)).row["deleted_at"] is None
    assert (await clip_pages.page(ctx, ADA, trash)).items == []
    await library.delete(ctx, ADA, clip_id)
    with pytest.raises(NotFound):
        await library.delete(ctx, ADA, clip_id)
    await library.delete(ctx, ADA, clip_id, purge=True)
    assert (await clip_pages.page(ctx, ADA, trash)).items == []
    with pytest.raises(Gone, match="if it was purged"):
        await library.restore(ctx, ADA, clip_id)
    await clip_expiry.sweep_clips(ctx)
    assert files(ctx) == []
    with pytest.raises(NotFound):
        await library.delete(ctx, ADA, clip_id, purge=True)


async def test_clips_that_rest_take_no_more_than_a_quota(
    ctx: Context, ended_share: MakeShare
) -> None:
    """Those that were deleted first go first; nothing of others does."""
    ctx = replace(ctx, settings=ctx.settings.model_copy(update={"trash_days": 7}))
    await ended_share()
    first, second = [(await captured(ctx, ADA, last=5)).capture["clip_id"] for _ in range(2)]
    size = (await quota.read(ctx.store, ctx.settings, "ada")).used_bytes // 2
    await quota.set_limit(ctx.store, "ada", size + 1)
    await library.delete(ctx, ADA, first, now=datetime.now(UTC) - timedelta(days=2))
    await clip_expiry.sweep_clips(ctx)
    assert len(files(ctx)) == 2
    await library.delete(ctx, ADA, second)
    with pytest.raises(Gone, match="more than their quota"):
        await library.restore(ctx, ADA, first)
    await clip_expiry.sweep_clips(ctx)
    assert len(files(ctx)) == 1
    trash = await clip_pages.page(ctx, ADA, Wanted(deleted=True))
    assert [clip.row["_id"] for clip in trash.items] == [second]


async def test_no_more_than_so_many_clips_of_a_user_rest(ctx: Context) -> None:
    """Those that were deleted first go first; nothing of others does."""
    ctx = replace(ctx, settings=ctx.settings.model_copy(update={"trash_days": 7}))
    now = datetime.now(UTC)
    for owner in ("ada", "bob"):
        for hours in range(4):
            name, at = f"{owner} {hours}", now - timedelta(hours=hours)
            await add_clip(ctx, name, owner=owner, created_at=at, deleted_at=at, turn=1)
    await trash.bound(ctx, "ada", now, most=2)
    assert await ids(ctx, ADA, deleted=True) == ["ada 0", "ada 1"]
    assert len(await ids(ctx, BOB, deleted=True)) == 4
    with pytest.raises(Gone, match="are more than 500"):
        await library.restore(ctx, ADA, "ada 2")


async def test_no_clip_rests_while_the_disk_is_getting_full(
    ctx: Context, ended_share: MakeShare
) -> None:
    """So buffers of others need not shrink for it."""
    ctx = replace(ctx, settings=ctx.settings.model_copy(update={"trash_days": 7}))
    await ended_share()
    clip_id = (await captured(ctx, ADA, last=5)).capture["clip_id"]
    await library.delete(ctx, ADA, clip_id, now=datetime.now(UTC) - timedelta(minutes=2))
    free = await free_bytes(ctx.settings.media_root)
    for least, left in ((free // 10, 1), (free * 9 // 10, 0)):
        short = ctx.settings.model_copy(update={"free_space_min_bytes": least})
        await clip_expiry.sweep_clips(replace(ctx, settings=short))
        assert len(files(ctx)) == left


async def test_a_clip_that_its_store_does_not_let_go_keeps_no_other(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    held, other = [await captured(ctx, ADA, last=5) for _ in range(2)]
    for made in (held, other):
        await library.delete(ctx, ADA, made.capture["clip_id"], purge=True)

    assert held.file is not None
    held_path = held.file["storage_path"]
    held_name = Path(held_path).name

    class Held(ClipFolder):
        async def remove(self, storage_paths: Collection[str]) -> None:
            if held_path in storage_paths:
                raise StoreRefuses("it is on hold")
            await super().remove(storage_paths)

    for _ in range(2):
        await clip_expiry.sweep_clips(replace(ctx, clips=Held(ctx.settings.media_root)))
        assert files(ctx) == [held_name]
    await clip_expiry.sweep_clips(ctx)
    assert files(ctx) == []


async def test_what_a_resting_clip_still_takes_is_freed_however_many_rest(ctx: Context) -> None:
    """As where the process was killed that deleted it: no pass looks at all that rest."""
    ctx = replace(ctx, settings=ctx.settings.model_copy(update={"trash_days": 7}))
    now = datetime.now(UTC)
    resting = [
        clip_row(f"{number}", owner="ada", deleted_at=now)
        for number in range(clip_expiry.AT_A_TIME)
    ]
    left = clip_row("left", owner="ada", deleted_at=now - timedelta(days=1))
    await ctx.store.rows(ReplayClip).insert_many(map(row_of, [*resting, left]))
    await charge(ctx, "ada", "left")
    walks = clip_expiry.Walks()
    for _ in range(2):
        await clip_expiry.sweep_clips(ctx, walks)
    assert (await quota.read(ctx.store, ctx.settings, "ada")).used_bytes == 0


async def test_a_clip_that_was_deleted_by_a_clock_far_ahead_takes_nothing(ctx: Context) -> None:
    """Its process was killed before the clip's bytes were free."""
    ctx = replace(ctx, settings=ctx.settings.model_copy(update={"trash_days": 7}))
    ahead = clip_row("ahead", owner="ada", deleted_at=datetime.now(UTC) + timedelta(hours=2))
    await ctx.store.rows(ReplayClip).insert_one(row_of(ahead))
    await charge(ctx, "ada", "ahead")
    await clip_expiry.sweep_clips(ctx)
    assert (await quota.read(ctx.store, ctx.settings, "ada")).used_bytes == 0


async def test_a_clip_that_is_purged_at_once_leaves_nothing(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=5)
    await library.delete(ctx, ADA, made.capture["clip_id"], purge=True)
    assert (await quota.read(ctx.store, ctx.settings, "ada")).used_bytes == 0
    await clip_expiry.sweep_clips(ctx)
    assert files(ctx) == []


async def test_expired_clips_go_unless_they_are_kept(ctx: Context) -> None:
    past = {"expires_at": datetime.now(UTC) - timedelta(seconds=1)}
    gone, kept, young = [await shelve(ctx, number) for number in range(3)]
    for clip_id in (gone, kept):
        await ctx.store.rows(ReplayClip).update_one({"_id": clip_id}, {"$set": past})
    await library.change(ctx, ADA, kept, {"keep": True})
    await clip_expiry.sweep_clips(ctx)
    assert set(await ids(ctx, ADA)) == {kept, young}


async def test_clips_that_have_expired_rest_in_no_more_than_a_quota(ctx: Context) -> None:
    """Those of others go on resting."""
    ctx = replace(ctx, settings=ctx.settings.model_copy(update={"trash_days": 7}))
    past = datetime.now(UTC) - timedelta(seconds=1)
    for owner in ("ada", "bob"):
        for number in range(2):
            name = f"{owner} {number}"
            await add_clip(ctx, name, owner=owner, created_at=past, expires_at=past)
            await charge(ctx, owner, name)
    await quota.set_limit(ctx.store, "ada", 1500)
    await clip_expiry.sweep_clips(ctx)
    assert len(await ids(ctx, ADA, deleted=True)) == 1
    assert len(await ids(ctx, BOB, deleted=True)) == 2

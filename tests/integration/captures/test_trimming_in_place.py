"""Trims that take their clip's place, with its link and all; and that is taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.access import communities, quota
from app.captures import endings, trimming
from app.captures.trim_request import TrimRequest
from app.clips import clip_expiry, clip_pages, library, objections, replacing, sharing
from app.clips.clip_pages import Wanted
from app.context import Context
from app.errors import Conflict, Gone, NotFound, QuotaExceeded
from app.models import AuditAction, CaptureRow, ClipRow, Row
from app.models.schema import AuditEntry, Capture, ReplayClip
from tests.integration.captures.checking import Done, captured, done, files, go_on, work_on
from tests.integration.captures.conftest import ADA, ADMIN, BOB, MakeShare
from tests.integration.captures.mortal import Mortal
from tests.integration.captures.test_trimming import sound_library
from tests.integration.clips.rows import add_clip, charge

MOST_STEPS = 90
PART = {"start": 1.3, "end": 5.2, "in_place": True}


async def asked(ctx: Context, made: Done) -> CaptureRow:
    request = TrimRequest.model_validate(PART)
    return await trimming.accept(ctx, ADA, made.capture["clip_id"], request)


async def opened(ctx: Context, clip_id: str, **changes: Any) -> str:
    """The secret of a link that a clip has now."""
    given = {"visibility": "link", "keep": True} | changes
    clip = await library.change(ctx, ADA, clip_id, given, hidden_head=True)
    return str(clip.row["link_secret"])


async def row_of(ctx: Context, clip_id: str) -> ClipRow:
    row = await ctx.store.rows(ReplayClip).find_one({"_id": clip_id})
    assert row is not None
    return row


async def replaced(ctx: Context, made: Done) -> Done:
    """A trim that has a clip's place."""
    row = await asked(ctx, made)
    await work_on(ctx, row["_id"])
    found = await done(ctx, row["_id"])
    assert found.capture["status"] == "ready", found.capture["detail"]
    return found


async def linked(ctx: Context, secret: str) -> str:
    """The clip that a link leads to."""
    return str((await sharing.clip_by_link(ctx, secret, datetime.now(UTC))).row["_id"])


async def used_bytes(ctx: Context) -> int:
    held = await quota.read(ctx.store, ctx.settings, "ada")
    assert held.reserved_bytes == 0
    return held.used_bytes


async def mine(ctx: Context, *, deleted: bool = False) -> list[str]:
    page = await clip_pages.page(ctx, ADA, Wanted(deleted=deleted))
    return [clip.row["_id"] for clip in page.items]


async def test_a_trim_in_place_has_all_that_its_clip_had_and_what_was_cut_off_is_nobodys(
    ctx: Context, ended_share: MakeShare
) -> None:
    """Its link goes on, its clip rests; of what the trim hides before its start others get none."""
    await ended_share()
    made = await captured(ctx, ADA, last=10, title="That goal")
    old_id = made.capture["clip_id"]
    secret = await opened(ctx, old_id)
    await ctx.store.rows(ReplayClip).update_one({"_id": old_id}, {"$set": {"views": 7}})
    moment: Row = {"$set": {"moment_id": "moment"}}
    await ctx.store.rows(ReplayClip).update_one({"_id": old_id}, moment)
    found = await replaced(ctx, made)
    assert found.clip is not None
    assert found.file is not None
    new_id = found.clip["_id"]
    assert found.clip["hidden_head_seconds"] > 0
    assert await linked(ctx, secret) == new_id
    told = {"title": "That goal", "visibility": "link", "opened": True, "keep": True, "views": 7}
    told |= {"moment_id": "moment", "hidden_head_shared": False, "trimmed_from": old_id}
    assert told.items() <= {**found.clip}.items()
    assert found.clip["clean_until"] is not None  # the copy without it is promised
    old = await row_of(ctx, old_id)
    assert (old["visibility"], old["link_secret"], old["opened"]) == ("private", None, False)
    assert (await mine(ctx), await mine(ctx, deleted=True)) == ([new_id], [old_id])
    assert await used_bytes(ctx) == found.file["size_bytes"]
    audit = ctx.store.rows(AuditEntry).find({"subject": old_id}).sort("at", -1)
    entry = (await audit.to_list(None))[0]
    assert (entry["action"], entry["identity"]) == (AuditAction.CLIP_DELETED, "ada")
    await sound_library(ctx)


async def test_a_trim_in_place_is_taken_back_and_the_clip_is_as_it_was(
    ctx: Context, ended_share: MakeShare
) -> None:
    """Asked again it stays so; of a clip that is no trim of it, or gone, it is refused."""
    await ended_share()
    made = await captured(ctx, ADA, last=10)
    other = await captured(ctx, ADA, last=3)
    assert made.file is not None
    assert other.file is not None
    old_id, other_id = made.capture["clip_id"], other.capture["clip_id"]
    secret = await opened(ctx, old_id)
    found = await replaced(ctx, made)
    new_id = found.capture["clip_id"]
    with pytest.raises(Conflict, match="no trim of this one"):
        await library.restore(ctx, ADA, old_id, in_place_of=other_id)
    with pytest.raises(NotFound):
        await library.restore(ctx, BOB, old_id, in_place_of=new_id)
    await quota.set_limit(ctx.store, "ada", await used_bytes(ctx))
    with pytest.raises(QuotaExceeded, match="delete the trim first, then restore the clip"):
        await library.restore(ctx, ADA, old_id, in_place_of=new_id)
    assert (await linked(ctx, secret), await mine(ctx, deleted=True)) == (new_id, [old_id])
    await quota.set_limit(ctx.store, "ada", None)
    back = await library.restore(ctx, ADA, old_id, in_place_of=new_id)
    assert (back.row["visibility"], back.row["link_secret"]) == ("link", secret)
    assert await linked(ctx, secret) == old_id
    assert (sorted(await mine(ctx)), await mine(ctx, deleted=True)) == (
        sorted([old_id, other_id]),
        [new_id],
    )
    assert await used_bytes(ctx) == made.file["size_bytes"] + other.file["size_bytes"]
    # The trim rests: whoever asks again had no answer.
    again = await library.restore(ctx, ADA, old_id, in_place_of=new_id)
    assert again.row == back.row
    await library.restore(ctx, ADA, new_id)
    with pytest.raises(Conflict, match="a place of its own"):
        await library.restore(ctx, ADA, old_id, in_place_of=new_id)
    await library.delete(ctx, ADA, old_id, purge=True)
    with pytest.raises(Gone):
        await library.restore(ctx, ADA, old_id, in_place_of=new_id)
    await clip_expiry.sweep_clips(ctx)
    await sound_library(ctx)


async def two_clips(ctx: Context, **given: Any) -> None:
    """Rows of a clip of bob's screen, open to its room, and of a trim of it."""
    whose = {"owner": "root", "shared_by": "bob"}
    await add_clip(ctx, "old", visibility="room", audience="RM", **whose, **given)
    await add_clip(ctx, "new", trimmed_from="old", **whose)
    for name in ("old", "new"):
        await charge(ctx, "root", name)


async def test_what_its_sharer_has_closed_stays_closed_whichever_clip_has_the_place(
    ctx: Context,
) -> None:
    """And whom it shows has asked for the deletion of both."""
    asks = {"requested_by": "bob", "reason": "a password", "requested_at": datetime.now(UTC)}
    await two_clips(ctx, deletion_request=asks)
    assert await replacing.replace(ctx, "root", "old", "new")
    new = await row_of(ctx, "new")
    assert (new["visibility"], new["audience"], new["grant"]) == ("room", "RM", 1)
    assert new["deletion_request"] is not None
    await objections.close(ctx, BOB, "new")
    back = await library.restore(ctx, ADMIN, "old", in_place_of="new")
    assert (back.row["visibility"], back.row["closed_by"]) == ("private", "bob")
    assert back.row["deletion_request"] is not None
    with pytest.raises(Conflict, match="has closed the clip"):
        await library.change(ctx, ADMIN, "old", {"visibility": "room"})


async def test_a_clip_that_is_deleted_meanwhile_is_replaced_by_nothing(ctx: Context) -> None:
    """The trim is a clip as any other then, of its owner's alone."""
    await two_clips(ctx)
    await library.delete(ctx, ADMIN, "old")
    assert not await replacing.replace(ctx, "root", "old", "new")
    assert (await row_of(ctx, "new"))["visibility"] == "private"
    assert (await row_of(ctx, "old"))["visibility"] == "room"


async def given(ctx: Context, old_id: str, new_id: str) -> None:
    """Has one clip the place of another that is still there, as who is killed in between does."""
    old, new = await row_of(ctx, old_id), await row_of(ctx, new_id)
    assert await replacing._give(ctx, old, new)


async def resume(ctx: Context) -> bool:
    """The next worker goes on with the trim."""
    return await replacing.replace(ctx, "root", "old", "new", once=True)


async def test_a_restore_in_a_trims_place_that_was_killed_halfway_is_finished_by_the_same_request(
    ctx: Context,
) -> None:
    """Then the link is the clip's alone; without it, an open clip keeps the place of its own."""
    await two_clips(ctx, link_secret="secret")
    assert await replacing.replace(ctx, "root", "old", "new")
    await library.restore(ctx, ADMIN, "old")
    await given(ctx, "new", "old")
    both = [await row_of(ctx, name) for name in ("old", "new")]
    assert [row["link_secret"] for row in both] == ["secret", "secret"]
    for _ in range(2):  # the answer may be lost, too
        back = await library.restore(ctx, ADMIN, "old", in_place_of="new")
        assert (back.row["visibility"], back.row["link_secret"]) == ("room", "secret")
    new = await row_of(ctx, "new")
    assert (new["link_secret"], new["replaced_by"]) == (None, "old")
    assert new["deleted_at"] is not None
    await library.restore(ctx, ADMIN, "new")
    with pytest.raises(Conflict, match="a place of its own"):
        await library.restore(ctx, ADMIN, "old", in_place_of="new")


async def test_a_trim_that_its_owner_made_private_stays_so_whoever_goes_on(ctx: Context) -> None:
    """Its clip goes all the same: it was to."""
    await two_clips(ctx)
    await given(ctx, "old", "new")
    await library.change(ctx, ADMIN, "new", {"visibility": "private"})
    assert await resume(ctx)
    new, old = await row_of(ctx, "new"), await row_of(ctx, "old")
    assert (new["visibility"], old["visibility"]) == ("private", "private")
    assert old["deleted_at"] is not None


async def test_a_clip_that_was_made_private_halfway_is_so_in_its_trim(ctx: Context) -> None:
    """Nobody has changed the trim: it is what its clip is."""
    await two_clips(ctx)
    await given(ctx, "old", "new")
    await library.change(ctx, ADMIN, "old", {"visibility": "private"})
    assert await resume(ctx)
    assert (await row_of(ctx, "new"))["visibility"] == "private"


async def test_a_clip_that_its_owner_has_restored_is_not_replaced_again(ctx: Context) -> None:
    """A worker may go on long after the place was given; the trim keeps it."""
    await two_clips(ctx)
    assert await resume(ctx)
    assert await resume(ctx)
    await library.restore(ctx, ADMIN, "old")
    assert not await resume(ctx)
    old, new = await row_of(ctx, "old"), await row_of(ctx, "new")
    assert (old["deleted_at"], old["visibility"]) == (None, "private")
    assert new["visibility"] == "room"


@pytest.mark.parametrize("halfway", [False, True])
async def test_what_is_closed_in_a_trim_is_closed_in_the_clip_that_it_replaced(
    ctx: Context, *, halfway: bool
) -> None:
    """Also in what that had replaced, and in its trims: its owner opens none of these instead."""
    whose = {"owner": "root", "shared_by": "bob"}
    await two_clips(ctx, trimmed_from="oldest")
    await add_clip(ctx, "oldest", visibility="room", audience="RM", **whose)
    await charge(ctx, "root", "oldest")
    await add_clip(ctx, "other", trimmed_from="old", **whose)
    assert await replacing.replace(ctx, "root", "oldest", "old")
    if halfway:
        await given(ctx, "old", "new")
        await objections.close(ctx, BOB, "new")
    assert await resume(ctx)
    if not halfway:
        await objections.close(ctx, BOB, "new")
    for name in ("old", "oldest", "other"):
        assert (await library.restore(ctx, ADMIN, name)).row["closed_by"] == "bob"
        with pytest.raises(Conflict, match="has closed the clip"):
            await library.change(ctx, ADMIN, name, {"visibility": "room"})


async def test_what_its_sharer_purges_goes_with_the_clip_that_it_replaced(ctx: Context) -> None:
    await two_clips(ctx)
    assert await replacing.replace(ctx, "root", "old", "new")
    await communities.configure(ctx.store, "default", {"sharer_rights": "delete"})
    await library.delete(ctx, BOB, "new")
    with pytest.raises(Gone):
        await library.restore(ctx, ADMIN, "old")


async def test_a_second_trim_in_place_waits_for_the_first(
    ctx: Context, ended_share: MakeShare
) -> None:
    """A trim of its own does not; nor does the next one after a cancelled one."""
    await ended_share()
    made = await captured(ctx, ADA, last=10)
    first = await asked(ctx, made)
    with pytest.raises(Conflict, match="another trim is about to"):
        await asked(ctx, made)
    await trimming.accept(ctx, ADA, made.capture["clip_id"], TrimRequest(start=1))
    await endings.cancel(ctx, ADA, first["_id"])
    assert (await asked(ctx, made))["_id"] != first["_id"]


@pytest.mark.heavy
@pytest.mark.parametrize("every", [7, 1])
async def test_a_worker_killed_at_any_step_leaves_one_clip_with_the_link_and_its_charge(
    ctx: Context, ended_share: MakeShare, worker: Mortal, every: int
) -> None:
    """`every`: how many steps further each kill is."""
    await ended_share()
    made = await captured(ctx, ADA, last=7)
    assert made.file is not None
    old_id = made.capture["clip_id"]
    secret = await opened(ctx, old_id)
    for step in range(0, MOST_STEPS, every):
        row = await asked(ctx, made)
        killed = await worker.act("capture", row["_id"], die_at=step)
        assert await linked(ctx, secret) in (old_id, row["clip_id"]), step
        found = await go_on(ctx, row["_id"])
        assert found.capture["status"] == "ready", (step, found.capture["detail"])
        assert found.file is not None, step
        await clip_expiry.sweep_clips(ctx)  # frees what a kill between row and quota left
        new_id = row["clip_id"]
        assert await linked(ctx, secret) == new_id, step
        assert (await mine(ctx), await mine(ctx, deleted=True)) == ([new_id], [old_id]), step
        assert await used_bytes(ctx) == found.file["size_bytes"], step
        assert len(files(ctx)) == 2, step
        await library.restore(ctx, ADA, old_id, in_place_of=new_id)
        assert await linked(ctx, secret) == old_id, step
        await library.delete(ctx, ADA, new_id, purge=True)
        await clip_expiry.sweep_clips(ctx)
        assert await used_bytes(ctx) == made.file["size_bytes"], step
        if not killed:
            break
        await ctx.store.rows(Capture).delete_one({"_id": row["_id"]})
    assert not killed
    assert step > 15
    await sound_library(ctx)

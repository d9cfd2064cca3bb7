"""Parts of clips as clips of their own: the pictures that were asked for, and no others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from app.access import communities, deeds, quota
from app.buffer import markers
from app.captures import (
    capture_leases,
    endings,
    execution,
    production,
    share_erasure,
    trimming,
)
from app.captures.progress import Report
from app.captures.slots import FETCHED_OF_ONE, Slots
from app.captures.trim_request import TrimRequest
from app.clips import charging, clip_expiry, clip_invariants, library, objections
from app.context import Context
from app.errors import Conflict, Gone, Invalid, NotFound, NotPermitted, QuotaExceeded
from app.models import AuditAction, CaptureRow
from app.models.schema import Buffer, Capture, Deed, OutgoingEvent, Pin, ReplayClip
from app.settings import Settings
from app.storage.clip_folder import ClipFolder
from app.work.places import Stint
from app.worker import what_goes_on
from tests.integration.captures.checking import (
    Done,
    accepted,
    captured,
    done,
    files,
    go_on,
    leases_end,
    nothing_is_left,
    tools_of,
    work_on,
)
from tests.integration.captures.conftest import ADA, ADMIN, BOB, MakeShare
from tests.integration.captures.mortal import Mortal
from tests.integration.conftest import MakeSettings
from tests.media_factory import MediaFactory, Recording, Shape, number_in
from tests.packet_checker import read_clip
from tests.waiting import wait_for

MOST_STEPS = 80
FRAME_SECONDS = 1 / 15
NUMBERED = Shape(numbered=True, size=(320, 180), frames=300)


@pytest.fixture(scope="session")
def numbered(factory: MediaFactory) -> Recording:
    """20 s of pictures that carry their number."""
    return factory.record(NUMBERED)


def numbers(path: Path) -> list[int]:
    """What the pictures that a player shows are numbered with."""
    with av.open(str(path)) as container:
        return [
            number_in(frame.to_ndarray(format="gray").astype(np.uint8))
            for frame in container.decode(container.streams.video[0])
            if (frame.time or 0.0) > -FRAME_SECONDS / 2
        ]


async def asked(ctx: Context, made: Done, key: str | None = None, **part: Any) -> CaptureRow:
    request = TrimRequest.model_validate(part)
    return await trimming.accept(ctx, ADA, made.capture["clip_id"], request, key)


async def trimmed(ctx: Context, made: Done, **part: Any) -> Done:
    """A part of a clip, once it is made."""
    row = await asked(ctx, made, **part)
    await work_on(ctx, row["_id"])
    found = await done(ctx, row["_id"])
    assert found.capture["status"] == "ready", found.capture["detail"]
    return found


async def sound_library(ctx: Context) -> None:
    later = datetime.now(UTC) + 2 * clip_invariants.SETTLING
    assert [each.detail async for each in clip_invariants.violations(ctx, later)] == []


@pytest.mark.parametrize("cut", ["precise", "exact"])
@pytest.mark.parametrize(
    "of", [{"last": 9.3}, {"last": 9.3, "cut": "exact"}, {"last": 9.3, "cut": "segment"}],
    ids=["of precise", "of exact", "of segments"],
)  # fmt: skip
async def test_a_trim_shows_the_pictures_that_were_asked_for(
    ctx: Context, ended_share: MakeShare, numbered: Recording, of: dict[str, Any], cut: str
) -> None:
    """From the clip's own file, whichever way that was made; of an exact one nothing is hidden."""
    await ended_share("ada", (numbered, 0.0))
    made = await captured(ctx, ADA, title="That goal", **of)
    assert made.path is not None
    assert made.clip is not None
    whole = numbers(made.path)
    found = await trimmed(ctx, made, start=2.5, end="7.1s", cut=cut)
    assert found.path is not None
    assert found.clip is not None
    shown = numbers(found.path)
    first = int(np.ceil(2.5 * 15 - 0.02))
    assert shown == whole[first : first + len(shown)]
    assert len(shown) in ((66, 67, 68, 69) if cut == "precise" else (69,))
    hidden = [packet for packet in read_clip(found.path).video if packet.hidden]
    assert (len(hidden) == 0) == (found.clip["hidden_head_seconds"] == 0)
    assert cut == "precise" or not hidden
    start = made.clip["delivered_start"]
    assert start is not None
    assert found.clip["delivered_start"] is not None
    late = (found.clip["delivered_start"] - start).total_seconds()
    assert late == pytest.approx(first / 15, abs=0.002)
    # The last picture ends with the part.
    until = min(7.1, (first + len(shown)) / 15)
    assert found.clip["duration_seconds"] == pytest.approx(until - first / 15, abs=0.01)
    assert (found.clip["cut"], found.clip["title"]) == (cut, "That goal")
    assert found.clip["trimmed_from"] == made.clip["_id"]
    assert (found.clip["owner"], found.clip["visibility"]) == ("ada", "private")
    # The one that it was made of is as it was.
    assert numbers(made.path) == whole
    await sound_library(ctx)


async def test_a_part_of_a_clip_that_was_encoded_whole_is_encoded_again(
    ctx: Context, ended_share: MakeShare, numbered: Recording
) -> None:
    """No plan of ours describes such a file. It is exact whatever was asked, and says so."""
    await ended_share("ada", (numbered, 0.0))
    made = await captured(ctx, ADA, last=1.7, cut="exact")
    assert made.path is not None
    whole = numbers(made.path)
    found = await trimmed(ctx, made, start=0.4, end=1.0)
    assert found.path is not None
    assert found.clip is not None
    shown = numbers(found.path)
    assert shown == whole[6 : 6 + len(shown)]
    assert len(shown) in (8, 9, 10)
    assert (found.clip["cut"], found.clip["hidden_head_seconds"]) == ("exact", 0)
    await sound_library(ctx)


async def test_a_trim_of_a_trim_is_a_trim(
    ctx: Context, ended_share: MakeShare, numbered: Recording
) -> None:
    """With what was marked in that part, though the markers are gone."""
    (share,) = await ended_share("ada", (numbered, 0.0))
    for seconds, label in ((3, "before it"), (8.5, "soon"), (14, "That goal")):
        at = share.start + timedelta(seconds=seconds)
        await markers.make(ctx, share.buffer_id, at, label, "bob")
    made = await captured(ctx, ADA, last=12)
    await markers.delete_all(ctx.store, share.buffer_id)
    assert made.path is not None
    assert made.clip is not None
    assert [each["label"] for each in made.clip["chapters"]] == ["soon", "That goal"]
    whole = numbers(made.path)
    for cut in ("exact", "precise", "exact"):
        made = await trimmed(ctx, made, start=1.1, end=made_seconds(made) - 1.1, cut=cut)
        assert made.path is not None
        shown = numbers(made.path)
        place = whole.index(shown[0])
        assert shown == whole[place : place + len(shown)]
        assert place >= 16
        whole = shown
    assert made.clip is not None
    (chapter,) = made.clip["chapters"]
    assert chapter["label"] == "That goal"
    assert made.clip["delivered_start"] is not None
    left = (made.clip["delivered_start"] - share.start).total_seconds()
    assert chapter["seconds"] == pytest.approx(14 - left, abs=0.1)
    await sound_library(ctx)


def made_seconds(made: Done) -> float:
    assert made.clip is not None
    return made.clip["duration_seconds"]


@pytest.mark.parametrize("gaps", ["skip", "keep"])
async def test_its_times_are_those_of_the_clock_whatever_the_clip_leaves_out(
    ctx: Context, ended_share: MakeShare, numbered: Recording, factory: MediaFactory, gaps: str
) -> None:
    other = factory.record(Shape(numbered=True, size=(320, 180), frames=300, variant=5))
    await ended_share("ada", (numbered, 0.0), (other, 30.0))
    made = await captured(ctx, ADA, last=45, gaps=gaps)
    assert made.clip is not None
    [gap] = made.clip["gaps"]
    assert gap["kept"] == (gaps == "keep")
    before = (gap["start"] - made.clip["delivered_start"]).total_seconds()  # type: ignore[operator]
    behind = before + (10.0 if gaps == "keep" else 0.0)
    after = await trimmed(ctx, made, start=behind + 2, end=behind + 6)
    assert after.clip is not None
    assert after.path is not None
    assert after.clip["gaps"] == []
    assert after.clip["delivered_start"] == pytest.approx(
        gap["end"] + timedelta(seconds=2), abs=timedelta(seconds=0.1)
    )
    assert min(numbers(after.path)) >= 500, "of the later session"
    across = await trimmed(ctx, made, start=before - 3, end=behind + 3)
    assert across.clip is not None
    [cut] = across.clip["gaps"]
    assert (cut["start"], cut["end"], cut["why"]) == (gap["start"], gap["end"], "not-recorded")
    assert across.clip["delivered_end"] == pytest.approx(
        gap["end"] + timedelta(seconds=3), abs=timedelta(seconds=0.3)
    )
    assert across.clip["duration_seconds"] == pytest.approx(6 + behind - before, abs=0.3)


async def test_a_trim_is_charged_as_any_clip_and_refused_without_quota(
    ctx: Context, ended_share: MakeShare, numbered: Recording
) -> None:
    await ended_share("ada", (numbered, 0.0))
    made = await captured(ctx, ADA, last=10)
    assert made.file is not None
    found = await trimmed(ctx, made, start=2, end=8)
    assert found.file is not None
    assert found.capture["reserved_bytes"] == pytest.approx(found.file["size_bytes"], rel=0.5)
    both = made.file["size_bytes"] + found.file["size_bytes"]
    held = await quota.read(ctx.store, ctx.settings, "ada")
    assert (held.used_bytes, held.reserved_bytes) == (both, 0)
    await quota.set_limit(ctx.store, "ada", both + 1000)
    with pytest.raises(QuotaExceeded):
        await asked(ctx, made, start=2, end=8)
    assert await ctx.store.rows(Capture).count_documents({"status": "accepting"}) == 0
    assert (await quota.read(ctx.store, ctx.settings, "ada")).reserved_bytes == 0


async def test_a_trim_that_is_larger_than_was_reckoned_is_made_only_where_there_is_room(
    ctx: Context, ended_share: MakeShare
) -> None:
    """The lively parts of a clip that is still for the most part are; its owner may trim many."""
    await ended_share()
    made = await captured(ctx, ADA, last=10)
    assert made.file is not None
    used_bytes = made.file["size_bytes"]
    row = await asked(ctx, made, start=1, end=9)
    await quota.give_back(ctx.store, "ada", row["clip_id"])
    await quota.reserve(ctx.store, ctx.settings, "ada", row["clip_id"], 1000)
    await quota.set_limit(ctx.store, "ada", used_bytes + 1500)
    await work_on(ctx, row["_id"])
    found = await done(ctx, row["_id"])
    assert (found.capture["status"], found.capture["reason"]) == ("failed", "quota-exceeded")
    held = await quota.read(ctx.store, ctx.settings, "ada")
    assert (held.used_bytes, held.reserved_bytes) == (used_bytes, 0)
    await quota.set_limit(ctx.store, "ada", None)
    assert (await trimmed(ctx, made, start=1, end=9)).file is not None
    await sound_library(ctx)


async def test_the_same_key_is_the_same_trim(ctx: Context, ended_share: MakeShare) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=10)
    first = await asked(ctx, made, "once", start=1, end=4)
    assert (await asked(ctx, made, "once", start=1, end=4))["_id"] == first["_id"]
    with pytest.raises(Conflict):
        await asked(ctx, made, "once", start=1, end=5)


async def test_only_its_owner_trims_a_clip_and_only_what_it_has(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=10)
    clip_id = made.capture["clip_id"]
    with pytest.raises(NotFound):
        await trimming.accept(ctx, BOB, clip_id, TrimRequest())
    with pytest.raises(NotPermitted):
        await trimming.accept(ctx, ADMIN, clip_id, TrimRequest())
    for start, end in ((10.0, None), (4, 4), (5, 3), (9.99, 20)):
        with pytest.raises(Invalid):
            await asked(ctx, made, start=start, end=end)
    whole = await trimmed(ctx, made, end=60)
    assert made_seconds(whole) == pytest.approx(made_seconds(made), abs=0.001)
    await library.delete(ctx, ADA, clip_id)
    with pytest.raises(NotFound):
        await trimming.accept(ctx, ADA, clip_id, TrimRequest())


async def test_whom_a_trim_shows_hears_of_it(ctx: Context, ended_share: MakeShare) -> None:
    await ended_share("ada")
    made = await captured(ctx, ADMIN, last=10, sharer="ada")
    request = TrimRequest(start=1, end=4)
    row = await trimming.accept(ctx, ADMIN, made.capture["clip_id"], request)
    await work_on(ctx, row["_id"])
    told = await ctx.store.rows(OutgoingEvent).find({"event": "screen_captured"}).to_list(None)
    assert {event["data"]["clip_id"] for event in told} == {made.capture["clip_id"], row["clip_id"]}
    assert {event["identity"] for event in told} == {"ada"}


async def test_what_is_a_part_of_a_closed_clip_is_closed(
    ctx: Context, ended_share: MakeShare
) -> None:
    """Else its owner would open all but its first picture."""
    await ended_share("ada")
    made = await captured(ctx, ADMIN, last=10, sharer="ada")
    clip_id = made.capture["clip_id"]
    await library.change(ctx, ADMIN, clip_id, {"visibility": "room"})
    await objections.close(ctx, ADA, clip_id)
    row = await trimming.accept(ctx, ADMIN, clip_id, TrimRequest(start=0.1))
    await work_on(ctx, row["_id"])
    found = await library.find(ctx, ADA, row["clip_id"])
    assert (found.row["closed_by"], found.row["visibility"]) == ("ada", "private")
    with pytest.raises(Conflict):
        await library.change(ctx, ADMIN, row["clip_id"], {"visibility": "room"})


async def test_a_clip_that_is_closed_while_its_part_gets_a_row_has_its_part_closed(
    ctx: Context, ended_share: MakeShare, worker: Mortal
) -> None:
    """Who closes it has looked for its parts before that row was there; the worker, before that."""
    await ended_share("ada")
    made = await captured(ctx, ADMIN, last=10, sharer="ada")
    clips = ctx.store.rows(ReplayClip)
    for step in range(10, MOST_STEPS):
        row = await trimming.accept(ctx, ADMIN, made.capture["clip_id"], TrimRequest(start=0.1))
        assert await worker.act("capture", row["_id"], die_at=step), "it was never between the two"
        if await clips.find_one({"_id": row["clip_id"]}):
            break
        await go_on(ctx, row["_id"])
    whole = {"_id": made.capture["clip_id"]}
    await clips.update_one(whole, {"$set": {"closed_by": "ada", "opened": True}})
    assert (await go_on(ctx, row["_id"])).capture["status"] == "ready"
    found = await library.find(ctx, ADA, row["clip_id"])
    assert (found.row["closed_by"], found.row["visibility"]) == ("ada", "private")


async def test_what_was_trimmed_from_a_clip_before_it_was_closed_is_closed_with_it(
    ctx: Context, ended_share: MakeShare
) -> None:
    """Whatever became of it: trimmed again, though what lay between is gone, opened, or deleted."""
    await ended_share("ada")
    made = await captured(ctx, ADMIN, last=10, sharer="ada")
    clip_id, trims = made.capture["clip_id"], list[str]()
    for of in (clip_id, clip_id, "the last one", "the last one"):
        whole = trims[-1] if of == "the last one" else of
        row = await trimming.accept(ctx, ADMIN, whole, TrimRequest())
        await work_on(ctx, row["_id"])
        trims.append(row["clip_id"])
    between = trims.pop(2)
    await library.delete(ctx, ADMIN, between, purge=True)
    await clip_expiry.sweep_clips(ctx)
    assert await ctx.store.rows(ReplayClip).find_one({"_id": between}) is None
    for each in (clip_id, trims[2]):
        await library.change(ctx, ADMIN, each, {"visibility": "room"})
    await library.delete(ctx, ADMIN, trims[0])
    await objections.close(ctx, ADA, clip_id)
    await library.restore(ctx, ADMIN, trims[0])
    for each in trims:
        found = await library.find(ctx, ADA, each)
        assert (found.row["closed_by"], found.row["visibility"]) == ("ada", "private")
        with pytest.raises(Conflict):
            await library.change(ctx, ADMIN, each, {"visibility": "room"})


async def test_a_deleted_share_leaves_what_is_trimmed_from_clips_of_it(
    ctx: Context, ended_share: MakeShare
) -> None:
    [share] = await ended_share()
    made = await captured(ctx, ADA, last=10)
    row = await asked(ctx, made, start=1, end=4)
    buffer = await ctx.store.rows(Buffer).find_one({"_id": share.buffer_id})
    assert buffer is not None
    await share_erasure.erase_share(ctx, ADA, buffer)
    await share_erasure.go_on(ctx, share.buffer_id)
    await work_on(ctx, row["_id"])
    assert (await done(ctx, row["_id"])).capture["status"] == "ready"


@pytest.mark.parametrize("purge", [True, False])
async def test_a_clip_that_is_deleted_meanwhile_is_trimmed_only_while_it_can_come_back(
    ctx: Context, ended_share: MakeShare, purge: bool
) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=10)
    row = await asked(ctx, made, start=1, end=4)
    await library.delete(ctx, ADA, made.capture["clip_id"], purge=purge)
    await work_on(ctx, row["_id"])
    found = await done(ctx, row["_id"])
    if not purge:
        assert found.capture["status"] == "ready"
        return
    assert (found.capture["status"], found.capture["reason"]) == ("failed", "media-deleted")
    await clip_expiry.sweep_clips(ctx)
    await nothing_is_left(ctx)


@pytest.mark.parametrize("by_sharer", [True, False])
async def test_what_was_trimmed_from_a_clip_goes_with_it_when_others_delete_it(
    ctx: Context, ended_share: MakeShare, by_sharer: bool
) -> None:
    """Trimmed again, though what lay between is gone, deleted for now, opened by nobody."""
    await ended_share("ada")
    await communities.configure(ctx.store, "default", {"sharer_rights": "delete"})
    made = await captured(ctx, ADMIN, last=10, sharer="ada")
    clip_id, trims = made.capture["clip_id"], list[str]()
    for of in (clip_id, "the last one", "the last one", clip_id):
        whole = trims[-1] if of == "the last one" else of
        row = await trimming.accept(ctx, ADMIN, whole, TrimRequest())
        await work_on(ctx, row["_id"])
        trims.append(row["clip_id"])
    await library.change(ctx, ADMIN, clip_id, {"visibility": "room"})
    await library.delete(ctx, ADMIN, trims[1], purge=True)
    await clip_expiry.sweep_clips(ctx)
    await library.delete(ctx, ADMIN, trims[3])
    if not by_sharer:
        await library.delete(ctx, ADMIN, clip_id, purge=True)
        await clip_expiry.sweep_clips(ctx)
        assert (await library.restore(ctx, ADMIN, trims[3])).row["_id"] == trims[3]
        assert len(files(ctx)) == 3
        return
    await library.delete(ctx, ADA, clip_id)
    with pytest.raises(Gone):
        await library.restore(ctx, ADMIN, trims[3])
    await clip_expiry.sweep_clips(ctx)
    await nothing_is_left(ctx, "root")
    told = await ctx.store.rows(OutgoingEvent).distinct(
        "data.clip_id", {"event": "clip_withdrawn", "identity": "root"}
    )
    assert set(told) == {clip_id, trims[0], trims[2]}


async def test_trims_go_with_their_clip_though_whoever_deletes_it_is_killed(
    ctx: Context, ended_share: MakeShare
) -> None:
    """The deed stands until all of them are deleted: a worker goes on with it."""
    await ended_share()
    made = await captured(ctx, ADA, last=10)
    assert made.clip is not None
    await trimmed(ctx, made, start=1, end=4)
    action, clip_id = AuditAction.CLIP_DELETED, made.clip["_id"]
    await deeds.mean(ctx.store, "root", action, clip_id, room="room", owner="ada", purge=True)
    past = {"$set": {"due_at": datetime.now(UTC)}}
    await ctx.store.rows(Deed).update_one({}, past)
    assert await charging.hide(ctx, made.clip, datetime.now(UTC) - ctx.settings.trash)
    await clip_expiry.sweep_clips(ctx)
    await deeds.go_on(ctx.store, what_goes_on(ctx))
    await clip_expiry.sweep_clips(ctx)
    await nothing_is_left(ctx)


class DeletedMeanwhile(ClipFolder):
    """A place for clips where a clip is deleted just after another has got its name."""

    def __init__(self, root: Path, delete: Callable[[], Awaitable[object]]) -> None:
        super().__init__(root)
        self._delete = delete

    async def publish(self, storage_path: str, part: Path) -> None:
        await super().publish(storage_path, part)
        await self._delete()


@pytest.mark.parametrize("when", ["it waits for its name", "it has its name"])
async def test_nothing_is_made_of_a_clip_that_is_deleted_before_its_trim_is_ready(
    ctx: Context, ended_share: MakeShare, when: str
) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=10)
    row = await asked(ctx, made, start=1, end=4)
    delete = partial(library.delete, ctx, ADMIN, made.capture["clip_id"], purge=True)
    if when == "it has its name":
        place = DeletedMeanwhile(ctx.settings.media_root, delete)
        await work_on(replace(ctx, clips=place), row["_id"])
    else:
        taken = await capture_leases.take(ctx.store, row["_id"])
        assert taken is not None
        await production.make(ctx, tools_of(ctx), taken[0], Report(taken[1]))
        await delete()
        await go_on(ctx, row["_id"])
    found = await done(ctx, row["_id"])
    assert (found.capture["status"], found.capture["reason"]) == ("failed", "media-deleted")
    await clip_expiry.sweep_clips(ctx)
    await nothing_is_left(ctx)


async def test_a_trim_is_cancelled_as_any_capture(ctx: Context, ended_share: MakeShare) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=10)
    assert made.file is not None
    row = await asked(ctx, made, start=1, end=4)
    assert (await endings.cancel(ctx, ADA, row["_id"]))["status"] == "cancelled"
    await leases_end(ctx)
    await work_on(ctx, row["_id"])
    assert len(files(ctx)) == 1
    held = await quota.read(ctx.store, ctx.settings, "ada")
    assert (held.used_bytes, held.reserved_bytes) == (made.file["size_bytes"], 0)


async def forget(ctx: Context, clip_id: str) -> None:
    """What a DELETE for good, and a sweep, do."""
    await library.delete(ctx, ADA, clip_id, purge=True)
    await clip_expiry.sweep_clips(ctx)


@pytest.mark.parametrize(
    ("cut", "every"),
    [("precise", 4)]
    + [pytest.param(cut, 1, marks=pytest.mark.heavy) for cut in ("precise", "exact")],
)
async def test_a_worker_killed_at_any_step_leaves_one_trim_in_the_end(
    ctx: Context, ended_share: MakeShare, worker: Mortal, cut: str, every: int
) -> None:
    """`every`: how many steps further each kill is."""
    await ended_share()
    made = await captured(ctx, ADA, last=7)
    assert made.file is not None
    for step in range(0, MOST_STEPS, every):
        row = await asked(ctx, made, start=1.3, end=5.2, cut=cut)
        killed = await worker.act("capture", row["_id"], die_at=step)
        found = await go_on(ctx, row["_id"])
        assert found.capture["status"] == "ready", (step, found.capture["detail"])
        assert found.file is not None, step
        assert found.file["checksum"] is not None, step
        assert len(files(ctx)) == 2, (step, files(ctx))
        held = await quota.read(ctx.store, ctx.settings, "ada")
        both = made.file["size_bytes"] + found.file["size_bytes"]
        assert (held.used_bytes, held.reserved_bytes) == (both, 0), step
        assert await ctx.store.rows(Pin).count_documents({}) == 0, step
        if not killed:
            break
        await forget(ctx, found.capture["clip_id"])
    assert not killed
    assert step > 15
    await sound_library(ctx)


async def test_an_acceptance_of_a_trim_killed_at_any_step_becomes_a_clip_or_nothing(
    ctx: Context, ended_share: MakeShare, worker: Mortal
) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=7)
    assert made.file is not None
    part = {"start": 1.3, "end": 5.2}
    of = made.capture["clip_id"]
    for step in range(MOST_STEPS):
        killed = await worker.act("trim", "ada", of, part, f"key-{step}", die_at=step)
        await leases_end(ctx)
        await execution.requeue_expired(ctx)
        trims = {"trim": {"$ne": None}}
        for row in await ctx.store.rows(Capture).find(trims).to_list(None):
            await work_on(ctx, row["_id"])
        parts = await ctx.store.rows(ReplayClip).find({"trimmed_from": of}).to_list(None)
        assert len(parts) <= 1, step
        for each in parts:
            await forget(ctx, each["_id"])
        await ctx.store.rows(Capture).delete_many(trims | {"status": "ready"})
        assert await ctx.store.rows(Capture).count_documents(trims) == 0, step
        held = await quota.read(ctx.store, ctx.settings, "ada")
        assert (held.used_bytes, held.reserved_bytes) == (made.file["size_bytes"], 0), step
        if not killed:
            break
    assert not killed
    assert parts
    assert step > 8


class TestInBucket:
    """Where clips are in an object store, their files are fetched first."""

    @pytest.fixture
    def settings(self, make_settings: MakeSettings, in_bucket: dict[str, str]) -> Settings:
        return make_settings(**in_bucket)

    @pytest.mark.parametrize("cut", ["precise", pytest.param("exact", marks=pytest.mark.heavy)])
    async def test_a_clip_in_a_bucket_is_trimmed_and_nothing_stays_on_the_disk(
        self, ctx: Context, ended_share: MakeShare, worker: Mortal, cut: str
    ) -> None:
        """Whenever the worker is killed: at every fifth step here, at each one above."""
        await ended_share()
        made = await captured(ctx, ADA, last=7)
        assert files(ctx) == []
        for step in range(0, MOST_STEPS, 5):
            row = await asked(ctx, made, start=1.3, end=5.2, cut=cut)
            killed = await worker.act("capture", row["_id"], die_at=step)
            found = await go_on(ctx, row["_id"])
            assert found.capture["status"] == "ready", (step, found.capture["detail"])
            assert made_seconds(found) == pytest.approx(3.9, abs=0.3)
            assert files(ctx) == [], step
            if not killed:
                break
            await forget(ctx, found.capture["clip_id"])
        assert not killed
        await sound_library(ctx)

    async def test_only_so_many_clips_of_one_user_lie_on_the_disk_while_their_trims_wait(
        self, ctx: Context, ended_share: MakeShare
    ) -> None:
        """Each exact one waits with its clip at hand, which it was planned of."""
        await ended_share()
        made = await captured(ctx, ADA, last=7)
        starts = [1 + number / 10 for number in range(FETCHED_OF_ONE + 1)]
        rows = [await asked(ctx, made, start=start, end=5, cut="exact") for start in starts]
        slots = Slots.of(ctx.settings)
        go_on = asyncio.Event()

        async def hold(_: Stint) -> None:
            await go_on.wait()

        def fetched() -> int:
            return sum("source" in name for name in files(ctx))

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(slots.short.piece("bob", "bob's").run(hold))
            for row in rows:
                tasks.create_task(work_on(ctx, row["_id"], slots))
            await wait_for(lambda: fetched() == FETCHED_OF_ONE, what="as many clips as may be")
            waiting = slots.fetches_of("ada").waiting("ada")
            go_on.set()
        assert waiting == 1
        assert [(await done(ctx, row["_id"])).capture["status"] for row in rows] == ["ready"] * 3
        assert files(ctx) == []


async def test_a_trim_counts_among_the_captures_that_are_not_finished(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=10)
    row = await accepted(ctx, ADA, last=3)
    part = await asked(ctx, made, start=1, end=4)
    unfinished = {"status": "queued", "caller": "ada"}
    rows = await ctx.store.rows(Capture).find(unfinished).to_list(None)
    assert {each["_id"] for each in rows} == {row["_id"], part["_id"]}

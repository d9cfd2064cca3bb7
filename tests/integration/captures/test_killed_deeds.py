"""Whoever deletes, changes, gives, sets or stops something is killed at each step in turn.

What they did stands in the audit then, once, and has all that follows of it; or it was not done.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.access import assigned_rooms, communities, deeds, quota
from app.access.tokens import Caller
from app.clips import charging, clip_expiry, clip_visibility, library
from app.context import Context
from app.models import AuditAction
from app.models.schema import (
    AuditEntry,
    Buffer,
    Deed,
    File,
    NotedRules,
    OutgoingEvent,
    ReplayClip,
    Rights,
)
from app.store import dated
from app.worker import what_goes_on
from tests.integration.captures.mortal import Mortal
from tests.integration.clips.rows import add_clip, charge

MOST_STEPS = 60


async def add_share(ctx: Context, name: str, community: str = "default") -> None:
    fields: dict[str, Any] = {"room": "room", "room_sid": "RM", "participant_sid": "PA"}
    fields |= {"video_sid": f"TR_{name}", "since": datetime.now(UTC) - timedelta(seconds=60)}
    assert await ctx.store.create(
        Buffer(id=name, identity=f"ada{name}", community=community, **fields)
    )


async def goes_on(ctx: Context) -> None:
    """What a worker does a minute later."""
    over = {"$set": {"due_at": datetime.now(UTC) - timedelta(seconds=1)}}
    await ctx.store.rows(Deed).update_many({}, over)
    await deeds.go_on(ctx.store, what_goes_on(ctx))
    assert await ctx.store.rows(Deed).count_documents({}) == 0


class Killing:
    """Whoever acts is killed at each step in turn; then a worker goes on."""

    def __init__(self, ctx: Context, worker: Mortal, action: str) -> None:
        self._ctx, self._worker, self._action = ctx, worker, action
        self._step = 0
        self._killed = True

    async def steps(self) -> AsyncIterator[str]:
        """A name for each."""
        for self._step in range(MOST_STEPS):
            yield str(self._step)
            if not self._killed:
                break
        assert not self._killed
        assert self._step > 4

    async def act(self, *args: Any) -> None:
        self._killed = await self._worker.act(self._action, *args, die_at=self._step)
        await goes_on(self._ctx)


async def told_of(ctx: Context, subject: str, identity: str) -> tuple[int, int]:
    """How many entries of the audit there are of something, and how many events of somebody."""
    entries = await ctx.store.rows(AuditEntry).count_documents({"subject": subject})
    return entries, await ctx.store.rows(OutgoingEvent).count_documents({"identity": identity})


async def ended(ctx: Context, identity: str, what: str) -> bool:
    row = await ctx.store.rows(Rights).find_one({"_id": identity})
    return row is not None and bool({**row}[what])


@pytest.mark.parametrize("last", [None, 30.0])
async def test_a_deletion_stands_in_the_audit_and_is_told(
    ctx: Context, worker: Mortal, last: float | None
) -> None:
    """By the sharer; where all goes, the URLs of their shares end."""
    killing = Killing(ctx, worker, "erase")
    async for name in killing.steps():
        await add_share(ctx, name)
        await killing.act(f"ada{name}", name, last)
        row = await ctx.store.rows(Buffer).find_one({"_id": name})
        assert row is not None
        promised = row["forget_before"] is not None or row["forget_ranges"] != []
        assert await told_of(ctx, name, f"ada{name}") == (promised, promised), name
        assert await ended(ctx, f"ada{name}", "sharing") is (promised and last is None), name
        if row["forget_ranges"]:
            assert [each["captures_ended"] for each in row["forget_ranges"]] == [True]


async def test_a_change_of_a_role_ends_what_it_gave_and_is_told(
    ctx: Context, worker: Mortal
) -> None:
    """Here by its being taken away; it is given in the same steps."""
    killing = Killing(ctx, worker, "take away")
    async for name in killing.steps():
        await communities.set_member(ctx.store, "gold", name, "moderator", [])
        await killing.act("boss", "gold", name)
        done = await communities.member(ctx.store, "gold", name) is None
        assert await told_of(ctx, name, name) == (done, done), name
        assert await ended(ctx, name, "watching") is done, name


async def test_a_change_of_rules_ends_what_they_gave(ctx: Context, worker: Mortal) -> None:
    change = {"capture_policy": "room", "max_concurrent": 3}
    killing = Killing(ctx, worker, "configure")
    async for name in killing.steps():
        await add_share(ctx, name, community=f"of{name}")
        await killing.act("boss", f"of{name}", change)
        rules = await communities.rules(ctx.store, ctx.settings, f"of{name}")
        done = rules.capture_policy == "room"
        assert (await told_of(ctx, f"of{name}", ""))[0] == done, name
        assert await ended(ctx, f"ada{name}", "sharing") is done, name
        noted = await ctx.store.rows(NotedRules).find_one({"_id": f"community/of{name}"})
        assert noted is None or noted["capture_policy"] == rules.capture_policy


async def test_the_sharers_stop_stands_in_the_audit_and_ends_urls(
    ctx: Context, worker: Mortal
) -> None:
    killing = Killing(ctx, worker, "stop")
    async for name in killing.steps():
        await add_share(ctx, name)
        await killing.act(f"ada{name}", name)
        row = await ctx.store.rows(Buffer).find_one({"_id": name})
        assert row is not None
        done = "sharer" in row["stops"]
        assert (await told_of(ctx, name, ""))[0] == done, name
        assert await ended(ctx, f"ada{name}", "sharing") is done, name


async def test_a_stop_that_is_taken_back_stands_in_the_audit(ctx: Context, worker: Mortal) -> None:
    killing = Killing(ctx, worker, "resume")
    async for name in killing.steps():
        await add_share(ctx, name)
        stopped = {"$set": {"stops.sharer": ""}}
        await ctx.store.rows(Buffer).update_one({"_id": name}, stopped)
        await killing.act(f"ada{name}", name)
        row = await ctx.store.rows(Buffer).find_one({"_id": name})
        assert row is not None
        assert (await told_of(ctx, name, ""))[0] == ("sharer" not in row["stops"]), name


async def test_what_admins_of_the_instance_set_stands_in_the_audit(
    ctx: Context, worker: Mortal
) -> None:
    """A quota, and whose the rooms of a name are."""
    killing = Killing(ctx, worker, "set quota")
    async for name in killing.steps():
        await killing.act("boss", name, 1000)
        done = (await quota.read(ctx.store, ctx.settings, name)).quota_bytes == 1000
        assert (await told_of(ctx, name, ""))[0] == done, name
    for action in ("assign", "release"):
        killing = Killing(ctx, worker, action)
        async for name in killing.steps():
            community = f"{action}{name}"
            if action == "release":
                await assigned_rooms.assign(ctx.store, f"room{name}", community)
            await killing.act("boss", f"room{name}", community)
            held = await assigned_rooms.community_of(ctx.store, f"room{name}") == community
            done = held is (action == "assign")
            assert (await told_of(ctx, community, ""))[0] == done, community


async def test_who_goes_on_with_the_closing_of_a_clip_closes_its_trims(ctx: Context) -> None:
    clips, who = ctx.store.rows(ReplayClip), "ben"
    for name, *of in (("whole",), ("part", "whole"), ("part of it", "part", "whole")):
        await add_clip(ctx, name, shared_by=who, visibility="link", ancestors=of)
    row = await clips.find_one({"_id": "whole"})
    assert row is not None
    action = AuditAction.CLIP_CHANGED
    await deeds.mean(ctx.store, who, action, "whole", room="room", owner="ann", closed=True)
    assert await ctx.store.take(ReplayClip, row, clip_visibility.closed(row, who))
    await goes_on(ctx)
    assert await clips.count_documents({"closed_by": who, "visibility": "private"}) == 3
    for name in ("whole", "part", "part of it"):
        assert (await told_of(ctx, name, ""))[0] == 1, name


async def test_who_goes_on_with_a_purge_finds_what_was_trimmed_though_a_sweep_was_there_first(
    ctx: Context,
) -> None:
    """Of a clip whose place it had, which is gone."""
    for name, *of in (("new", "gone"), ("other", "gone")):
        place = {"clip_id": "gone", "first": "gone", "grant": 0, "turn": 0, "own_grant": 1}
        given = {"in_place_of": place if name == "new" else None, "ancestors": of}
        await add_clip(ctx, name, shared_by="ben", visibility="link", **given)
        await charge(ctx, "ann", name)
    clips, action = ctx.store.rows(ReplayClip), AuditAction.CLIP_DELETED
    row = await clips.find_one({"_id": "new"})
    assert row is not None
    await deeds.mean(ctx.store, "ben", action, "new", room="room", owner="ann", purge=True)
    assert await charging.hide(ctx, row, datetime.now(UTC) - ctx.settings.trash)
    await clip_expiry.sweep_clips(ctx)
    assert [row["_id"] async for row in ctx.store.rows(File).find({})] == ["file-other"]
    await goes_on(ctx)
    await clip_expiry.sweep_clips(ctx)
    assert await clips.count_documents({}) == 0


@pytest.mark.heavy
async def test_a_clip_is_closed_with_all_its_trims_though_whoever_closes_it_is_killed(
    ctx: Context, worker: Mortal
) -> None:
    """Each stands in the audit once, and its owner hears of it; or it is as it was."""
    killing, clips = Killing(ctx, worker, "close"), ctx.store.rows(ReplayClip)
    async for name in killing.steps():
        await add_clip(ctx, name, owner=f"ann{name}", shared_by="ben", visibility="link")
        for part, *of in ((f"{name}a", name), (f"{name}b", f"{name}a", name)):
            await add_clip(ctx, part, owner=f"ann{name}", shared_by="ben", ancestors=of)
        await killing.act("ben", name)
        rows = await clips.find({"owner": f"ann{name}"}).to_list(None)
        done = rows[0]["closed_by"] is not None
        assert [row["closed_by"] for row in rows] == ["ben" if done else None] * 3, name
        entries = [(await told_of(ctx, row["_id"], ""))[0] for row in rows]
        assert entries == [done] * 3, name
        told = {"identity": f"ann{name}", "data.clip_id": name}
        assert await ctx.store.rows(OutgoingEvent).count_documents(told) == done, name


@pytest.mark.heavy
async def test_trims_that_others_purge_with_their_clip_stand_in_the_audit_once(
    ctx: Context, worker: Mortal
) -> None:
    killing, clips = Killing(ctx, worker, "purge"), ctx.store.rows(ReplayClip)
    await communities.configure(ctx.store, "default", {"sharer_rights": "delete"})
    async for name in killing.steps():
        for clip_id, whole in ((name, None), (f"{name}a", name)):
            given = {"visibility": "link", "trimmed_from": whole}
            await add_clip(ctx, clip_id, owner=f"ann{name}", shared_by="ben", **given)
            await charge(ctx, f"ann{name}", clip_id)
        await killing.act("ben", name)
        rows = await clips.find({"owner": f"ann{name}"}).to_list(None)
        gone = [row["deleted_at"] is not None for row in rows]
        assert gone in ([False] * 2, [True] * 2), name
        assert [(await told_of(ctx, row["_id"], ""))[0] for row in rows] == gone, name


CLOSED: dict[str, Any] = {"visibility": "private", "closed_by": "ben", "opened": True}
REQUEST = {"deletion_request.requested_by": "ben", "deletion_request.reason": "please"}


@pytest.mark.parametrize(
    ("action", "who", "more", "given", "made"),
    [
        ("change", "ann", [{"title": "goal"}], {}, {"title": "goal"}),
        ("open", "ann", [], {}, {"visibility": "link"}),
        ("delete", "ann", [], {}, {"deleted_at": dated()}),
        ("purge", "ann", [], {}, {"turn": {"$gte": 3}}),
        ("restore", "ann", [], {}, {"deleted_at": None}),
        ("close", "ben", [], {"visibility": "link"}, {"closed_by": "ben"}),
        ("reopen", "ben", [], CLOSED, {"closed_by": None}),
        ("ask to delete", "ben", [], {"visibility": "link"}, REQUEST),
    ],
)
async def test_what_was_done_with_a_clip_stands_in_the_audit(
    ctx: Context,
    worker: Mortal,
    action: str,
    who: str,
    more: list[Any],
    given: dict[str, Any],
    made: dict[str, Any],
) -> None:
    """By its owner, or by whom it shows."""
    killing = Killing(ctx, worker, action)
    async for name in killing.steps():
        await add_clip(ctx, name, shared_by="ben", **given)
        await charge(ctx, "ann", name)
        if action in ("purge", "restore"):
            await library.delete(ctx, Caller("ann"), name)
        already, _ = await told_of(ctx, name, "")
        await killing.act(who, name, *more)
        done = await ctx.store.rows(ReplayClip).find_one({"_id": name} | made) is not None
        assert (await told_of(ctx, name, ""))[0] == already + done, name

"""Stopping and resuming over HTTP, and lists narrowed to states."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.access import communities
from app.context import Context
from app.models import Why
from app.models.schema import AuditEntry, Buffer
from app.recording import share_stop
from tests.admitting import admission_of
from tests.integration.api.conftest import INSTANCE_ADMIN, OWNER, ROOM_ADMIN, STRANGER, MakeShare
from tests.integration.queued import queued


async def refusal(ctx: Context, buffer_id: str) -> tuple[Why | None, str]:
    """What the recorder makes of the share now, and the words that go with it."""
    row = await ctx.store.rows(Buffer).find_one({"_id": buffer_id})
    assert row is not None
    why = await (await admission_of(ctx, row)).refusal(row, running=True, resting=False)
    return why, share_stop.detail(row, why)


async def test_a_stop_refuses_the_share_until_who_stopped_it_takes_it_back(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """The sharer's word and the admins' stand beside each other; repeated they change nothing."""
    made = await share()
    path = f"/buffers/{made.buffer_id}"

    async def do(what: str, headers: dict[str, str], status: int, **body: str) -> dict[str, Any]:
        found = await http.post(f"{path}/{what}", json=body, headers=headers)
        assert found.status_code == status, found.text
        return dict(found.json())

    assert (await do("resume", OWNER, 202))["state"] == "recording"
    assert (await http.post(f"{path}/resume", headers=OWNER)).status_code == 202
    told = await do("stop", ROOM_ADMIN, 202, reason="not\nfor this channel")
    assert told["id"] == made.buffer_id
    await do("stop", INSTANCE_ADMIN, 202, reason="another")
    by_admin = (Why.STOPPED_BY_ADMIN, "not for this channel")
    assert await refusal(ctx, made.buffer_id) == by_admin
    assert await queued(ctx) == 1
    assert "only an admin" in (await do("resume", OWNER, 403))["detail"]
    await do("stop", OWNER, 202)
    assert await refusal(ctx, made.buffer_id) == (Why.STOPPED_BY_SHARER, "")
    await do("resume", OWNER, 202)
    assert await refusal(ctx, made.buffer_id) == by_admin
    await do("resume", INSTANCE_ADMIN, 202)
    assert await refusal(ctx, made.buffer_id) == (None, "")
    await do("stop", OWNER, 202)
    assert "the sharer stopped" in (await do("resume", ROOM_ADMIN, 403))["detail"]
    entries = await ctx.store.rows(AuditEntry).find({}).sort("at", 1).to_list(None)
    assert [(entry["identity"], entry["action"]) for entry in entries] == [
        ("mod", "recording_stopped"),
        ("ann", "recording_stopped"),
        ("ann", "recording_resumed"),
        ("ops", "recording_resumed"),
        ("ann", "recording_stopped"),
    ]
    assert entries[0]["data"]["reason"] == "not for this channel"


async def test_a_share_that_is_over_is_neither_stopped_nor_resumed(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """Once no other track of it can go on in its buffer any more."""
    made = await share()
    over = {"$set": {"ended_at": datetime.now(UTC) - ctx.settings.retention - timedelta(seconds=1)}}
    await ctx.store.rows(Buffer).update_one({"_id": made.buffer_id}, over)
    for what in ("stop", "resume"):
        found = await http.post(f"/buffers/{made.buffer_id}/{what}", json={}, headers=OWNER)
        assert (found.status_code, found.json()["type"]) == (409, "conflict")


async def test_a_share_is_stopped_and_resumed_in_the_gap_of_a_reconnect(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """Its buffer may go on in another track, and is stopped then."""
    made = await share()
    which, rows = {"_id": made.buffer_id}, ctx.store.rows(Buffer)
    await rows.update_one(which, {"$set": {"ended_at": datetime.now(UTC)}})
    for what, stops in (("stop", {"sharer": ""}), ("resume", {})):
        found = await http.post(f"/buffers/{made.buffer_id}/{what}", json={}, headers=OWNER)
        assert found.status_code == 202, found.text
        row = await rows.find_one(which)
        assert row is not None
        assert row["stops"] == stops


async def test_only_who_sees_a_share_learns_that_it_may_not_stop_it(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """Under capture_policy `role` a moderator watches, and stops nothing."""
    made = await share()
    path = f"/buffers/{made.buffer_id}/stop"
    assert (await http.post(path, json={}, headers=STRANGER)).status_code == 404
    await communities.configure(ctx.store, "default", {"capture_policy": "role"})
    await communities.set_member(ctx.store, "default", "bob", "moderator", [])
    assert (await http.post(path, json={}, headers=STRANGER)).status_code == 403
    await communities.set_member(ctx.store, "default", "bob", "admin", [])
    assert (await http.post(path, headers=STRANGER)).status_code == 202


async def test_lists_are_narrowed_to_states_and_page_to_their_end(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """What rows tell is filtered before a page is cut; what media tells, within it."""
    recording = await share("ann")
    now = datetime.now(UTC)
    kinds: dict[str, dict[str, Any]] = {
        "waiting": {"why": None},
        "waiting too": {"why": "no-worker"},
        "refused": {"why": "stopped-by-admin"},
        "refused too": {"why": "limit"},
        "over": {"ended_at": now},
    }
    for number, fields in enumerate(kinds.values()):
        await ctx.store.create(
            Buffer(
                id=f"{number:024}", room="room", room_sid="RM", identity="bob",
                participant_sid="PA", video_sid=f"TR{number}", since=now, **fields
            )
        )  # fmt: skip

    async def listed(state: str) -> list[tuple[str, str]]:
        found, params = [], {"state": state, "limit": "2"}
        while True:
            page = (await http.get("/buffers", params=params, headers=INSTANCE_ADMIN)).json()
            found += [(item["id"], item["state"]) for item in page["items"]]
            if page["next"] is None:
                return sorted(found)
            params["next"] = page["next"]

    waiting = [(f"{0:024}", "waiting"), (f"{1:024}", "waiting")]
    refused = [(f"{2:024}", "refused"), (f"{3:024}", "refused")]
    alive = (recording.buffer_id, "recording")
    assert await listed("active") == sorted([*waiting, alive])
    assert await listed("refused") == refused
    assert await listed("ended") == [(f"{4:024}", "ended")]
    assert await listed("recording") == [alive]
    assert await listed("refused,waiting") == [*waiting, *refused]
    assert await listed("stalled") == []


@pytest.mark.parametrize("state", ["", "everything", "active,", "Active"])
async def test_what_is_no_state_is_refused_in_words(http: httpx.AsyncClient, state: str) -> None:
    found = await http.get("/buffers", params={"state": state}, headers=OWNER)
    assert found.status_code == 422
    assert "state" in found.json()["detail"]

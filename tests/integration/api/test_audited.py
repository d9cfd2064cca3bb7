"""What changes anything stands in the audit, or says why it does not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.access import deeds
from app.api.openapi import listed_of
from app.buffer import markers
from app.captures import ended_by_others
from app.context import Context
from app.main import ROUTES
from app.models import AuditAction
from app.models.schema import AuditEntry, Capture, Deed, Marker, Rendition
from app.worker import what_goes_on
from tests.integration.api.conftest import (
    INSTANCE_ADMIN,
    OWNER,
    ROOM,
    ROOM_ADMIN,
    SHARER,
    STRANGER,
    MakeShare,
)
from tests.integration.api.test_files import made

NOTHING = "it changes nothing that is kept"
OWN = "a person's own; whose it is, and when, stands in its row"
AUDITED: dict[str, AuditAction | str] = {
    "POST /archives": NOTHING,
    "DELETE /buffers/{buffer_id}": AuditAction.BUFFER_FORGOTTEN,
    "POST /buffers/{buffer_id}/markers": OWN,
    "DELETE /buffers/{buffer_id}/markers/{marker_id}": AuditAction.MARKER_DELETED,
    "POST /buffers/{buffer_id}/resume": AuditAction.RECORDING_RESUMED,
    "POST /buffers/{buffer_id}/stop": AuditAction.RECORDING_STOPPED,
    "POST /captures": AuditAction.CAPTURED,
    "DELETE /captures/{capture_id}": AuditAction.CAPTURE_CANCELLED,
    "PATCH /clips/{clip_id}": AuditAction.CLIP_CHANGED,
    "DELETE /clips/{clip_id}": AuditAction.CLIP_DELETED,
    "POST /clips/{clip_id}/renditions": AuditAction.CLIP_CONVERTED,
    "DELETE /clips/{clip_id}/renditions/{rendition_id}": AuditAction.RENDITION_DELETED,
    "POST /clips/{clip_id}/request-deletion": AuditAction.DELETION_REQUESTED,
    "POST /clips/{clip_id}/restore": AuditAction.CLIP_RESTORED,
    "POST /clips/{clip_id}/share": AuditAction.CLIP_SHARED,
    "POST /clips/{clip_id}/trim": AuditAction.CAPTURED,
    "PUT /communities/{community}/config": AuditAction.COMMUNITY_CONFIGURED,
    "PUT /communities/{community}/members/{identity}": AuditAction.MEMBER_SET,
    "DELETE /communities/{community}/members/{identity}": AuditAction.MEMBER_REMOVED,
    "PUT /communities/{community}/rooms/{room}": AuditAction.ROOM_ASSIGNED,
    "DELETE /communities/{community}/rooms/{room}": AuditAction.ROOM_RELEASED,
    "POST /events/ping": AuditAction.EVENTS_TRIED,
    "POST /events/{event_id}/send": AuditAction.EVENT_SENT_AGAIN,
    "POST /rooms/{room}/captures": AuditAction.CAPTURED,
    "POST /session": NOTHING,
    "DELETE /sessions": AuditAction.SIGNED_OUT_EVERYWHERE,
    "PUT /users/{identity}/quota": AuditAction.QUOTA_SET,
    "DELETE /users/{identity}/sessions": AuditAction.SESSIONS_ENDED,
}
"""By operation what it writes in the audit, or why it writes nothing."""
OF_NO_OPERATION = {AuditAction.CLIP_EXPIRED, AuditAction.OPTED_OUT, AuditAction.QUOTA_REPAIRED}
"""What the service does by itself, or by a word that came from LiveKit."""


def test_each_operation_that_changes_anything_stands_in_the_audit_or_says_why_not() -> None:
    changing = {
        f"{method} {route.path.removeprefix('/v1')}"
        for route in listed_of(ROUTES)
        if route.operation.access.startswith("token")
        for method in (route.methods or set()) - {"GET", "HEAD"}
    }
    assert set(AUDITED) == changing
    told = {each for each in AUDITED.values() if isinstance(each, AuditAction)}
    assert told | OF_NO_OPERATION == set(AuditAction)


async def told_of(ctx: Context, action: AuditAction) -> list[tuple[str, str, str]]:
    """Of each entry of an action who did it, to what, and whose that was."""
    found = await ctx.store.rows(AuditEntry).find({"action": action}).to_list(None)
    return [(row["identity"], row["subject"], row["data"]["owner"]) for row in found]


async def asked_for(http: httpx.AsyncClient, share: MakeShare, ctx: Context) -> tuple[Any, ...]:
    """Of SHARER's: a clip, a rendition of it, a capture that waits, a marker."""
    clip = await made(http, ctx, share)
    path = f"/v1/clips/{clip['id']}/renditions"
    rendition = (await http.post(path, headers=OWNER, json={"format": "gif"})).json()
    asked = {"room": ROOM, "last": 2, "post_roll": 60}
    told = (await http.post("/v1/captures", headers=OWNER, json=asked)).json()
    capture = (await http.get(f"/v1/captures/{told['id']}", headers=OWNER)).json()
    now = datetime.now(UTC)
    marker = await markers.make(ctx, capture["buffer_id"], now, "here", SHARER)
    return clip, rendition, capture, marker


@pytest.mark.parametrize("who", ["somebody else", "whose it is"])
async def test_what_is_ended_or_deleted_of_others_stands_in_the_audit(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context, who: str
) -> None:
    """Renditions, captures and markers; nothing of what somebody does with their own."""
    by, admin = (OWNER, OWNER) if who == "whose it is" else (INSTANCE_ADMIN, ROOM_ADMIN)
    clip, rendition, capture, marker = await asked_for(http, share, ctx)
    ends = {
        f"/v1/clips/{clip['id']}/renditions/{rendition['id']}": by,
        f"/v1/captures/{capture['id']}": by,
        f"/v1/buffers/{capture['buffer_id']}/markers/{marker['_id']}": admin,
    }
    for each, headers in ends.items():
        assert (await http.delete(each, headers=STRANGER)).status_code in (403, 404)
        assert (await http.delete(each, headers=headers)).is_success, each
    subjects = (capture["id"], marker["_id"], clip["id"])
    for action, subject in zip(ended_by_others.ACTIONS, subjects, strict=True):
        found = await told_of(ctx, action)
        who_did = "mod" if action == AuditAction.MARKER_DELETED else "ops"
        expected = [] if who == "whose it is" else [(who_did, subject, SHARER)]
        assert found == expected, action
    assert await ctx.store.rows(Deed).find_one({}) is None


async def test_what_is_ended_of_others_stands_in_the_audit_though_its_process_is_killed(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """Once it is done, and not before."""
    clip, rendition, capture, marker = await asked_for(http, share, ctx)
    subjects = (capture["id"], marker["_id"], clip["id"])

    async def gone_on_with() -> int:
        for action, subject in zip(ended_by_others.ACTIONS, subjects, strict=True):
            told = {"owner": SHARER, "rendition": rendition["id"]}
            await deeds.mean(ctx.store, "ops", action, subject, room=ROOM, **told)
        await ctx.store.rows(Deed).update_many({}, {"$set": {"due_at": datetime.now(UTC)}})
        await deeds.go_on(ctx.store, what_goes_on(ctx))
        assert await ctx.store.rows(Deed).find_one({}) is None
        return sum([len(await told_of(ctx, action)) for action in ended_by_others.ACTIONS])

    assert await gone_on_with() == 0
    ended = {"$set": {"status": "cancelled"}}
    await ctx.store.rows(Capture).update_one({"_id": capture["id"]}, ended)
    await ctx.store.rows(Rendition).update_one({"_id": rendition["id"]}, ended)
    await ctx.store.rows(Marker).delete_one({"_id": marker["_id"]})
    assert await gone_on_with() == 3

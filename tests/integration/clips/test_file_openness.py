"""Files that are being sent, looked up many at once: as each of them is by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from app.access import presence
from app.access.tokens import Caller
from app.clips import file_openness, library
from app.context import Context
from app.errors import Gone, NotFound
from app.models import CaptureStatus
from app.models.schema import File, Participant, Rendition
from app.store import row_of
from tests.integration.clips.rows import add_clip

NOW = datetime.now(UTC)


async def _add_rendition(ctx: Context, name: str, clip_id: str, *beside: str) -> None:
    row = {
        "_id": name, "clip_id": clip_id, "content": name, "beside": list(beside), "caller": "ann",
        "status": CaptureStatus.READY, "lease_until": None, "accepted_at": NOW,
    }  # fmt: skip
    await ctx.store.database[+Rendition].insert_one(row)
    file = File(
        id=name, filename=name, uploaded_by="ann", storage_path=name, resource_id=clip_id,
        created_at=NOW,
    )  # fmt: skip
    assert await ctx.store.create(file)


async def test_one_look_tells_of_many_files_what_one_tells_of_each(ctx: Context) -> None:
    await add_clip(ctx, "own", grant=3)
    await add_clip(ctx, "deleted", deleted_at=NOW)
    await add_clip(ctx, "others", owner="bob", shared_by="bob")
    await add_clip(ctx, "seen", owner="bob", shared_by="ann", visibility="link", link_secret="s")
    await _add_rendition(ctx, "gif", "own")
    await _add_rendition(ctx, "both", "own", "seen")
    await _add_rendition(ctx, "not-both", "own", "others")
    await _add_rendition(ctx, "half-gone", "own", "deleted")
    await _add_rendition(ctx, "no-more", "own", "nowhere")
    files = [f"file-{each}" for each in ("own", "deleted", "others", "seen", "nothing")]
    files += ["gif", "both", "not-both", "half-gone", "no-more"]
    asked = [(file_id, grant) for file_id in files for grant in (None, 3)]
    for caller in (Caller("ann"), Caller("bob"), Caller("eve", instance_admin=True), None):
        one_by_one = set()
        for file_id, grant in asked:
            try:
                await library.file_of(ctx, caller, file_id, grant)
            except (NotFound, Gone):
                continue
            one_by_one.add((file_id, grant))
        assert await file_openness.by_right(ctx, caller, asked) == one_by_one, caller
        assert one_by_one
    links = [(file_id, secret) for file_id in files for secret in ("s", "t", "")]
    assert await file_openness.by_link(ctx, links) >= {("file-seen", "s")}
    assert ("both", "") not in await file_openness.by_link(ctx, links)
    assert not await file_openness.by_link(ctx, [("file-seen", "t"), ("file-nothing", "s")])


async def test_who_came_to_one_room_very_often_was_in_the_others_too(ctx: Context) -> None:
    """A file that is sent is not cut off for it."""
    whose: dict[str, Any] = {"room": "room", "identity": "bob"}
    stays = [
        Participant(
            sid=f"PA_{number}",
            room_sid="RM_often" if number else "RM_once",
            joined_at=NOW + timedelta(seconds=number),
            **whose,
        )
        for number in range(presence.NEWEST + 1)
    ]
    await ctx.store.rows(Participant).insert_many([row_of(each) for each in stays])
    for room_sid in ("RM_often", "RM_once", "RM_never"):
        await add_clip(ctx, room_sid, room_sid=room_sid, visibility="room")
    asked = [(f"file-{room_sid}", None) for room_sid in ("RM_often", "RM_once", "RM_never")]
    assert await file_openness.by_right(ctx, Caller("bob"), asked) == {*asked[:2]}

"""Clips opened to others, by room and by link, closed again, and posted in the chat."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import bson
import httpx
import pytest

from app.clips.share_request import CHANNEL_LENGTH
from app.context import Context
from app.events import settlement
from app.main import create_app
from app.models import AuditAction, EventState, Row
from app.models.free_text import TEXT_LENGTH, TITLE_LENGTH
from app.models.schema import AuditEntry, OutgoingEvent, Participant, ReplayClip, Room
from app.settings import Settings
from app.storage import clip_files
from handlers import router
from tests.integration.api.conftest import (
    INSTANCE_ADMIN,
    OWNER,
    ROOM,
    ROOM_ADMIN,
    STRANGER,
    bearer,
    client_of,
    token,
)
from tests.integration.clips.rows import add_clip, charge
from tests.integration.conftest import MakeSettings

BOB = STRANGER
EVE = bearer(token("eve"))
BYTES = b"\0" * 1000

MakeClip = Callable[..., Awaitable[str]]


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    """Of an instance whose chat is told of clips; nothing is sent in these tests."""
    return make_settings(
        events_url="http://127.0.0.1:9/", events_key="chat", events_secret="s" * 32
    )


@pytest.fixture
def clip(ctx: Context) -> MakeClip:
    """Makes a clip of ann's, with a file; bob was in its room. Gives its id."""

    async def make(name: str = "c1", **given: Any) -> str:
        row = await add_clip(ctx, name, **given)
        path = clip_files.locate(ctx.settings.media_root, f"replays/{name}.mp4")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(BYTES)
        await ctx.store.create(Room.model_validate(dict(sid=row.room_sid, name=ROOM)))
        await ctx.store.create(
            Participant.model_validate(dict(
                sid=f"PA_{name}", room_sid=row.room_sid, room=ROOM, identity="bob",
                joined_at=datetime.now(UTC),
            ))
        )  # fmt: skip
        return row.id

    return make


async def patch(
    http: httpx.AsyncClient, clip_id: str, headers: dict[str, str] = OWNER, **changes: Any
) -> httpx.Response:
    return await http.patch(f"/clips/{clip_id}", json=changes, headers=headers)


async def seen_by(http: httpx.AsyncClient, clip_id: str, headers: dict[str, str]) -> set[int]:
    """The statuses of a clip's JSON, its file, and whether it is listed (200 or 404)."""
    listed = (await http.get("/clips", headers=headers)).json()["items"]
    return {
        (await http.get(f"/clips/{clip_id}", headers=headers)).status_code,
        (await http.get(f"/file/file-{clip_id}", headers=headers)).status_code,
        200 if any(item["id"] == clip_id for item in listed) else 404,
    }


async def test_a_clip_is_opened_to_its_room_and_closed_again(
    http: httpx.AsyncClient, clip: MakeClip
) -> None:
    """Who was there sees it, and only sees it; closing ends at once what others were given."""
    clip_id = await clip()
    for visibility, bobs, admins in (
        ("private", {404}, {404}),
        ("room", {200}, {200}),
        ("link", {404}, {200}),
    ):
        assert (await patch(http, clip_id, visibility=visibility)).status_code == 200
        assert await seen_by(http, clip_id, OWNER) == {200}
        assert await seen_by(http, clip_id, INSTANCE_ADMIN) == {200}
        assert await seen_by(http, clip_id, BOB) == bobs
        # A room's admin sees what was opened in the room, whether they were there or not.
        assert await seen_by(http, clip_id, ROOM_ADMIN) == admins
        for stranger in (EVE, bearer(token("bob", room="other"))):
            assert await seen_by(http, clip_id, stranger) == {404}
    await patch(http, clip_id, visibility="room")
    told = (await http.get(f"/clips/{clip_id}", headers=BOB)).json()
    assert told["link_url"] is None
    assert (await http.get(told["url"])).content == BYTES
    for method, path in (
        ("PATCH", f"/clips/{clip_id}"),
        ("DELETE", f"/clips/{clip_id}"),
        ("POST", f"/clips/{clip_id}/share"),
        ("POST", f"/clips/{clip_id}/restore"),
    ):
        body = {"channel_id": "general"} if path.endswith("share") else {}
        for headers, status in ((BOB, 403), (EVE, 404)):
            found = await http.request(method, path, json=body, headers=headers)
            assert found.status_code == status, (method, path)
    mine = (await http.get(f"/clips/{clip_id}", headers=OWNER)).json()["url"]
    assert (await patch(http, clip_id, visibility="private")).status_code == 200
    assert (await http.get(told["url"])).status_code == 404
    assert (await http.get(mine)).status_code == 200
    await patch(http, clip_id, visibility="room")
    assert (await http.get(told["url"])).status_code == 404


async def test_no_link_is_made_that_leads_nowhere(
    ctx: Context, clip: MakeClip, make_settings: MakeSettings
) -> None:
    """As HOST=0.0.0.0 would, without a PUBLIC_URL."""
    clip_id = await clip()
    for public_url, status in (("", 409), ("http://replay", 200)):
        app = create_app(make_settings(host="0.0.0.0", public_url=public_url), router)
        async with client_of(app) as http:
            answer = await patch(http, clip_id, visibility="link")
            assert answer.status_code == status
            if status == 409:
                assert answer.json()["type"].endswith("no-public-url")
                assert "set PUBLIC_URL" in answer.json()["detail"]
                assert (await patch(http, clip_id, visibility="room")).status_code == 200
            else:
                assert answer.json()["link_url"].startswith("http://replay/v1/files/")


async def test_a_link_opens_the_file_until_it_is_revoked_or_expires(
    http: httpx.AsyncClient, clip: MakeClip, ctx: Context
) -> None:
    clip_id = await clip()
    told = (await patch(http, clip_id, visibility="link", link_days=1)).json()
    link = told["link_url"]
    assert link.startswith("http://127.0.0.1:8000/v1/files/file-c1?link=")
    expires = datetime.fromisoformat(told["link_expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=23) < expires <= timedelta(hours=24)
    whole = await http.get(link, headers={"Range": "bytes=0-9"})
    assert (whole.status_code, whole.content) == (206, BYTES[:10])
    assert whole.headers["referrer-policy"] == "no-referrer"
    assert (await http.head(link)).status_code == 200
    for wrong in (link + "x", link[:-1], link.replace("link=", "link=é"), link.split("=")[0] + "="):
        assert (await http.get(wrong)).status_code == 404
    unknown = await http.get("/file/nothing?link=x")
    assert unknown.json() == (await http.get(link + "x")).json()
    assert (await patch(http, clip_id, visibility="private")).json()["link_url"] is None
    assert (await http.get(link)).status_code == 404
    again = (await patch(http, clip_id, visibility="link")).json()["link_url"]
    assert again != link
    assert (await http.get(link)).status_code == 404
    past = {"$set": {"link_expires_at": datetime.now(UTC) - timedelta(seconds=1)}}
    await ctx.store.rows(ReplayClip).update_one({"_id": clip_id}, past)
    assert (await http.get(again)).status_code == 404
    last = (await patch(http, clip_id, visibility="link")).json()["link_url"]
    assert last not in (link, again)
    await http.delete(f"/clips/{clip_id}", headers=OWNER)
    assert (await http.get(last)).status_code == 410
    audit = await ctx.store.rows(AuditEntry).find({}).to_list(None)
    assert "link=" not in json.dumps(audit, default=str)
    assert last.split("=")[1] not in json.dumps(audit, default=str)


async def test_how_long_a_link_holds_is_said_with_the_link(
    http: httpx.AsyncClient, clip: MakeClip
) -> None:
    clip_id = await clip()
    for changes in ({"link_days": 1}, {"link_days": 1, "visibility": "room"}):
        refused = await patch(http, clip_id, **changes)
        assert (refused.status_code, refused.json()["type"]) == (422, "invalid")
        assert '"visibility": "link"' in refused.json()["detail"]
    for wrong in ({"keep": "yes"}, {"visibility": "link", "link_days": True}):
        assert (await patch(http, clip_id, **wrong)).status_code == 422


COPY = b"\1" * 700


async def copied(ctx: Context, clip_id: str) -> None:
    """What a worker does with a clip whose copy is promised."""
    row = await ctx.store.rows(ReplayClip).find_one({"_id": clip_id})
    assert row is not None
    assert row["clean_until"] is not None
    path = clip_files.locate(ctx.settings.media_root, f"replays/{clip_id}.clean.mp4")
    path.write_bytes(COPY)
    done = {"clean_bytes": len(COPY), "clean_checksum": f"sha256:{'0' * 64}", "clean_until": None}
    await ctx.store.rows(ReplayClip).update_one({"_id": clip_id}, {"$set": done})


async def test_what_a_cut_has_hidden_is_in_nothing_that_others_get(
    http: httpx.AsyncClient, clip: MakeClip, ctx: Context
) -> None:
    """Nobody is asked: others get a copy without it, and until it is there a word to come again."""
    clip_id = await clip(hidden_head_seconds=1.25)
    opened = (await patch(http, clip_id, visibility="room")).json()
    assert (opened["preparing"], opened["size"]) == (True, len(BYTES))
    assert opened["hidden_head_seconds"] == 1.25
    told = (await http.get(f"/clips/{clip_id}", headers=BOB)).json()
    assert (told["preparing"], told["hidden_head_seconds"]) == (True, 0)
    for path, headers in ((told["url"], {}), (f"/file/file-{clip_id}", BOB)):
        early = await http.get(path, headers=headers)
        assert (early.status_code, early.json()["type"]) == (503, "preparing")
        assert early.headers["retry-after"] == "1"
    assert (await http.get(opened["url"])).content == BYTES
    await copied(ctx, clip_id)
    assert (await http.get(told["url"])).content == COPY
    assert (await http.get(opened["url"])).content == BYTES
    told = (await http.get(f"/clips/{clip_id}", headers=BOB)).json()
    assert (told["preparing"], told["size"], told["checksum"][-3:]) == (False, len(COPY), "000")
    link = (await patch(http, clip_id, visibility="link")).json()["link_url"]
    film = await http.get(link)
    assert film.content == COPY
    whole = await http.get(f"/file/file-{clip_id}", headers=OWNER)
    assert whole.content == BYTES
    assert film.headers["etag"] != whole.headers["etag"]
    assert (await http.get(f"/file/file-{clip_id}", headers=INSTANCE_ADMIN)).content == COPY


async def test_who_wants_the_old_way_gives_away_all_of_it_at_once(
    http: httpx.AsyncClient, clip: MakeClip
) -> None:
    clip_id = await clip(hidden_head_seconds=1.25)
    given = (await patch(http, clip_id, visibility="link", share_hidden_head=True)).json()
    assert not given["preparing"]
    assert (await http.get(given["link_url"])).content == BYTES
    # To prolong it asks for nothing; to open it otherwise is another matter.
    longer = (await patch(http, clip_id, visibility="link", link_days=30)).json()
    assert (await http.get(longer["link_url"])).content == BYTES
    assert (await patch(http, clip_id, visibility="room")).json()["preparing"]


@pytest.mark.parametrize("opening", [{"visibility": "link"}, {}], ids=["as it is", "by itself"])
async def test_who_takes_the_old_way_back_is_heard(
    http: httpx.AsyncClient, clip: MakeClip, ctx: Context, opening: dict[str, Any]
) -> None:
    """Also by whom it was given before: their URL ends."""
    clip_id = await clip(hidden_head_seconds=1.25)
    await patch(http, clip_id, visibility="room", share_hidden_head=True)
    earlier = (await http.get(f"/clips/{clip_id}", headers=BOB)).json()["url"]
    assert (await http.get(earlier)).content == BYTES
    given = (await patch(http, clip_id, visibility="link", share_hidden_head=True)).json()
    assert (await http.get(given["link_url"])).content == BYTES
    taken = (await patch(http, clip_id, share_hidden_head=False, **opening)).json()
    assert (taken["preparing"], taken["link_url"]) == (True, given["link_url"])
    assert (await http.get(given["link_url"])).status_code == 503
    assert (await http.get(earlier)).status_code in (403, 404)
    await copied(ctx, clip_id)
    assert (await http.get(given["link_url"])).content == COPY
    again = (await patch(http, clip_id, share_hidden_head=True)).json()
    assert not again["preparing"]
    assert (await http.get(again["link_url"])).content == BYTES


async def test_a_page_waits_for_the_copy_and_looks_again(
    http: httpx.AsyncClient, clip: MakeClip, ctx: Context
) -> None:
    clip_id = await clip(hidden_head_seconds=1.25, title="That goal")
    page = (await patch(http, clip_id, visibility="link")).json()["page_url"]
    path = page[page.index("/c/") :]
    waiting = await http.get(path)
    assert waiting.status_code == 200
    assert "Preparing, 1 s" in waiting.text
    assert '<meta http-equiv="refresh" content="1">' in waiting.text
    assert 'property="og:video"' in waiting.text
    # Whatever became of the promise, who looks renews it.
    gone = {"$set": {"clean_until": None}}
    await ctx.store.rows(ReplayClip).update_one({"_id": clip_id}, gone)
    await http.get(path)
    await copied(ctx, clip_id)
    ready = await http.get(path)
    assert "<video" in ready.text
    assert "refresh" not in ready.text


async def test_a_copy_is_promised_before_the_chat_hears_of_a_clip(
    http: httpx.AsyncClient, clip: MakeClip, ctx: Context
) -> None:
    clip_id = await clip(hidden_head_seconds=1.25)
    path = f"/clips/{clip_id}/share"
    assert (await http.get(f"/file/file-{clip_id}", headers=INSTANCE_ADMIN)).content == BYTES
    await http.post(path, json={"channel_id": "general"}, headers=OWNER)
    early = await http.get(f"/file/file-{clip_id}", headers=INSTANCE_ADMIN)
    assert (early.status_code, early.json()["type"]) == (503, "preparing")
    await copied(ctx, clip_id)
    assert (await http.get(f"/file/file-{clip_id}", headers=INSTANCE_ADMIN)).content == COPY


async def test_a_shared_clip_is_posted_with_words_and_its_file(
    http: httpx.AsyncClient, clip: MakeClip, ctx: Context
) -> None:
    """The event says what to post where; asked again with the same key it is the same event."""
    clip_id = await clip(duration_seconds=150.0, title="That goal")
    key = {"Idempotency-Key": "once"}
    path = f"/clips/{clip_id}/share"
    answers = [
        await http.post(path, json={"channel_id": "general"}, headers=OWNER | key) for _ in range(2)
    ]
    assert [each.status_code for each in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    for changed in ({"channel_id": "random"}, {"channel_id": "general", "text": "another"}):
        other = await http.post(path, json=changed, headers=OWNER | key)
        assert (other.status_code, other.json()["type"]) == (409, "conflict"), changed
        assert "'once'" in other.json()["detail"]
    audited = {"action": AuditAction.CLIP_SHARED}
    assert await ctx.store.rows(AuditEntry).count_documents(audited) == 1
    message = {"text": "🎬 Replay captured (2 min)", "attachments": [f"file-{clip_id}"]}
    assert answers[0].json()["message"] == message
    own = {"channel_id": "#übung <b>", "text": "look\u202e at\0 <this>\r\nplease"}
    found = await http.post(path, json=own, headers=OWNER)
    assert found.json()["message"]["text"] == "look at <this>\nplease"
    rows = await ctx.store.rows(OutgoingEvent).find({}).sort("number", 1).to_list(None)
    assert [row["_id"] for row in rows] == [answers[0].json()["event"], found.json()["event"]]
    assert [row["event"] for row in rows] == ["clip_shared"] * 2
    assert (rows[0]["room"], rows[0]["identity"]) == (ROOM, "ann")
    told = rows[0]["data"]
    assert (told["message"], told["channel_id"]) == (message, "general")
    assert (told["clip_id"], told["title"], told["duration"]) == (clip_id, "That goal", 150.0)
    for body in ({}, {"channel_id": ""}, {"channel_id": "x", "text": "y" * 2001}, {"to": "x"}):
        assert (await http.post(path, json=body, headers=OWNER)).status_code == 422


async def test_what_is_kept_of_a_message_is_short(
    http: httpx.AsyncClient, clip: MakeClip, ctx: Context
) -> None:
    """However long its text: nobody asks for it once it is posted."""
    clip_id = await clip(title="🎬" * TITLE_LENGTH)
    path = f"/clips/{clip_id}/share"
    longest = {"channel_id": "🎬" * CHANNEL_LENGTH, "text": "🎬" * TEXT_LENGTH}
    assert (await http.post(path, json=longest, headers=OWNER)).status_code == 202
    events, audit = ctx.store.rows(OutgoingEvent), ctx.store.rows(AuditEntry)
    (event,) = await events.find({}).to_list()
    assert event["data"]["message"]["text"] == longest["text"]
    taken = {f"targets.{name}.state": EventState.DELIVERED for name in event["targets"]}
    await events.update_many({}, {"$set": {"attempts": 1} | taken})
    await settlement.settle_left(ctx, ROOM)
    (event,) = await events.find({}).to_list()
    assert event["state"] == EventState.DELIVERED
    (entry,) = await audit.find({"action": AuditAction.CLIP_SHARED}).to_list()
    assert len(bson.encode(cast(Row, event))) < 4000
    assert len(bson.encode(cast(Row, entry))) < 2000
    longer = {"channel_id": "x" * (CHANNEL_LENGTH + 1)}
    assert (await http.post(path, json=longer, headers=OWNER)).status_code == 422


async def test_lists_are_searched_by_title_and_time(
    http: httpx.AsyncClient, clip: MakeClip
) -> None:
    now = datetime.now(UTC)
    for number, title in enumerate(("That Goal", "a.*b", "50% off")):
        await clip(f"c{number}", title=title, created_at=now - timedelta(hours=number))

    async def ids(**query: str) -> list[str]:
        found = await http.get("/clips", params=query, headers=OWNER)
        assert found.status_code == 200, found.text
        return [item["id"] for item in found.json()["items"]]

    assert await ids(title="GOAL") == ["c0"]
    assert await ids(title=".*") == ["c1"]
    assert await ids(title="%") == ["c2"]
    assert await ids(title="[") == []
    half_past = (now - timedelta(minutes=90)).isoformat()
    assert await ids(since=half_past) == ["c0", "c1"]
    assert await ids(until=half_past) == ["c2"]
    assert await ids(since=half_past, until=half_past) == []
    bad = await http.get("/clips", params={"since": "yesterday"}, headers=OWNER)
    assert bad.status_code == 422


async def test_what_was_done_with_a_clip_is_in_the_audit(
    http: httpx.AsyncClient, clip: MakeClip, ctx: Context
) -> None:
    clip_id = await clip()
    await charge(ctx, "ann", clip_id)
    await patch(http, clip_id, title="<new>", visibility="room")
    await http.post(f"/clips/{clip_id}/share", json={"channel_id": "general"}, headers=OWNER)
    await http.delete(f"/clips/{clip_id}", headers=INSTANCE_ADMIN)
    await http.post(f"/clips/{clip_id}/restore", headers=OWNER)
    told = (await http.get("/audit", headers=INSTANCE_ADMIN)).json()["items"]
    assert [(each["action"], each["identity"]) for each in told] == [
        ("clip_restored", "ann"),
        ("clip_deleted", "ops"),
        ("clip_shared", "ann"),
        ("clip_changed", "ann"),
    ]
    assert all(each["subject"] == clip_id and each["room"] == ROOM for each in told)
    assert told[3]["data"] == {"owner": "ann", "title": "<new>", "visibility": "room"}
    assert told[2]["data"] == {"owner": "ann", "channel_id": "general"}

"""/file/{id} and /clips/{id} over HTTP."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import httpx
import pytest

from app.api.file_routes import disposition
from app.context import Context
from app.models.schema import Participant, ReplayClip, Room
from app.storage import clip_files
from tests.integration.api.conftest import OWNER, ROOM, STRANGER, MakeShare
from tests.integration.captures.checking import work_on


async def made(http: httpx.AsyncClient, ctx: Context, share: MakeShare, **given: Any) -> Any:
    """A clip's JSON."""
    await share()
    body = {"room": ROOM, "last": 5, "tail": "skip"} | given
    told = (await http.post("/captures", headers=OWNER, json=body)).json()
    await work_on(ctx, told["id"])
    return (await http.get(f"/clips/{told['clip_id']}", headers=OWNER)).json()


async def was_there(ctx: Context, clip_id: str, identity: str) -> None:
    """Somebody was in the room of a clip."""
    row = await ctx.store.rows(ReplayClip).find_one({"_id": clip_id})
    assert row is not None
    person: dict[str, Any] = {"sid": f"PA_{identity}", "room_sid": row["room_sid"], "room": ROOM}
    person |= {"identity": identity, "joined_at": row["created_at"]}
    await ctx.store.create(Room.model_validate({"sid": row["room_sid"], "name": ROOM}))
    await ctx.store.create(Participant.model_validate(person))


async def test_the_bytes_come_by_token_and_by_signed_url(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    clip = await made(http, ctx, share, title="Ada's 🎬 “demo”")
    whole = await http.get(f"/file/{clip['file_id']}", headers=OWNER)
    assert whole.status_code == 200
    assert len(whole.content) == clip["size"]
    digest = hashlib.sha256(whole.content)
    assert clip["checksum"] == f"sha256:{digest.hexdigest()}"
    coded = base64.b64encode(digest.digest()).decode()
    assert whole.headers["Digest"] == f"sha-256={coded}"
    assert whole.headers["Repr-Digest"] == f"sha-256=:{coded}:"
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["referrer-policy"] == "no-referrer"
    assert "filename*=UTF-8''Ada%27s%20%F0%9F%8E%AC" in whole.headers["content-disposition"]
    assert (await http.get(clip["url"])).content == whole.content
    saved = await http.get(clip["download_url"])
    assert saved.content == whole.content
    assert saved.headers["content-disposition"].startswith("attachment; filename=")
    assert whole.headers["content-disposition"].startswith("inline; filename=")
    assert (await http.get(clip["url"] + "x")).status_code == 401
    assert (await http.get(f"/file/{clip['file_id']}")).status_code == 401
    assert (await http.get(f"/file/{clip['file_id']}", headers=STRANGER)).status_code == 404
    assert (await http.get("/file/unknown", headers=OWNER)).status_code == 404


async def test_ranges_head_and_conditions(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    clip = await made(http, ctx, share)
    path, size = f"/file/{clip['file_id']}", clip["size"]
    whole = await http.get(path, headers=OWNER)
    etag = whole.headers["ETag"]
    head = await http.head(path, headers=OWNER)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(size)
    part = await http.get(path, headers=OWNER | {"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{size}"
    last = await http.get(path, headers=OWNER | {"Range": "bytes=-10", "If-Range": etag})
    assert (last.status_code, last.content) == (206, whole.content[-10:])
    other = await http.get(path, headers=OWNER | {"Range": "bytes=0-9", "If-Range": '"old"'})
    assert (other.status_code, len(other.content)) == (200, size)
    beyond = await http.get(path, headers=OWNER | {"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    known = await http.get(path, headers=OWNER | {"If-None-Match": etag})
    assert (known.status_code, known.content) == (304, b"")


async def test_a_deleted_clip_is_gone_until_it_is_restored(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    clip = await made(http, ctx, share)
    assert (await http.delete(f"/clips/{clip['id']}", headers=OWNER)).status_code == 204
    assert (await http.delete(f"/clips/{clip['id']}", headers=OWNER)).status_code == 404
    assert (await http.get(clip["url"])).status_code == 410
    assert (await http.get(f"/clips/{clip['id']}", headers=OWNER)).status_code == 404
    restored = await http.post(f"/clips/{clip['id']}/restore", headers=OWNER)
    assert (restored.status_code, restored.json()["id"]) == (200, clip["id"])
    assert (await http.get(clip["url"])).status_code == 200


async def test_a_clip_whose_file_is_lost_says_so(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    clip = await made(http, ctx, share)
    row = await ctx.store.rows(ReplayClip).find_one({"_id": clip["id"]})
    assert row is not None
    for path in (ctx.settings.media_root / "replays").rglob("*.mp4"):
        clip_files.remove(ctx.settings.media_root, str(path.relative_to(ctx.settings.media_root)))
    answer = await http.get(clip["url"])
    assert (answer.status_code, answer.json()["type"]) == (410, "gone")


async def test_a_clip_is_changed(http: httpx.AsyncClient, ctx: Context, share: MakeShare) -> None:
    clip = await made(http, ctx, share)
    path = f"/clips/{clip['id']}"
    changed = await http.patch(path, headers=OWNER, json={"title": " new\ntitle ", "keep": True})
    assert changed.status_code == 200
    assert (changed.json()["title"], changed.json()["keep"]) == ("new title", True)
    assert (await http.patch(path, headers=OWNER, json={})).json()["title"] == "new title"
    for wrong in ({"title": "x" * 201}, {"visibility": "all"}, {"owner": "bob"}, {"keep": "no!"}):
        answer = await http.patch(path, headers=OWNER, json=wrong)
        assert (answer.status_code, answer.json()["type"]) == (422, "invalid")
    assert (await http.patch(path, headers=STRANGER, json={"title": "x"})).status_code == 404


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "next=%00", "sort=size"])
async def test_wrong_questions_to_the_list_are_refused(http: httpx.AsyncClient, query: str) -> None:
    answer = await http.get(f"/clips?{query}", headers=OWNER)
    assert (answer.status_code, answer.json()["type"]) == (422, "invalid")


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("clip.mp4", "clip.mp4"),
        ('a"b\\c%d/e.mp4', "a_b_c_d_e.mp4"),
        ("é\r\nX-Evil: 1", "___X-Evil: 1"),
        ("🎬", "_"),
    ],
)
def test_a_content_disposition_is_one_header_for_any_name(name: str, plain: str) -> None:
    header = disposition(name)
    assert header.startswith(f'inline; filename="{plain}"; ')
    assert header.isascii()
    assert header.isprintable()

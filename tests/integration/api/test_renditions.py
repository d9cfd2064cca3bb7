"""Clips in other formats over HTTP: whoever reads the clip reads them, and nobody else."""

from __future__ import annotations

import hashlib
from urllib.parse import parse_qs, urlsplit

import httpx

from app.captures import rendition_execution
from app.context import Context
from tests.integration.api.conftest import OWNER, ROOM_ADMIN, STRANGER, MakeShare
from tests.integration.api.test_files import made, was_there
from tests.integration.captures.checking import tools_of, work_on


async def test_a_rendition_is_read_by_whoever_reads_its_clip(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    """By token, by signed URL, behind the clip's link; as long as the clip is open to them."""
    clip = await made(http, ctx, share, title="That goal")
    await was_there(ctx, clip["id"], "bob")
    path = f"/v1/clips/{clip['id']}"
    asked = {"format": "gif", "start": 0.5, "end": "1s"}
    answer = await http.post(f"{path}/renditions", headers=OWNER, json=asked)
    told = answer.json()
    assert (answer.status_code, told["status"], told["file_url"]) == (202, "queued", None)
    again = await http.post(f"{path}/renditions", headers=OWNER, json=asked)
    assert again.json()["id"] == told["id"]
    await rendition_execution.run(ctx, tools_of(ctx), told["id"])
    (found,) = (await http.get(f"{path}/renditions", headers=OWNER)).json()["items"]
    assert (found["status"], found["progress"]) == ("ready", 1.0)
    whole = await http.get(found["file_url"])
    assert whole.headers["content-type"] == "image/gif"
    assert len(whole.content) == found["size_bytes"]
    assert whole.headers["etag"].startswith(f'"{found["id"]}-')
    assert "digest" in whole.headers
    saved = await http.get(found["download_url"])
    assert saved.headers["content-disposition"].startswith('attachment; filename="That goal')
    assert ".gif" in saved.headers["content-disposition"]
    file = f"/v1/files/{told['id']}"
    assert (await http.get(file, headers=STRANGER)).status_code == 404
    assert (await http.get(f"{path}/renditions", headers=STRANGER)).status_code == 404

    await http.patch(path, headers=OWNER, json={"visibility": "room", "title": "Demo"})
    (shared,) = (await http.get(f"{path}/renditions", headers=STRANGER)).json()["items"]
    theirs = await http.get(shared["file_url"])
    assert hashlib.sha256(theirs.content).digest() == hashlib.sha256(whole.content).digest()
    assert theirs.headers["content-disposition"].startswith('inline; filename="Demo 20')
    refused = await http.delete(f"{path}/renditions/{told['id']}", headers=STRANGER)
    assert refused.status_code == 403
    opened = (await http.patch(path, headers=OWNER, json={"visibility": "link"})).json()
    (secret,) = parse_qs(urlsplit(opened["link_url"]).query)["link"]
    assert (await http.get(shared["file_url"])).status_code == 404
    by_link = await http.get(f"{file}?link={secret}")
    assert (by_link.status_code, by_link.content) == (200, whole.content)
    assert ".gif" in by_link.headers["content-disposition"]
    await http.patch(path, headers=OWNER, json={"visibility": "private"})
    assert (await http.get(f"{file}?link={secret}")).status_code == 404

    gone = await http.delete(f"{path}/renditions/{told['id']}", headers=OWNER)
    assert gone.status_code == 204
    assert (await http.get(found["file_url"])).status_code == 404
    assert (await http.get(f"{path}/renditions", headers=OWNER)).json() == {"items": []}
    assert (await http.get(clip["url"])).status_code == 200


async def test_a_side_by_side_is_read_by_whoever_reads_each_of_its_clips(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    """No link of one of them opens it, and a URL of before ends with any of them."""
    for name in ("ann", "bea"):
        await share(name)
    asked = {"last": "5m", "tail": "skip"}
    answer = await http.post("/v1/rooms/room/captures", json=asked, headers=ROOM_ADMIN)
    captures = answer.json()["captures"]
    for each in captures:
        await work_on(ctx, each["id"])
    first, second = (f"/v1/clips/{each['clip_id']}" for each in captures)
    await was_there(ctx, captures[0]["clip_id"], "bob")
    side_by_side = {"format": "mp4-side-by-side"}
    answer = await http.post(f"{first}/renditions", json=side_by_side, headers=ROOM_ADMIN)
    told = answer.json()
    assert (answer.status_code, told["beside"]) == (202, [captures[1]["clip_id"]])
    await rendition_execution.run(ctx, tools_of(ctx), told["id"])

    async def seen_by(who: dict[str, str]) -> list[dict[str, str]]:
        """The renditions of the first clip, as somebody is told of them."""
        found = (await http.get(f"{first}/renditions", headers=who)).json()["items"]
        status = 200 if found else 404
        assert (await http.get(f"/v1/files/{told['id']}", headers=who)).status_code == status
        return list(found)

    (mine,) = await seen_by(ROOM_ADMIN)
    assert (await http.get(mine["file_url"])).headers["content-type"] == "video/mp4"
    opened = await http.patch(first, json={"visibility": "link"}, headers=ROOM_ADMIN)
    (secret,) = parse_qs(urlsplit(opened.json()["link_url"]).query)["link"]
    assert (await http.get(f"/v1/files/{told['id']}?link={secret}")).status_code == 404
    await http.patch(first, json={"visibility": "room"}, headers=ROOM_ADMIN)
    assert await seen_by(STRANGER) == []
    await http.patch(second, json={"visibility": "room"}, headers=ROOM_ADMIN)
    (theirs,) = await seen_by(STRANGER)
    assert (await http.get(theirs["file_url"])).status_code == 200
    await http.patch(second, json={"visibility": "private"}, headers=ROOM_ADMIN)
    assert await seen_by(STRANGER) == []
    assert (await http.get(theirs["file_url"])).status_code == 404
    await http.delete(second, headers=ROOM_ADMIN)
    assert (await http.get(mine["file_url"])).status_code == 404
    assert await seen_by(ROOM_ADMIN) == []

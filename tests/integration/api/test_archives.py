"""Several clips as one zip."""

from __future__ import annotations

import io
import zipfile

import httpx
import pytest

from app.clips.clip_archive import MOST_CLIPS
from app.context import Context
from app.storage import clip_files
from tests.integration.api.conftest import OWNER, STRANGER, MakeShare
from tests.integration.api.test_files import made, was_there


def names_in(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        assert found.testzip() is None
        return found.namelist()


async def test_clips_come_as_one_zip_by_a_signed_url_and_by_token(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    first = await made(http, ctx, share, title="That goal")
    second = await made(http, ctx, share, title="That goal", last=3)
    ids = [first["id"], second["id"], first["id"]]
    told = (await http.post("/v1/archives", headers=OWNER, json={"clip_ids": ids})).json()
    whole = await http.get(told["download_url"])
    assert whole.status_code == 200
    assert whole.headers["content-type"] == "application/zip"
    assert whole.headers["content-disposition"].startswith('attachment; filename="clips ')
    assert int(whole.headers["content-length"]) == len(whole.content) == told["size_bytes"]
    assert len(names_in(whole.content)) == 2
    with zipfile.ZipFile(io.BytesIO(whole.content)) as found:
        for clip, name in zip((first, second), found.namelist(), strict=True):
            assert found.read(name) == (await http.get(clip["url"])).content
    head = await http.head(told["download_url"])
    assert (head.headers["content-length"], head.content) == (str(told["size_bytes"]), b"")
    path = f"/v1/archives/clips.zip?files={second['file_id']},{first['file_id']}"
    assert len((await http.get(path, headers=OWNER)).content) == told["size_bytes"]
    assert (await http.get(path)).status_code == 401
    assert (await http.get(path, headers=STRANGER)).status_code == 404
    refused = await http.post("/v1/archives", headers=STRANGER, json={"clip_ids": ids})
    assert refused.status_code == 404
    longer = told["download_url"].replace("?", "?files=0&")
    assert (await http.get(longer)).status_code == 401


async def test_an_archive_of_too_many_or_none_is_refused(
    http: httpx.AsyncClient,
) -> None:
    for ids in ([], ["0"] * (MOST_CLIPS + 1)):
        answer = await http.post("/v1/archives", headers=OWNER, json={"clip_ids": ids})
        assert answer.status_code == 422
    for files in ("", "x", "0,", ",".join("0" * (MOST_CLIPS + 1))):
        answer = await http.get(f"/v1/archives/clips.zip?files={files}", headers=OWNER)
        assert answer.status_code == 422, files


async def test_an_archive_of_somebody_elses_clips_ends_with_the_right_to_them(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    """As they get it: without what the clip hides before its start."""
    clip = await made(http, ctx, share)
    await was_there(ctx, clip["id"], "bob")
    path, asked = f"/v1/clips/{clip['id']}", {"clip_ids": [clip["id"]]}
    await http.patch(path, headers=OWNER, json={"visibility": "room", "share_hidden_head": True})
    told = (await http.post("/v1/archives", headers=STRANGER, json=asked)).json()
    (name,) = names_in((await http.get(told["download_url"])).content)
    assert name.endswith(".mp4")
    await http.patch(path, headers=OWNER, json={"visibility": "private"})
    assert (await http.get(told["download_url"])).status_code == 404
    mine = (await http.post("/v1/archives", headers=OWNER, json=asked)).json()
    await http.delete(path, headers=OWNER)
    assert (await http.get(mine["download_url"])).status_code == 410


async def test_an_archive_breaks_off_where_a_file_is_lost(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    clip = await made(http, ctx, share)
    asked = {"clip_ids": [clip["id"]]}
    told = (await http.post("/v1/archives", headers=OWNER, json=asked)).json()
    root = ctx.settings.media_root
    for path in (root / "replays").rglob("*.mp4"):
        clip_files.remove(root, str(path.relative_to(root)))
    with pytest.raises(FileNotFoundError):  # what cuts the connection
        await http.get(told["download_url"])

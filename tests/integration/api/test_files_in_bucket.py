"""/file/{id} and a clip's pictures where clips are in a bucket: led there, or read through us."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pytest

from app.captures import copy_execution
from app.clips import clip_expiry, clip_source
from app.context import Context
from app.models.schema import File, ReplayClip
from app.settings import Settings
from app.viewing.stills import Stills
from app.work.places import Stint
from tests.integration.api.conftest import OWNER, SHARER, STRANGER, MakeShare, bearer, token
from tests.integration.api.test_files import made
from tests.integration.captures.checking import tools_of
from tests.integration.conftest import MakeSettings
from tests.object_front import ObjectFront


@pytest.fixture
def settings(
    request: pytest.FixtureRequest,
    make_settings: MakeSettings,
    in_bucket: dict[str, str],
    front: ObjectFront,
) -> Settings:
    """Of an installation whose clips are in a bucket; of a `proxied` test: read through us."""
    given: dict[str, object] = {**in_bucket, "s3_endpoint": front.endpoint}
    return make_settings(**given, clips_proxy="proxied" in request.fixturenames)


@pytest.fixture
def proxied() -> None:
    """Clips are read through us."""


def led(answer: httpx.Response, front: ObjectFront) -> str:
    """The URL in the bucket that an answer leads to, and nobody may keep."""
    assert answer.status_code == 307
    assert answer.content == b""
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    url = answer.headers["location"]
    assert url.startswith(f"{front.endpoint}/")
    return str(url)


def life(url: str) -> int:
    return int(parse_qs(urlsplit(url).query)["X-Amz-Expires"][0])


async def fetched(url: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(url, headers=headers)


async def test_a_reader_is_led_to_the_bucket(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare, front: ObjectFront
) -> None:
    clip = await made(http, ctx, share, title="Ada's 🎬 “demo”")
    for path, headers in ((f"/file/{clip['file_id']}", OWNER), (clip["url"], {})):
        url = led(await http.get(path, headers=headers), front)
        assert 290 <= life(url) <= 300
        whole = await fetched(url)
        assert (whole.status_code, len(whole.content)) == (200, clip["size"])
        assert whole.headers["content-type"] == "video/mp4"
        assert whole.headers["content-disposition"].startswith("inline; filename=\"Ada's _ _demo_")
        part = await fetched(url, Range="bytes=100-199")
        assert (part.status_code, part.content) == (206, whole.content[100:200])
    saved = await fetched(led(await http.get(clip["download_url"]), front))
    assert saved.content == whole.content
    assert saved.headers["content-disposition"].startswith("attachment; ")
    assert "filename*=UTF-8''Ada%27s%20%F0%9F%8E%AC" in saved.headers["content-disposition"]
    assert (await http.get(clip["url"] + "&download=1")).status_code == 401
    asked = f"/file/{clip['file_id']}?download=1"
    told = await fetched(led(await http.get(asked, headers=OWNER), front))
    assert told.headers["content-disposition"].startswith("attachment; ")


async def test_an_archive_is_read_through_us(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    clip = await made(http, ctx, share)
    asked = {"clip_ids": [clip["id"]]}
    told = (await http.post("/v1/archives", headers=OWNER, json=asked)).json()
    whole = await http.get(told["download_url"])
    assert len(whole.content) == told["size_bytes"]
    with zipfile.ZipFile(io.BytesIO(whole.content)) as found:
        (name,) = found.namelist()
        assert len(found.read(name)) == clip["size"]


async def test_who_may_not_read_is_led_nowhere(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare, front: ObjectFront
) -> None:
    clip = await made(http, ctx, share)
    path = f"/file/{clip['file_id']}"
    for answer, status in (
        (await http.get(path), 401),
        (await http.get(path, headers=STRANGER), 404),
        (await http.get(clip["url"] + "x"), 401),
        (await http.get("/file/unknown", headers=OWNER), 404),
    ):
        assert (answer.status_code, "location" in answer.headers) == (status, False)
    await http.delete(f"/clips/{clip['id']}", headers=OWNER)
    assert (await http.get(clip["url"])).status_code == 410
    await http.post(f"/clips/{clip['id']}/restore", headers=OWNER)
    led(await http.get(clip["url"]), front)


async def test_a_url_is_good_no_longer_than_the_right(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare, front: ObjectFront
) -> None:
    """That of a token, and that of a URL of ours."""
    clip = await made(http, ctx, share)
    short = bearer(token(ttl=timedelta(seconds=40)))
    assert life(led(await http.get(f"/file/{clip['file_id']}", headers=short), front)) <= 40
    told = (await http.get(f"/clips/{clip['id']}", headers=short)).json()
    for url in (told["url"], told["download_url"]):
        assert life(led(await http.get(url), front)) <= 40


async def linked(http: httpx.AsyncClient, ctx: Context, clip: dict[str, Any]) -> tuple[str, str]:
    """Opens a clip by a link. The paths of its film, which others may see, and of its page."""
    opened = await http.patch(f"/clips/{clip['id']}", headers=OWNER, json={"visibility": "link"})
    row = await ctx.store.rows(ReplayClip).find_one({"_id": clip["id"]})
    assert row is not None
    if row["clean_until"] is not None:
        await copy_execution.run(ctx, tools_of(ctx), clip["id"])
    link = urlsplit(opened.json()["link_url"])
    return f"{link.path}?{link.query}", urlsplit(opened.json()["page_url"]).path


async def test_a_link_leads_to_the_bucket_and_tells_nobody_whose_clip_it_is(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare, front: ObjectFront
) -> None:
    """Its page and player may load the film from there, and what is further on while it lasts."""
    clip = await made(http, ctx, share)
    path, page = await linked(http, ctx, clip)
    answer = await http.get(path)
    url = led(answer, front)
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert urlsplit(url).path.endswith(f"/clips/replays/{clip['id']}.clean.mp4")
    assert SHARER not in url
    row = await ctx.store.rows(ReplayClip).find_one({"_id": clip["id"]})
    assert row is not None
    assert 0 <= 300 + row["duration_seconds"] - life(url) <= 10
    film = await fetched(url)
    assert film.content[4:8] == b"ftyp"
    part = await fetched(url, Range="bytes=0-9")
    assert (part.status_code, part.content) == (206, film.content[:10])
    for shown in (page, f"{page}/embed"):
        policy = (await http.get(shown)).headers["Content-Security-Policy"]
        assert f"media-src 'self' {front.endpoint};" in policy
        assert "connect-src" not in policy
    soon = datetime.now(UTC) + timedelta(seconds=20)
    await ctx.store.rows(ReplayClip).update_one(
        {"_id": clip["id"]}, {"$set": {"link_expires_at": soon}}
    )
    assert life(led(await http.get(path), front)) <= 20
    await http.patch(f"/clips/{clip['id']}", headers=OWNER, json={"visibility": "private"})
    assert (await http.get(path)).status_code == 404


async def test_a_link_of_a_clip_whose_key_has_a_name_is_read_through_us(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare, tmp_path: Path
) -> None:
    """As of those that were copied from a folder into the bucket."""
    clip = await made(http, ctx, share)
    path, _ = await linked(http, ctx, clip)
    for named in ("replays/ada-0123456789/1.mp4", "replays/ada-0123456789/1.clean.mp4"):
        part = tmp_path / "part"
        part.write_bytes(b"of a name")
        await ctx.clips.publish(named, part)
    await ctx.store.rows(File).update_one(
        {"_id": clip["file_id"]}, {"$set": {"storage_path": "replays/ada-0123456789/1.mp4"}}
    )
    film = await http.get(path)
    assert (film.status_code, film.content) == (200, b"of a name")


@pytest.mark.usefixtures("proxied")
async def test_a_links_page_loads_from_nowhere_else_if_all_is_read_through_us(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    clip = await made(http, ctx, share)
    path, page = await linked(http, ctx, clip)
    film = await http.get(path)
    assert (film.status_code, film.content[4:8]) == (200, b"ftyp")
    part = await http.get(path, headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.content) == (206, film.content[:10])
    assert "media-src 'self';" in (await http.get(page)).headers["Content-Security-Policy"]


async def test_others_are_led_to_a_copy_that_hides_nothing(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare, front: ObjectFront
) -> None:
    """Made of the clip in the bucket, kept beside it, and gone with it."""
    clip = await made(http, ctx, share)
    assert clip["hidden_head_seconds"] > 0
    await http.patch(f"/clips/{clip['id']}", headers=OWNER, json={"visibility": "link"})
    front.answer("^GET ", 503, "SlowDown")
    await copy_execution.run(ctx, tools_of(ctx), clip["id"])
    row = await ctx.store.rows(ReplayClip).find_one({"_id": clip["id"]})
    assert row is not None
    assert row["clean_until"] is not None
    front.heal()
    await ctx.store.rows(ReplayClip).update_one(
        {"_id": clip["id"]}, {"$set": {"clean_until": datetime.now(UTC) - timedelta(seconds=1)}}
    )
    await copy_execution.run(ctx, tools_of(ctx), clip["id"])
    listed = [each async for batch in ctx.clips.listed("replays") for each in batch]
    kept = {each.storage_path: each for each in listed}
    copies = [path for path in kept if path.endswith(".clean.mp4")]
    assert (len(copies), len(kept)) == (1, 2)
    opened = (await http.get(f"/clips/{clip['id']}", headers=OWNER)).json()
    link = urlsplit(opened["link_url"])
    film = await fetched(led(await http.get(f"{link.path}?{link.query}"), front))
    assert len(film.content) == kept[copies[0]].size_bytes
    whole = await fetched(led(await http.get(clip["url"]), front))
    assert len(whole.content) == clip["size"]
    await http.delete(f"/clips/{clip['id']}", headers=OWNER)
    await clip_expiry.sweep_clips(ctx, now=datetime.now(UTC) + timedelta(minutes=2))
    assert [batch async for batch in ctx.clips.listed("replays") if batch] == []
    # What is asked for lies below the prefix. Deletions have their keys in the body.
    others = [line for line in front.seen if not line.endswith("?delete")]
    assert [line for line in others if "replay/clips/" not in unquote(line)] == []


async def test_what_a_bucket_would_not_understand_is_answered_here(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    """Our ETags, and HEAD, for which a URL to GET is not good."""
    clip = await made(http, ctx, share)
    path, size = f"/file/{clip['file_id']}", clip["size"]
    head = await http.head(path, headers=OWNER)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(size)
    assert "repr-digest" in head.headers
    etag = head.headers["etag"]
    known = await http.get(path, headers=OWNER | {"If-None-Match": etag})
    assert known.status_code == 304
    same = await http.get(path, headers=OWNER | {"If-Match": etag, "Range": "bytes=0-9"})
    assert (same.status_code, len(same.content)) == (206, 10)
    other = await http.get(path, headers=OWNER | {"If-Match": '"other"'})
    assert other.status_code == 412


@pytest.mark.usefixtures("proxied")
async def test_through_us_it_is_as_with_files(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    clip = await made(http, ctx, share)
    path, size = f"/file/{clip['file_id']}", clip["size"]
    whole = await http.get(path, headers=OWNER)
    assert (whole.status_code, len(whole.content)) == (200, size)
    assert whole.headers["content-disposition"].startswith("inline; ")
    assert (await http.get(clip["url"])).content == whole.content
    saved = await http.get(clip["download_url"])
    assert saved.content == whole.content
    assert saved.headers["content-disposition"].startswith("attachment; ")
    etag = whole.headers["etag"]
    head = await http.head(path, headers=OWNER)
    assert (head.content, head.headers["content-length"]) == (b"", str(size))
    last = await http.get(path, headers=OWNER | {"Range": "bytes=-10", "If-Range": etag})
    assert (last.status_code, last.content) == (206, whole.content[-10:])
    beyond = await http.get(path, headers=OWNER | {"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    known = await http.get(path, headers=OWNER | {"If-None-Match": etag})
    assert known.status_code == 304


@pytest.mark.usefixtures("proxied")
async def test_a_store_that_is_away_is_a_problem_of_ours(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare, front: ObjectFront
) -> None:
    """Nothing of what the store says is shown."""
    clip = await made(http, ctx, share)
    front.answer(".", 503, "SlowDown")
    answer = await http.get(clip["url"])
    assert (answer.status_code, answer.json()["type"]) == (503, "unavailable")
    assert "the store answers" in answer.json()["detail"]
    front.heal()
    assert (await http.get(clip["url"])).status_code == 200
    await ctx.clips.remove([(await row(ctx, clip))["storage_path"]])
    lost = await http.get(clip["url"])
    assert (lost.status_code, lost.json()["type"]) == (410, "gone")


async def row(ctx: Context, clip: dict[str, Any]) -> Any:
    return await ctx.store.rows(File).find_one({"_id": clip["file_id"]})


async def test_pictures_are_made_of_ranges(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare, front: ObjectFront
) -> None:
    """As of the whole file; of which nothing is kept."""
    clip = await made(http, ctx, share)
    front.seen.clear()
    poster = await http.get(clip["poster"])
    index = await http.get(clip["thumbnails"])
    sheet = await http.get(f"/clips/{clip['id']}/thumbnails.jpg", headers=OWNER)
    assert (poster.status_code, index.status_code, sheet.status_code) == (200, 200, 200)
    assert front.count("^GET ") > 2
    asked = len(front.seen)
    assert (await http.get(clip["poster"])).content == poster.content
    assert len(front.seen) == asked
    folder = ctx.settings.media_root / "thumbnails"
    assert [path.name for path in folder.iterdir()] == [clip["id"]]
    assert not list(folder.rglob("*.part"))
    file = await row(ctx, clip)
    copy = ctx.settings.media_root / "copy.mp4"
    opened = await ctx.clips.open(file["storage_path"])
    copy.write_bytes(b"".join([part async for part in opened.read(0, opened.size_bytes)]))
    stills = Stills()
    try:
        assert await stills.poster_of_movie(Stint(), copy) == poster.content
        whole = await stills.index(Stint(), copy)
        async with clip_source.opened(ctx, file) as source:
            await source.fetch_beginning()
            assert await stills.index(Stint(), source.path) == whole
    finally:
        stills.close()


async def test_a_store_that_is_away_puts_a_picture_off(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare, front: ObjectFront
) -> None:
    clip = await made(http, ctx, share)
    front.cut()
    answer = await http.get(clip["poster"])
    assert (answer.status_code, answer.json()["type"]) == (503, "unavailable")
    front.heal()
    assert (await http.get(clip["poster"])).status_code == 200
    await ctx.clips.remove([(await row(ctx, clip))["storage_path"]])
    assert (await http.get(clip["thumbnails"])).status_code == 410


async def test_the_page_may_load_films_from_the_bucket_and_nothing_else(
    http: httpx.AsyncClient, front: ObjectFront
) -> None:
    policy = (await http.get("/")).headers["Content-Security-Policy"]
    assert f"media-src 'self' blob: {front.endpoint};" in policy
    assert policy.count(front.endpoint) == 1


@pytest.mark.usefixtures("proxied")
async def test_through_us_the_page_loads_from_nowhere_else(http: httpx.AsyncClient) -> None:
    policy = (await http.get("/")).headers["Content-Security-Policy"]
    assert "media-src 'self' blob:;" in policy

"""What somebody was given ends: URLs with their token, all of it when their rights change."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Message, Scope
from structlog.testing import capture_logs

from app.access import communities, generations, signatures
from app.access.generations import Endable
from app.api import answer_watch, auth, web_state
from app.api.known_generations import KNOWN_SECONDS
from app.captures import withdrawal
from app.context import Context
from app.main import create_app
from app.models.schema import AuditEntry, Buffer, Capture, File, Rights
from app.settings import Settings
from handlers import router
from tests.integration.api.conftest import (
    INSTANCE_ADMIN,
    OWNER,
    ROOM,
    ROOM_ADMIN,
    SHARER,
    STRANGER,
    MakeShare,
    bearer,
    token,
)
from tests.integration.captures.checking import work_on
from tests.integration.conftest import LIVEKIT_API_KEY, LIVEKIT_API_SECRET
from tests.integration.queued import empty_redis
from tests.pace import Pace
from tests.plain_http import plain_client
from tests.serving import Running, running, serving
from tests.waiting import wait_for

ENDS_WITHIN = 5.0


def exp_of(url: str) -> datetime:
    (seconds,) = parse_qs(urlsplit(url).query)["exp"]
    return datetime.fromtimestamp(int(seconds), UTC)


async def urls_of(
    http: httpx.AsyncClient, buffer_id: str, headers: dict[str, str]
) -> dict[str, str]:
    told = (await http.get(f"/buffers/{buffer_id}", headers=headers)).json()
    return {name: told[name] for name in ("playlist_url", "replay_url", "poster", "thumbnails")}


async def ended(http: httpx.AsyncClient, url: str) -> None:
    """Returns once a URL is not good any more; fails if that takes longer than promised."""

    async def refused() -> bool:
        return (await http.get(url)).status_code == 401

    with Pace() as pace:
        await wait_for(refused, what=f"{url} is ended")
    assert pace.fair_seconds < ENDS_WITHIN, pace.seconds


async def session(http: httpx.AsyncClient, headers: dict[str, str]) -> dict[str, str]:
    return bearer((await http.post("/session", headers=headers)).json()["token"])


async def test_a_url_lives_no_longer_than_the_token_it_came_from(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    made = await share()
    soon = datetime.now(UTC) + timedelta(minutes=2)
    short = bearer(token("mod", room_admin=True, ttl=timedelta(minutes=2)))
    for headers in (short, await session(http, short)):
        urls = await urls_of(http, made.buffer_id, headers)
        assert all(exp_of(url) <= soon for url in urls.values()), urls
        playlist = await http.get(urls["playlist_url"])
        assert playlist.status_code == 200
        lines = [line for line in playlist.text.splitlines() if ".m4s?" in line]
        assert lines
        assert all(exp_of(line) <= soon for line in lines)
        film = await http.get(urls["replay_url"], follow_redirects=True)
        assert exp_of(film.headers["Content-Location"]) <= soon


@pytest.mark.parametrize("by", ["themselves", "an admin"])
async def test_sessions_and_urls_end_everywhere(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context, settings: Settings, by: str
) -> None:
    """In every process; others' go on, and a fresh token begins anew."""
    made = await share()
    mine, other = await session(http, OWNER), await session(http, OWNER)
    admins = await session(http, ROOM_ADMIN)
    urls = await urls_of(http, made.buffer_id, mine)
    theirs = await urls_of(http, made.buffer_id, admins)
    async with running(create_app(settings, router)) as another:
        transport = httpx.ASGITransport(another)
        async with httpx.AsyncClient(transport=transport, base_url="http://replay.test") as there:
            for each in (http, there):
                assert (await each.get("/quota", headers=other)).status_code == 200
                assert (await each.get(urls["playlist_url"])).status_code == 200
            path, headers = {
                "themselves": ("/sessions", mine),
                "an admin": ("/users/ann/sessions", INSTANCE_ADMIN),
            }[by]
            assert (await http.delete(path, headers=headers)).status_code == 204
            for each in (http, there):
                await ended(each, urls["playlist_url"])
                await ended(each, urls["poster"])
                for old in (mine, other):
                    assert (await each.get("/quota", headers=old)).status_code == 401
                    assert (await each.post("/session", headers=old)).status_code == 401
                assert (await each.get(theirs["playlist_url"])).status_code == 200
                assert (await each.get("/quota", headers=admins)).status_code == 200
    again = await session(http, OWNER)
    fresh = await urls_of(http, made.buffer_id, again)
    assert (await http.get(fresh["playlist_url"])).status_code == 200
    row = await ctx.store.rows(AuditEntry).find_one({"subject": "ann"})
    assert row is not None
    action = "signed_out_everywhere" if by == "themselves" else "sessions_ended"
    assert (row["action"], row["identity"]) == (action, "ann" if by == "themselves" else "ops")


async def test_only_an_admin_ends_the_sessions_of_others(http: httpx.AsyncClient) -> None:
    for headers in (OWNER, STRANGER, ROOM_ADMIN):
        found = await http.delete("/users/ann/sessions", headers=headers)
        assert found.status_code == 403


async def test_what_was_ended_stays_so_when_redis_is_empty(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    made = await share()
    mine = await session(http, OWNER)
    urls = await urls_of(http, made.buffer_id, mine)
    await http.delete("/sessions", headers=mine)
    await empty_redis(ctx)
    await ended(http, urls["playlist_url"])
    assert (await http.get("/quota", headers=mine)).status_code == 401


async def test_after_a_rotation_the_urls_of_whose_rights_were_ended_are_good_and_end(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context, settings: Settings
) -> None:
    """Those of one's own share name its sharer twice; the old pair's go on meanwhile."""
    made = await share()
    await http.delete("/sessions", headers=OWNER)
    await http.post(f"/buffers/{made.buffer_id}/stop", json={}, headers=OWNER)
    before = await urls_of(http, made.buffer_id, OWNER)
    rotated = settings.model_copy(
        update={
            "livekit_api_key": "newkey",
            "livekit_api_secret": SecretStr("fresh" * 8),
            "livekit_keys": SecretStr(f"{LIVEKIT_API_KEY}:{LIVEKIT_API_SECRET}"),
        }
    )
    async with running(create_app(rotated, router)) as later:
        transport = httpx.ASGITransport(later)
        async with httpx.AsyncClient(transport=transport, base_url="http://replay.test") as there:
            fresh = await urls_of(there, made.buffer_id, OWNER)
            assert fresh["playlist_url"] != before["playlist_url"]
            for urls in (fresh, before):
                assert (await there.get(urls["playlist_url"])).status_code == 200
            assert (await there.delete("/sessions", headers=OWNER)).status_code == 204
            for urls in (fresh, before):
                await ended(there, urls["playlist_url"])
            again = await urls_of(there, made.buffer_id, OWNER)
            assert (await there.get(again["playlist_url"])).status_code == 200


@pytest.mark.parametrize(
    ("method", "body"), [("PUT", {"role": "member", "grants": []}), ("DELETE", None)]
)
async def test_a_role_that_changes_ends_the_urls_that_it_gave(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context, method: str, body: Any
) -> None:
    """And no session: what one may do is asked with each request."""
    await communities.configure(ctx.store, communities.DEFAULT, {"capture_policy": "role"})
    await communities.set_member(ctx.store, communities.DEFAULT, "bob", "moderator", [])
    made = await share()
    mine = await session(http, STRANGER)
    urls = await urls_of(http, made.buffer_id, mine)
    owners = await urls_of(http, made.buffer_id, OWNER)
    assert (await http.get(urls["playlist_url"])).status_code == 200
    path = f"/communities/{communities.DEFAULT}/members/bob"
    assert (await http.request(method, path, json=body, headers=INSTANCE_ADMIN)).is_success
    for url in urls.values():
        await ended(http, url)
    assert (await http.get("/quota", headers=mine)).status_code == 200
    assert (await http.get(owners["playlist_url"])).status_code == 200


@pytest.mark.parametrize(
    ("change", "whose"),
    [({"capture_policy": "self"}, STRANGER), ({"access": "rbac"}, OWNER)],
)
async def test_a_policy_that_changes_ends_the_urls_that_it_gave(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context, change: Any, whose: dict[str, str]
) -> None:
    """A limit ends none; who still may watch gets others."""
    await communities.configure(ctx.store, communities.DEFAULT, {"capture_policy": "role"})
    await communities.set_member(ctx.store, communities.DEFAULT, "bob", "moderator", [])
    made = await share()
    urls = await urls_of(http, made.buffer_id, whose)
    path = f"/communities/{communities.DEFAULT}/config"
    same = {"max_concurrent": 4, "capture_policy": "role"}
    assert (await http.put(path, json=same, headers=INSTANCE_ADMIN)).is_success
    assert (await http.get(urls["playlist_url"])).status_code == 200
    assert (await http.put(path, json=change, headers=INSTANCE_ADMIN)).is_success
    for url in urls.values():
        await ended(http, url)
    fresh = await urls_of(http, made.buffer_id, ROOM_ADMIN)
    assert (await http.get(fresh["playlist_url"])).status_code == 200


async def test_what_fails_for_one_sharer_ends_for_the_others_and_for_all_when_asked_again(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """Though the rules are then as they were: they had been changed."""
    await communities.configure(ctx.store, communities.DEFAULT, {"capture_policy": "role"})
    bad, good = await share("abe"), await share()
    bads = await urls_of(http, bad.buffer_id, ROOM_ADMIN)
    goods = await urls_of(http, good.buffer_id, ROOM_ADMIN)
    row: Any = {"_id": "abe", "watching": 0, "sharing": "no number", "sessions": 0, "holders": []}
    await ctx.store.rows(Rights).insert_one(row)
    path = f"/communities/{communities.DEFAULT}/config"
    change = {"capture_policy": "self"}
    assert (await http.put(path, json=change, headers=INSTANCE_ADMIN)).status_code == 503
    await ended(http, goods["playlist_url"])
    await ctx.store.rows(Rights).update_one({"_id": "abe"}, {"$set": {"sharing": 0}})
    assert (await http.get(bads["playlist_url"])).status_code == 200
    assert (await http.put(path, json=change, headers=INSTANCE_ADMIN)).status_code == 200
    await ended(http, bads["playlist_url"])
    fresh = await urls_of(http, good.buffer_id, ROOM_ADMIN)
    limits = {"max_concurrent": 3} | change
    assert (await http.put(path, json=limits, headers=INSTANCE_ADMIN)).status_code == 200
    assert (await http.get(fresh["playlist_url"])).status_code == 200


async def test_rights_go_when_all_is_over_that_they_have_ended_and_open_nothing_again(
    app: Running, http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """What was given since stays good without the row, and ends with the next end."""
    buffer_id = (await share()).buffer_id
    first = (await urls_of(http, buffer_id, OWNER))["playlist_url"]
    end = partial(generations.end, ctx.store, ctx.settings, ctx.instance, SHARER, list(Endable))
    rows = ctx.store.rows(Rights)
    await end()
    await ended(http, first)
    since = (await urls_of(http, buffer_id, OWNER))["playlist_url"]
    await generations.forget_rights(ctx.store)
    assert await rows.count_documents({}) == 1
    past = datetime.now(UTC) - generations.KEPT
    await rows.update_one({}, {"$set": {"ended_at": past}})
    await generations.forget_rights(ctx.store)
    assert await rows.count_documents({}) == 0
    app.state["web"].generations.forget([SHARER])
    later = (await urls_of(http, buffer_id, OWNER))["playlist_url"]
    for url in (since, later):
        assert (await http.get(url)).status_code == 200
    await end()
    for url in (since, later):
        await ended(http, url)


async def test_rights_of_an_earlier_release_count_from_the_first_cleaning_on(ctx: Context) -> None:
    row: Any = {"_id": "ann", "watching": 1, "sharing": 0, "sessions": 0, "holders": []}
    row["ended_at"] = None
    await ctx.store.rows(Rights).insert_one(row)
    await generations.forget_rights(ctx.store)
    [found] = await ctx.store.rows(Rights).find().to_list(None)
    assert found["ended_at"] is not None


async def test_rights_stay_for_longer_than_anything_that_they_judge_is_good() -> None:
    most_hours = max(each.le for each in Settings.model_fields["session_hours"].metadata
                     if hasattr(each, "le"))  # fmt: skip
    assert timedelta(hours=most_hours) + signatures._LONGEST < generations.KEPT


async def test_a_role_that_somebody_took_who_was_killed_then_ends_its_urls_when_asked_again(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    await communities.configure(ctx.store, communities.DEFAULT, {"capture_policy": "role"})
    await communities.set_member(ctx.store, communities.DEFAULT, "bob", "moderator", [])
    urls = await urls_of(http, (await share()).buffer_id, STRANGER)
    await communities.remove_member(ctx.store, communities.DEFAULT, "bob")  # and was killed
    path = f"/communities/{communities.DEFAULT}/members/bob"
    assert (await http.delete(path, headers=INSTANCE_ADMIN)).status_code == 204
    await ended(http, urls["playlist_url"])


async def test_a_stop_of_somebody_who_was_killed_then_ends_the_urls_when_asked_again(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    made = await share()
    urls = await urls_of(http, made.buffer_id, ROOM_ADMIN)
    stopped = {"$set": {"stops.sharer": "enough"}}
    await ctx.store.rows(Buffer).update_one({"_id": made.buffer_id}, stopped)  # and was killed
    path = f"/buffers/{made.buffer_id}/stop"
    assert (await http.post(path, json={}, headers=OWNER)).status_code == 202
    await ended(http, urls["playlist_url"])
    row = await ctx.store.rows(Buffer).find_one({"_id": made.buffer_id})
    assert row is not None
    assert row["stops"] == {"sharer": "enough"}


async def test_a_start_with_another_policy_ends_the_urls_that_the_last_one_gave(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """One with the same ends none."""
    was = replace(ctx, settings=ctx.settings.model_copy(update={"capture_policy": "role"}))
    await withdrawal.of_settings(was)
    made = await share()
    urls = await urls_of(http, made.buffer_id, ROOM_ADMIN)
    await withdrawal.of_settings(was)
    await asyncio.sleep(KNOWN_SECONDS)
    for url in urls.values():
        assert (await http.get(url)).status_code in (200, 307)
    await withdrawal.of_settings(ctx)
    for url in urls.values():
        await ended(http, url)


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("config", {"capture_policy": "self"}),
        ("config", {"access": "rbac", "capture_policy": "room"}),
        ("members/bob", {"role": "member"}),
    ],
)
async def test_captures_that_wait_end_with_the_right_to_them(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context, path: str, change: Any
) -> None:
    """Of whoever may no longer, not of others."""
    await communities.configure(ctx.store, communities.DEFAULT, {"capture_policy": "role"})
    await communities.set_member(ctx.store, communities.DEFAULT, "bob", "moderator", [])
    await share()
    body = {"room": ROOM, "identity": SHARER, "last": 2, "post_roll": 30}
    captures = []
    for headers in (STRANGER, ROOM_ADMIN, OWNER):
        answer = await http.post("/captures", headers=headers, json=body)
        captures.append(answer.json()["id"])
    where = f"/communities/{communities.DEFAULT}/{path}"
    assert (await http.put(where, headers=INSTANCE_ADMIN, json=change)).is_success
    rows = await ctx.store.rows(Capture).find({"_id": {"$in": captures}}).to_list(None)
    ended_of = {row["caller"] for row in rows if row["permitted_until"] is not None}
    assert ended_of == {"bob"}


@pytest.mark.parametrize("how", ["stop", "delete"])
async def test_the_sharers_word_ends_the_urls_of_their_shares(
    http: httpx.AsyncClient, share: MakeShare, how: str
) -> None:
    """Everybody's; who still may watch gets others."""
    made = await share()
    path = f"/buffers/{made.buffer_id}"
    urls = await urls_of(http, made.buffer_id, ROOM_ADMIN)
    line = next(
        each for each in (await http.get(urls["playlist_url"])).text.splitlines() if ".m4s?" in each
    )
    segment = urljoin(urls["playlist_url"], line)
    assert (await http.get(segment)).status_code == 200
    if how == "stop":
        found = await http.post(f"{path}/stop", json={}, headers=OWNER)
        assert found.status_code == 202
    else:
        assert (await http.delete(path, headers=OWNER)).status_code == 204
    for url in (urls["playlist_url"], segment):
        await ended(http, url)
    if how == "stop":
        fresh = await urls_of(http, made.buffer_id, ROOM_ADMIN)
        assert (await http.get(fresh["playlist_url"])).status_code == 200


async def test_an_admin_who_deletes_a_share_ends_no_urls_of_the_sharers_other_ones(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """Their say ends with their room. Of what they deleted no URL shows anything."""
    made, elsewhere = await share(), await share()
    other = {"room": "other", "room_sid": "RM_other"}
    await ctx.store.rows(Buffer).update_one({"_id": elsewhere.buffer_id}, {"$set": other})
    urls = await urls_of(http, elsewhere.buffer_id, bearer(token(room="other")))
    here = await urls_of(http, made.buffer_id, OWNER)
    text = (await http.get(here["playlist_url"])).text
    segment = next(line for line in text.splitlines() if ".m4s?" in line)
    deleted = await http.delete(f"/buffers/{made.buffer_id}", headers=ROOM_ADMIN)
    assert deleted.status_code == 204
    assert (await http.get(urljoin(here["playlist_url"], segment))).status_code == 410
    assert (await http.get(here["playlist_url"])).status_code == 409
    rights = await ctx.store.rows(Rights).find_one({"_id": SHARER})
    assert rights is None
    for url in urls.values():
        assert not (await http.get(url)).is_error


@pytest.mark.parametrize("how", ["stop", "policy"])
async def test_the_urls_of_a_capture_end_with_those_of_its_share(
    http: httpx.AsyncClient, share: MakeShare, how: str
) -> None:
    """Of its playlist and of what that names, until it is a clip; whose it is gets others."""
    made = await share()
    asked = {"buffer": made.buffer_id, "last": 5, "tail": "skip"}
    told = (await http.post("/captures", json=asked, headers=ROOM_ADMIN)).json()
    text = (await http.get(told["playlist"])).text
    named = re.findall(r"[^\s\"]*segments/[^\s\"]+", text)
    urls = [urljoin(told["playlist"], each) for each in (told["playlist"], *named)]
    assert {urlsplit(url).path.rpartition(".")[2] for url in urls} == {"m3u8", "mp4", "m4s"}
    for url in urls:
        assert (await http.get(url)).status_code == 200
    if how == "stop":
        found = await http.post(f"/buffers/{made.buffer_id}/stop", json={}, headers=OWNER)
    else:
        path = f"/communities/{communities.DEFAULT}/config"
        rules = {"capture_policy": "room"}
        found = await http.put(path, json=rules, headers=INSTANCE_ADMIN)
    assert found.is_success
    for url in urls:
        await ended(http, url)
    again = (await http.get(told["Location"], headers=ROOM_ADMIN)).json()
    assert (await http.get(again["playlist"])).status_code == 200


@asynccontextmanager
async def stream(url: str, path: str, headers: dict[str, str]) -> AsyncIterator[httpx.Response]:
    async with (
        plain_client(base_url=url) as client,
        client.stream("GET", path, headers=headers) as answer,
    ):
        assert answer.status_code == 200
        yield answer


@pytest.mark.parametrize("kind", ["buffers", "capture", "capture by its URL"])
async def test_event_streams_are_closed(
    app: Running, http: httpx.AsyncClient, share: MakeShare, kind: str
) -> None:
    await share()
    mine = await session(http, OWNER)
    path = "/buffers/events"
    if kind != "buffers":
        asked = {"room": ROOM, "last": 5, "post_roll": 60}
        told = (await http.post("/captures", json=asked, headers=mine)).json()
        path = f"{told['Location']}/events"
    if kind == "capture by its URL":
        path, mine = told["events_url"], {}
    async with serving(app) as url, stream(url, path, mine) as answer:
        lines = answer.aiter_lines()
        async for line in lines:
            if line.startswith("event:"):
                break
        await http.delete("/sessions", headers=OWNER)
        with Pace() as pace:
            async for _ in lines:
                pass
        assert pace.fair_seconds < ENDS_WITHIN, pace.seconds


async def sent_until_ended(
    app: Running,
    url: str,
    headers: dict[str, str],
    end: Callable[[], Awaitable[httpx.Response]],
    read_seconds: float = 0.05,
) -> tuple[int, int]:
    """How much was sent, and how much was told, of an answer to one who reads each block slowly.

    It takes `read_seconds` for each.

    What lets them in is ended once they have some of it: that must break the answer off.
    """
    told, sent = 0, list[int]()
    path, _, query = url.partition("?")

    async def receive() -> Message:
        if "request" not in heard:
            heard.add("request")
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.Event().wait()
        raise AssertionError("nobody goes away")

    async def send(message: Message) -> None:
        nonlocal told
        if message["type"] == "http.response.start":
            assert message["status"] in (200, 206)
            told = int(dict(message["headers"])[b"content-length"])
            return
        sent.append(len(message["body"]))
        if len(sent) == 1:
            assert (await end()).is_success
        await asyncio.sleep(read_seconds)

    heard = set[str]()
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), each.encode()) for name, each in headers.items()],
        "client": ("127.0.0.1", 123),
        "server": ("replay.test", 80),
    }
    with Pace() as pace, capture_logs() as lines:
        async with asyncio.timeout(60):
            await app(scope, receive, send)
    said = {line["event"] for line in lines}
    assert "answer_broken_off" in said
    assert "request_error" not in said
    assert pace.fair_seconds < ENDS_WITHIN, pace.seconds
    return sum(sent), told


async def large_clip(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare, headers: dict[str, str], size: int
) -> Any:
    """A clip whose file has been made so large."""
    await share()
    body = {"room": ROOM, "last": 5, "tail": "skip"}
    told = (await http.post("/captures", headers=headers, json=body)).json()
    await work_on(ctx, told["id"])
    clip = (await http.get(f"/v1/clips/{told['clip_id']}", headers=headers)).json()
    row = await ctx.store.rows(File).find_one({"_id": clip["file_id"]})
    assert row is not None
    os.truncate(ctx.settings.media_root / row["storage_path"], size)
    await ctx.store.rows(File).update_one({"_id": row["_id"]}, {"$set": {"size_bytes": size}})
    return clip


async def test_a_clip_and_a_zip_that_are_being_sent_break_off(
    app: Running, http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    """However slowly they are read: within seconds, not at the end of all clips."""
    mine = await session(http, OWNER)
    clip = await large_clip(http, ctx, share, mine, 64 << 20)
    end = partial(http.delete, "/v1/sessions", headers=OWNER)
    path = clip["file_url"].partition("?")[0]
    sent, told = await sent_until_ended(app, path, mine, end)
    assert 0 < sent < told
    asked = {"clip_ids": [clip["id"]]}
    answer = await http.post("/v1/archives", headers=await session(http, OWNER), json=asked)
    sent, told = await sent_until_ended(app, answer.json()["download_url"], {}, end)
    assert 0 < sent < told


@pytest.mark.parametrize("how", ["deleted", "deleted, a zip", "made private", "link turned off"])
async def test_what_is_sent_of_a_clip_breaks_off_though_its_reader_takes_nothing(
    app: Running, http: httpx.AsyncClient, ctx: Context, share: MakeShare, how: str
) -> None:
    """Else it would be had, and take its place on the disk, for as long as somebody likes."""
    clip = await large_clip(http, ctx, share, OWNER, 4 << 20)
    path = f"/v1/clips/{clip['id']}"
    end, shown = partial(http.delete, path, headers=OWNER), dict[str, str]()
    opened = {"deleted": None, "made private": "room", "link turned off": "link"}.get(how)
    if opened is not None:
        body = {"visibility": opened, "share_hidden_head": True}
        clip = (await http.patch(path, headers=OWNER, json=body)).json()
        end = partial(http.patch, path, headers=OWNER, json={"visibility": "private"})
    url = clip["file_url"]
    if how == "link turned off":
        url = urlsplit(clip["link_url"])._replace(scheme="", netloc="").geturl()
    if how == "made private":
        url, shown = url.partition("?")[0], ROOM_ADMIN
    if how == "deleted, a zip":
        asked = {"clip_ids": [clip["id"]]}
        url = (await http.post("/v1/archives", headers=OWNER, json=asked)).json()["download_url"]
    row = await ctx.store.rows(File).find_one({"_id": clip["file_id"]})
    assert row is not None
    await sent_until_ended(app, url, shown, end, read_seconds=3600)
    assert row["storage_path"].rpartition("/")[2] not in " ".join(open_files())


def open_files() -> list[str]:
    """What this process holds open."""
    found = []
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found.append(str(each.readlink()))
    return found


async def test_what_is_being_sent_ends_whole_where_what_let_its_reader_in_merely_expires(
    app: Running,
) -> None:
    state = web_state.of(Request({"type": "http", "state": dict(app.state)}))
    soon = datetime.now(UTC) + timedelta(seconds=answer_watch.LOOK_SECONDS)
    reader = auth.Reader(None, "ann", "", soon, (), "")

    async def blocks() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.sleep(answer_watch.LOOK_SECONDS * 1.5)
        yield b"second"

    sent = list[bytes]()

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))

    scope: Scope = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}}
    await auth.watched(state, reader, StreamingResponse(blocks()))(scope, _nothing, send)
    assert b"".join(sent) == b"firstsecond"
    assert not await auth.goes_on(state, reader, datetime.now(UTC)), "it has expired meanwhile"


async def _nothing() -> Message:
    raise AssertionError("nobody is asked for more")


@pytest.mark.parametrize("by", ["its URL", "a token"])
async def test_a_movie_of_a_share_that_is_being_sent_breaks_off_by_its_sharers_word(
    app: Running, http: httpx.AsyncClient, share: MakeShare, by: str
) -> None:
    made = await share()
    path = f"/v1/buffers/{made.buffer_id}/replay.mp4?last=18"
    movie = await http.get(path, headers=ROOM_ADMIN)
    url, shown = urljoin(path, movie.headers["Location"]), dict[str, str]()
    if by == "a token":
        url, shown = re.sub(r"&(exp|sig|holder|gen|sharer)=[^&]*", "", url), ROOM_ADMIN
    stop = partial(http.post, f"/v1/buffers/{made.buffer_id}/stop", json={}, headers=OWNER)
    sent, told = await sent_until_ended(app, url, shown, stop, read_seconds=0.5)
    assert 0 < sent < told

"""The page of a clip's link over HTTP: who gets what, until when, and what browsers are told."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from app.api.in_flight import NAMELESS_AT_ONCE
from app.context import Context
from app.models.schema import Participant, ReplayClip, Room
from app.settings import Settings
from app.viewing.drawing import PATIENCE_SECONDS, Kind
from tests import unfurling
from tests.integration.api.conftest import OWNER, ROOM, STRANGER, MakeShare
from tests.integration.captures.checking import work_on
from tests.integration.conftest import MakeSettings
from tests.integration.links.conftest import BROWSER, BYTES, Link, opened, secret_of
from tests.serving import Running
from tests.unfurling import Head
from tests.waiting import wait_for

BASE = "https://replay.example.com"
NOW = datetime.now(UTC)


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    """Of an instance that one of its user's other sites may embed."""
    return make_settings(public_url=BASE, embed_origins="https://wiki.example.com")


async def test_a_link_leads_to_a_page_with_the_film(http: httpx.AsyncClient, link: Link) -> None:
    """Without a token, for browsers and for those who take anything; the film's URL is the old."""
    secret = await link(title="That <goal>")
    clip = (await http.get("/clips/c1", headers=OWNER)).json()
    assert clip["page_url"] == f"{BASE}/c/{secret}"
    assert clip["link_url"] == f"{BASE}/v1/files/file-c1?link={secret}"
    for headers in (BROWSER, {}, {"Accept": "application/json"}):
        answer = await http.get(f"/c/{secret}?t=7", headers=headers)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["x-robots-tag"] == "noindex"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "script" not in policy
    head = Head(answer.text)
    assert head.one("h1").text == "That <goal>"
    assert not head.all("script")
    source = head.one("video > source").attrs["src"]
    film = await http.get(str(httpx.URL(f"http://replay.test/c/{secret}").join(source)))
    assert (film.status_code, film.content) == (200, BYTES)
    assert film.headers["x-robots-tag"] == "noindex"
    assert film.headers["cross-origin-resource-policy"] == "cross-origin"
    assert film.headers["cache-control"] == "private, no-cache"
    assert (await http.head(f"/c/{secret}")).status_code == 200
    mine = await http.get("/v1/files/file-c1", headers=OWNER)
    assert mine.headers["cache-control"] == "no-store"


async def test_what_others_add_to_a_link_breaks_it_not(http: httpx.AsyncClient, link: Link) -> None:
    """Chats add words of their own; what is written twice counts as it was written last."""
    secret = await link()
    added = "fbclid=x&fbclid=y&utm_source=chat"
    page = await http.get(f"/c/{secret}?t=3&t=7&{added}", headers=BROWSER)
    assert page.status_code == 200
    assert Head(page.text).one("video > source").attrs["src"].endswith("#t=7.0")
    assert (await http.get(f"/c/{secret}?t=soon", headers=BROWSER)).status_code == 200
    film = await http.get(f"/v1/files/file-c1?link={secret}&{added}")
    assert (film.status_code, film.content) == (200, BYTES)
    refused = await http.get(f"/v1/files/file-c1?link={secret}&download=perhaps")
    assert (refused.status_code, refused.json()["type"]) == (422, "invalid")


async def test_the_room_of_a_clip_is_no_part_of_its_films_name(
    http: httpx.AsyncClient, link: Link
) -> None:
    secret = await link(title="")
    film = await http.get(f"/v1/files/file-c1?link={secret}")
    assert 'filename="replay 20' in film.headers["content-disposition"]
    assert "last-modified" not in film.headers
    nameless = await http.patch("/clips/c1", json={"link_tells": ["who"]}, headers=OWNER)
    film = await http.get(nameless.json()["link_url"])
    assert 'filename="replay.mp4"' in film.headers["content-disposition"]


async def test_only_pages_that_may_are_let_embed_the_player(
    http: httpx.AsyncClient, link: Link
) -> None:
    secret = await link()
    page, player = await http.get(f"/c/{secret}"), await http.get(f"/c/{secret}/embed")
    assert (page.status_code, player.status_code) == (200, 200)
    ends = [each.headers["content-security-policy"].rpartition("; ")[2] for each in (page, player)]
    assert ends == ["frame-ancestors 'none'", "frame-ancestors https://wiki.example.com"]
    gone = await http.get("/c/wrong/embed", headers=BROWSER)
    assert gone.headers["content-security-policy"].endswith(ends[1])


async def test_what_opens_nothing_is_told_kindly_and_tells_nothing(
    http: httpx.AsyncClient, link: Link, ctx: Context
) -> None:
    """What never was, a wrong secret, and a link that was turned off are one and the same."""
    off = await link()
    await http.patch("/clips/c1", json={"visibility": "private"}, headers=OWNER)
    wrong = (off, off + "x", "x" * 32, "a", "%00", "é", "x" * 500, "..%2f", "%ud800", "", f"{off}/")
    pages = [await http.get(f"/c/{each}", headers=BROWSER) for each in wrong]
    assert {(each.status_code, each.text) for each in pages} == {(404, pages[0].text)}
    head = Head(pages[0].text)
    assert head.one("h1").text == "This link doesn't work"
    assert head.meta("robots") == "noindex"
    for path in ("", "/embed", "/poster.jpg"):
        told = [await http.get(f"/c/{each}{path}") for each in wrong[:4]]
        assert {each.headers["content-type"] for each in told} == {"application/problem+json"}
        assert {each.text for each in told} == {told[0].text}
        assert (told[0].status_code, told[0].json()["type"]) == (404, "not-found")


async def test_a_link_that_was_good_says_what_became_of_it(
    http: httpx.AsyncClient, link: Link, ctx: Context
) -> None:
    secret = await link()
    past = {"$set": {"link_expires_at": datetime.now(UTC) - timedelta(seconds=1)}}
    await ctx.store.rows(ReplayClip).update_one({"_id": "c1"}, past)
    page = await http.get(f"/c/{secret}", headers=BROWSER)
    assert page.status_code == 410
    assert Head(page.text).one("h1").text == "This link has expired"
    told = await http.get(f"/c/{secret}")
    assert (told.status_code, told.json()["type"]) == (410, "gone")
    assert (await http.get(f"/v1/files/file-c1?link={secret}")).status_code == 404
    again = secret_of(await opened(http, "c1"))
    assert again != secret
    assert (await http.get(f"/c/{secret}")).status_code == 404
    await http.delete("/clips/c1", headers=OWNER)
    page = await http.get(f"/c/{again}", headers=BROWSER)
    assert page.status_code == 410
    assert Head(page.text).one("h1").text == "This clip was deleted"
    assert (await http.get(f"/c/{again}/poster.jpg")).status_code == 410


async def test_the_owner_says_who_and_when(http: httpx.AsyncClient, link: Link) -> None:
    secret = await link(title="x")
    assert "ann" in (await http.get(f"/c/{secret}")).text
    for tells in ([], ["when"], ["who"]):
        changed = await http.patch("/clips/c1", json={"link_tells": tells}, headers=OWNER)
        assert changed.json()["link_tells"] == tells
        html = (await http.get(f"/c/{secret}")).text
        told = [each.name for each in Head(html).all(".told > *")]
        assert told == ["span"] + ["span"] * ("who" in tells) + ["time"] * ("when" in tells)
    for wrong in (["where"], "who", ["who"] * 4):
        refused = await http.patch("/clips/c1", json={"link_tells": wrong}, headers=OWNER)
        assert refused.status_code == 422


async def test_others_are_told_what_was_marked_if_the_owner_lets(
    http: httpx.AsyncClient, link: Link, ctx: Context
) -> None:
    """Neither on the page nor where they list a clip of their screen; its owner is told always."""
    secret = await link(title="x")
    marked = {"shared_by": "bob", "chapters": [{"seconds": 2.5, "label": "That goal"}]}
    await ctx.store.rows(ReplayClip).update_one({"_id": "c1"}, {"$set": marked})
    for tells, told in ((["who", "when"], False), (["chapters"], True)):
        change = {"link_tells": tells}
        own = (await http.patch("/v1/clips/c1", json=change, headers=OWNER)).json()
        assert own["chapters"] == marked["chapters"]
        seen = (await http.get("/v1/clips/c1", headers=STRANGER)).json()
        assert seen["chapters"] == (marked["chapters"] if told else [])
        assert ("That goal" in (await http.get(f"/c/{secret}")).text) == told


async def test_the_picture_is_there_for_whoever_has_the_link(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    """It has the size that chats are told."""
    await share()
    body = {"room": ROOM, "last": 5, "tail": "skip", "cut": "segment", "title": "x"}
    told = (await http.post("/captures", headers=OWNER, json=body)).json()
    await work_on(ctx, told["id"])
    secret = secret_of(await opened(http, told["clip_id"]))
    card = unfurling.in_slack((await http.get(f"/c/{secret}")).text)
    assert card.image == (f"{BASE}/c/{secret}/poster.jpg", 160, 120)
    picture = await http.get(f"/c/{secret}/poster.jpg")
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
    assert picture.headers["cross-origin-resource-policy"] == "cross-origin"
    known = {"If-None-Match": picture.headers["etag"]}
    assert (await http.get(f"/c/{secret}/poster.jpg", headers=known)).status_code == 304


async def test_a_picture_that_takes_long_keeps_nobody_waiting(
    app: Running, http: httpx.AsyncClient, link: Link
) -> None:
    """Who asks for it is told so soon, and pages are answered meanwhile, however many ask."""
    secrets = [await link(f"c{number}") for number in range(3)]
    drawing, drawn = app.state["web"].drawing, asyncio.Event()
    slow = drawing.once(Kind.POSTER, "slow", lambda _: drawn.wait(), user="eve", source="eve")
    waiting = asyncio.ensure_future(slow)
    pictures = [
        asyncio.create_task(http.get(f"/c/{secret}/poster.jpg"))
        for secret in secrets[1:] * NAMELESS_AT_ONCE
    ]
    await wait_for(lambda: len(drawing._asked) == len(secrets))
    paths = f"/c/{secrets[0]}", f"/v1/files/file-c0?link={secrets[0]}"
    for path in paths:
        page = await http.get(path)
        assert page.status_code == 200
    assert not any(picture.done() for picture in pictures)
    began = time.monotonic()
    answers = await asyncio.gather(*pictures)
    assert {answer.status_code for answer in answers} == {503}
    assert {"Retry-After"} <= {*map(str.title, answers[0].headers)}
    assert time.monotonic() - began < PATIENCE_SECONDS / 2
    drawn.set()
    await waiting


async def test_oembed_tells_of_our_own_pages_and_of_no_others(
    http: httpx.AsyncClient, link: Link
) -> None:
    secret = await link(title='"<b>', width=1280, height=720)
    page = f"{BASE}/c/{secret}"
    where = unfurling.oembed_of((await http.get(f"/c/{secret}")).text) or ""
    assert where.startswith(f"{BASE}/oembed?")
    answer = await http.get(where.removeprefix(BASE))
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    frame = told.pop("html")
    assert told == {
        "type": "video",
        "version": "1.0",
        "title": '"<b>',
        "provider_name": "Replay",
        "provider_url": BASE,
        "author_name": "ann",
        "thumbnail_url": f"{page}/poster.jpg",
        "thumbnail_width": 640,
        "thumbnail_height": 360,
        "width": 1280,
        "height": 720,
    }
    element = Head(f"<!doctype html><title>x</title>{frame}").one("iframe")
    assert (element.attrs["src"], element.attrs["title"]) == (f"{page}/embed", '"<b>')

    async def asked(**query: str | int) -> httpx.Response:
        return await http.get("/oembed", params={"url": page, **query})

    small = (await asked(maxwidth=320, maxheight=1000, dnt=1)).json()
    assert (small["width"], small["height"]) == (320, 180)
    assert "thumbnail_url" not in small
    assert f"{page}/embed?t=5" in (await asked(url=f"{page}?t=5")).json()["html"]
    for url in (
        "https://evil.example/c/x",
        f"{BASE}.evil/c/{secret}",
        f"{BASE}@evil/c/{secret}",
        f"{BASE}/v1/files/file-c1?link={secret}",
        f"{page}x",
        "x",
        "http://[",
        page[6:],
    ):
        refused = await asked(url=url)
        assert (refused.status_code, refused.json()["type"]) == (404, "not-found"), url
    for wrong in ({"format": "xml"}, {"maxwidth": 0}, {"url": "x" * 3000}):
        assert (await asked(**wrong)).status_code == 422
    assert (await http.get("/oembed")).status_code == 422


async def test_views_are_counted_and_told_to_the_owner_alone(
    http: httpx.AsyncClient, link: Link, ctx: Context
) -> None:
    """A person's, once in a minute for each address; not those of programs that unfurl."""
    secret = await link()
    await ctx.store.create(Room.model_validate({"sid": "RM", "name": ROOM}))
    bob = {"sid": "PA", "room_sid": "RM", "room": ROOM, "identity": "bob", "joined_at": NOW}
    await ctx.store.create(Participant.model_validate(bob))
    looking = BROWSER | {"Sec-Fetch-Mode": "navigate"}
    for headers in (looking, looking, {}, BROWSER, {"Accept": "*/*"}):
        await http.get(f"/c/{secret}", headers=headers)
    await http.get(f"/c/{secret}/embed", headers=looking)
    await http.head(f"/c/{secret}", headers=looking)
    await http.get(f"/v1/files/file-c1?link={secret}", headers=looking)
    assert (await http.get("/clips/c1", headers=OWNER)).json()["views"] == 1
    await http.get("/c/wrong", headers=looking)
    changed = await http.patch("/clips/c1", json={"visibility": "room"}, headers=OWNER)
    assert changed.json()["views"] == 1
    visitor = await http.get("/clips/c1", headers=STRANGER)
    assert (visitor.status_code, visitor.json()["views"]) == (200, None)

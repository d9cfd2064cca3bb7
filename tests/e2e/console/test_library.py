"""The library: clips are found, watched, named, opened to others, deleted and taken back."""

from __future__ import annotations

import json
import re
import secrets
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, ViewportSize, expect

from app.models.schema import OutgoingEvent, ReplayClip
from app.processes.embedded import running_stores
from app.store import Store
from tests.e2e.conftest import World
from tests.e2e.console.conftest import SignIn, check_accessible, picture
from tests.integration.clips.rows import clip_row, file_row
from tests.rows import document
from tests.waiting import wait_for

pytestmark = pytest.mark.heavy

HOSTILE = "<img src=x onerror=alert(1)>"
MANY = 500
LONGEST_TASK_MS = 200
STAYS = ("title", "delivered", "size_bytes", "visibility")
PHONE = {"width": 360, "height": 740}
LAPTOP: ViewportSize = {"width": 1366, "height": 633}
TRACED = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"]


@dataclass
class Library:
    """Clips of lena's, of her share in `room`; `client` asks as her."""

    room: str
    clip_ids: dict[str, str]
    client: httpx.AsyncClient
    store: Store


@pytest_asyncio.fixture(scope="module")
async def library(world: World) -> AsyncIterator[Library]:
    """Made once: what is checked is what the page does with them."""
    room = f"library {secrets.token_hex(4)}"
    store = Store(running_stores(world.service.folder / "data")["MONGO_URL"])
    async with world.service.client("lena", room) as client:
        made = {}
        async with world.share(room, "lena"):
            buffer = await world.wait_for_buffer(room, seconds=4)
            # Between two key frames, which are 2 s apart: so it hides what lies before.
            start = datetime.fromisoformat(buffer["oldest"]) + timedelta(seconds=1)
            window = {"room": room, "start": start.isoformat(), "end": buffer["newest"]}
            for title, cut in ((HOSTILE, "precise"), ("Stand-up", "segment"), ("Old", "segment")):
                asked = window | {"title": title, "cut": cut}
                accepted = await client.post("/captures", json=asked)
                assert accepted.status_code == 202, accepted.text
                made[title] = accepted.json()["clip_id"]

            async def ready() -> bool:
                found = (await client.get("/clips")).json()["items"]
                return {clip["id"] for clip in found} == set(made.values())

            await wait_for(ready, what="the clips are made")
        yield Library(room, made, client, store)
    await store.close()


async def posting(page: Page, *, events: bool) -> None:
    """The service seems to post events, or not to; the page is made anew with that."""

    async def answer(route: Route) -> None:
        response = await route.fetch()
        facts = await response.json()
        facts["limits"]["events"] = events
        await route.fulfill(response=response, json=facts)

    await page.route("**/session", answer)
    await page.reload()


async def opened(page: Page, title: str) -> None:
    """Opens a clip over the grid."""
    await page.get_by_role("link", name=title, exact=True).click()
    await expect(page.get_by_role("dialog", name="Clip")).to_be_visible()


async def test_a_clip_is_watched_renamed_kept_and_shared_without_leaving_the_grid(
    library: Library, signed_in: SignIn
) -> None:
    """By keyboard where one types, at http://… too; a title that looks like markup stays text."""
    page = await signed_in("lena", room=library.room, path="/clips")
    await page.add_init_script("delete Crypto.prototype.randomUUID")
    await posting(page, events=True)
    await expect(page.get_by_role("link", name=HOSTILE, exact=True)).to_be_visible()
    await expect(page.locator(".tile")).to_have_count(3)
    await check_accessible(page)
    await opened(page, HOSTILE)
    dialog = page.get_by_role("dialog", name="Clip")
    await expect(dialog.get_by_role("heading", name=HOSTILE, exact=True)).to_be_visible()
    await page.wait_for_function("() => document.querySelector('video').currentTime > 0.2")
    await expect(dialog.locator(".film-strip button").first).to_be_visible()
    await dialog.get_by_text("Technical details").click()
    await expect(dialog.get_by_text("Hidden beginning")).to_be_visible()
    await check_accessible(page)

    await dialog.get_by_role("button", name="Rename").click()
    await dialog.get_by_role("textbox", name="Title").fill("<b>That goal</b>")
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_role("heading", name="<b>That goal</b>", exact=True)).to_be_visible()
    clip = library.clip_ids[HOSTILE]
    told = (await library.client.get(f"/clips/{clip}")).json()
    assert told["title"] == "<b>That goal</b>"

    keep = dialog.get_by_role("button", name="Never expire")
    await expect(keep).to_be_hidden()  # what never expires can't be kept from it
    soon = {"expires_at": datetime.now(UTC) + timedelta(days=1)}
    await library.store.rows(ReplayClip).update_one({"_id": clip}, {"$set": soon})
    await dialog.get_by_role("button", name="Close").click()
    await page.reload()
    await opened(page, "<b>That goal</b>")
    await keep.click()
    await expect(keep).to_have_attribute("aria-pressed", "true")
    assert (await library.client.get(f"/clips/{clip}")).json()["keep"] is True

    async with page.expect_download() as download:
        await dialog.get_by_role("link", name="Download").click()
    name = (await download.value).suggested_filename
    assert re.fullmatch(r"-b-That goal--b- [\d-]+ [\d.]+\.mp4", name)

    await dialog.get_by_text("Other formats").click()
    await dialog.get_by_role("button", name="Copy as GIF").click()
    gif = dialog.get_by_role("link", name="Download (")
    await expect(gif).to_be_visible()
    await check_accessible(page)
    async with page.expect_download() as download:
        await gif.click()
    assert (await (await download.value).path()).read_bytes().startswith(b"GIF89a")

    await dialog.get_by_role("button", name="Share to channel").click()
    await page.get_by_role("textbox", name="Channel").fill("general")
    await page.get_by_role("textbox", name="Message").fill("look <i>here</i>")
    await page.keyboard.press("Tab")
    async with page.expect_request(lambda request: request.url.endswith("/share")) as sent:
        await page.get_by_role("button", name="Share", exact=True).click()
    assert json.loads((await sent.value).post_data or "")["text"] == "look <i>here</i>"
    await expect(page.get_by_text("Sent to general.")).to_be_visible()
    wanted = {"event": "clip_shared", "data.clip_id": clip}
    event = await library.store.rows(OutgoingEvent).find_one(wanted)
    assert event is not None
    assert event["data"]["channel_id"] == "general"

    await page.keyboard.press("Escape")
    await expect(page.get_by_role("link", name="<b>That goal</b>", exact=True)).to_be_focused()
    await library.client.patch(f"/clips/{clip}", json={"title": HOSTILE, "keep": False})


async def test_its_picture_for_the_readme(library: Library, signed_in: SignIn) -> None:
    """The clips, each with its picture, within a laptop's window."""
    clip = library.clip_ids[HOSTILE]
    await library.client.patch(f"/clips/{clip}", json={"title": "The deploy that worked"})
    page = await signed_in("lena", room=library.room, path="/clips")
    try:
        named = page.get_by_role("link", name="The deploy that worked", exact=True)
        await expect(named).to_be_in_viewport()
        await expect(page.locator(".tile")).to_have_count(3)
        drawn = "() => [...document.querySelectorAll('.tile img')].every((one) => one.naturalWidth)"
        await page.wait_for_function(drawn)
        await picture(page, "console-clips.png")
    finally:
        await library.client.patch(f"/clips/{clip}", json={"title": HOSTILE})


async def test_whoever_a_clip_shows_makes_it_private_and_asks_its_owner_to_delete_it(
    library: Library, signed_in: SignIn
) -> None:
    """Its owner reads of both where the clip is, and can open it no more."""
    clips = library.store.rows(ReplayClip)
    made = await clips.find_one({"_id": library.clip_ids["Stand-up"]})
    assert made is not None
    clip_id, asks = secrets.token_hex(12), "mia asks to have this clip deleted: “A password”"
    of_mia = clip_row(
        clip_id, title="Of mia", owner="lena", shared_by="mia", room=library.room,
        room_sid=made["room_sid"], file_id=made["file_id"], visibility="room",
        audience=made["room_sid"], width=640, height=360,
    )  # fmt: skip
    await clips.insert_one(document(of_mia))
    try:
        # Its file is another clip's here, of which mia gets nothing.
        page = await signed_in(
            "mia", room=library.room, path="/clips?screen=others", tolerate="status of 404"
        )
        await expect(page.locator(".tile")).to_have_count(1)
        await opened(page, "Of mia")
        dialog = page.get_by_role("dialog", name="Clip")
        await expect(dialog.get_by_text(re.compile("lena.s clip of your screen"))).to_be_visible()
        await dialog.get_by_role("button", name="Ask to delete").click()
        asking = page.get_by_role("dialog", name="Ask lena to delete this clip?")
        await asking.get_by_label("Reason").fill("A password")
        await asking.get_by_role("button", name="Ask to delete").click()
        await expect(dialog.get_by_text("You asked lena to delete this clip.")).to_be_visible()
        await dialog.get_by_role("button", name="Make private").click()
        await expect(dialog.get_by_text("You made this clip private.")).to_be_visible()
        await check_accessible(page)

        lena = await signed_in("lena", room=library.room, path=f"/clips/{clip_id}")
        await expect(lena.get_by_text(asks)).to_be_visible()
        await expect(lena.get_by_text("mia made this clip private.")).to_be_visible()
        await expect(lena.get_by_role("button", name="Copy link")).to_be_hidden()
        await expect(lena.get_by_role("radio", name="Link")).to_be_disabled()
        await page.reload()
        await page.get_by_role("link", name="Of mia", exact=True).click()
        await dialog.get_by_role("button", name="Allow sharing again").click()
        await expect(dialog.get_by_role("button", name="Allow sharing again")).to_be_hidden()
        assert (await library.client.get(f"/clips/{clip_id}")).json()["closed_by"] is None
    finally:
        await clips.delete_one({"_id": clip_id})


async def test_a_link_opens_the_clip_for_whoever_has_it_until_it_is_revoked(
    library: Library, signed_in: SignIn, browser: Browser
) -> None:
    """Nobody is asked what the file hides; a new link ends the one before it, once it is there."""
    clip = library.clip_ids[HOSTILE]
    page = await signed_in(
        "lena", room=library.room, path=f"/clips/{clip}", tolerate="ERR_CONNECTION_FAILED"
    )
    await page.add_init_script("delete Navigator.prototype.clipboard")
    await posting(page, events=False)
    await page.get_by_role("radio", name="Link").check(force=True)
    await expect(page.get_by_text("Anyone with the link can watch.")).to_be_visible()
    field = page.get_by_role("textbox", name="Link to the clip")
    first = await field.input_value()
    await expect(page.get_by_role("button", name="Share to channel")).to_have_count(0)
    await check_accessible(page)
    assert "/c/" in first
    await page.get_by_role("button", name="Copy link").click()
    by_hand = page.get_by_role("dialog", name="Copy this link")
    await expect(by_hand.get_by_role("textbox")).to_have_value(first)
    assert await page.evaluate("() => getSelection().toString()") == first
    await by_hand.get_by_role("button", name="Done").click()

    refused: list[Any] = []

    async def refuse(route: Route) -> None:
        refused.append(route.request.post_data_json)
        await route.abort("connectionfailed")

    await page.route(f"**/clips/{clip}", refuse)
    await page.get_by_role("button", name="Reset link").click()
    await page.get_by_role("dialog").get_by_role("button", name="Reset link").click()
    await expect(page.get_by_text("Check your connection")).to_be_visible()
    await expect(field).to_have_value(first)
    await page.unroute(f"**/clips/{clip}")
    elsewhere = await browser.new_page()
    try:
        await elsewhere.goto(first)
        await elsewhere.wait_for_function("() => document.querySelector('video').videoWidth > 0")
        await page.get_by_role("button", name="Reset link").click()
        await page.get_by_role("dialog").get_by_role("button", name="Reset link").click()
        await expect(field).not_to_have_value(first)
        second = await field.input_value()
        for link, status in ((first, 404), (second, 200)):
            assert (await elsewhere.request.get(link)).status == status
        assert refused == [{"visibility": "private"}]
        await page.get_by_role("button", name="Turn off link").click()
        await expect(page.get_by_role("radio", name="Private")).to_be_checked()
        assert (await elsewhere.request.get(second)).status == 404
    finally:
        await elsewhere.context.close()


async def test_a_part_of_a_clip_is_saved_as_a_clip_where_it_is_watched(
    library: Library, signed_in: SignIn
) -> None:
    """Its ends are set where the film is, by keyboard and by dragging, in view at once."""
    clip = library.clip_ids["Stand-up"]
    before = (await library.client.get(f"/v1/clips/{clip}")).json()
    page = await signed_in("lena", room=library.room, path=f"/clips/{clip}")
    button = page.get_by_role("button", name="Trim", exact=True)
    await button.click()
    await expect(button).to_have_attribute("aria-expanded", "true")
    trimming = page.get_by_role("region", name="Trim")
    save = trimming.get_by_role("button", name="Save as new clip")
    await expect(save).to_be_disabled()  # nothing is cut off yet
    await expect(trimming.locator(".pictures > div").first).to_be_visible()
    video = page.locator(".film video")
    await video.evaluate("(video) => { video.pause(); video.currentTime = 1; }")
    await trimming.get_by_role("button", name="Start here").click()
    end = trimming.get_by_role("slider", name="End of selection")
    await end.press("ArrowLeft")
    chosen = trimming.get_by_role("status", name="Selection")
    whole = before["delivered"]["duration_seconds"]
    await expect(chosen).to_contain_text(f"0:01.0 \N{EN DASH} 0:0{whole - 1:.1f} ")
    handle, strip = await end.bounding_box(), await trimming.locator(".strip").bounding_box()
    assert handle is not None
    assert strip is not None
    middle = handle["y"] + handle["height"] / 2
    await page.mouse.move(handle["x"] + handle["width"] / 2, middle)
    await page.mouse.down()
    await page.mouse.move(strip["x"] + strip["width"] * 0.75, middle, steps=5)
    await page.mouse.up()
    at = float(await video.evaluate("(video) => video.currentTime"))
    assert at == pytest.approx(whole * 0.75, abs=0.2), "the film follows the handle"
    await check_accessible(page)
    await page.set_viewport_size(LAPTOP)
    await expect(video).to_be_in_viewport(ratio=1)
    await expect(save).to_be_in_viewport(ratio=1)
    await trimming.get_by_role("textbox", name="Title").fill("The good part")
    await save.click()
    made = trimming.get_by_role("listitem").filter(has_text="The good part")
    await expect(made.get_by_role("link", name="Open in Clips")).to_be_visible()
    await made.get_by_role("link", name="Open in Clips").click()
    await expect(page.get_by_role("heading", name="The good part", exact=True)).to_be_visible()
    await page.get_by_text("Technical details").click()
    await expect(page.get_by_role("link", name="Original clip")).to_have_attribute(
        "href", re.compile(clip)
    )
    part = (await library.client.get(f"/v1/clips/{page.url.rsplit('/', 1)[1]}")).json()
    try:
        assert part["trimmed_from"] == clip
        assert part["delivered"]["duration_seconds"] == pytest.approx(whole * 0.75 - 1, abs=0.4)
        after = (await library.client.get(f"/v1/clips/{clip}")).json()
        assert [after[what] for what in STAYS] == [before[what] for what in STAYS]
    finally:
        await library.client.delete(f"/v1/clips/{part['id']}", params={"purge": True})


async def test_a_part_replaces_its_clip_and_undo_takes_that_back(
    library: Library, signed_in: SignIn
) -> None:
    """The page follows whichever of both has the place."""
    clip = library.clip_ids["Stand-up"]
    # The player of the clip that goes may ask for it once more.
    page = await signed_in("lena", room=library.room, path=f"/clips/{clip}", tolerate="404|410")
    await page.get_by_role("button", name="Trim", exact=True).click()
    trimming = page.get_by_role("region", name="Trim")
    replace = trimming.get_by_role("button", name="Replace this clip")
    await expect(replace).to_be_disabled()
    await trimming.get_by_role("slider", name="End of selection").press("ArrowLeft")
    await replace.click()
    await expect(page.get_by_text("Replaced “Stand-up”.")).to_be_visible(timeout=30_000)
    trim = page.url.rsplit("/", 1)[1]
    assert trim != clip
    await expect(page.get_by_role("heading", name="Stand-up", exact=True)).to_be_visible()
    assert (await library.client.get(f"/v1/clips/{clip}")).status_code == 404
    await page.get_by_role("button", name="Undo").click()
    await page.wait_for_url(f"**/clips/{clip}")
    assert (await library.client.get(f"/v1/clips/{trim}")).status_code == 404
    assert (await library.client.get(f"/v1/clips/{clip}")).status_code == 200


async def test_a_deleted_clip_comes_back_by_undo_and_the_quota_follows(
    library: Library, signed_in: SignIn
) -> None:
    """One from its dialog, several from a selection; each time the bar tells the new numbers."""
    # A picture that is asked for just then is 410.
    page = await signed_in("lena", room=library.room, path="/clips", tolerate="410")
    quota = page.get_by_role("region", name="Storage").get_by_role("status")
    await expect(quota).to_contain_text("free")
    before = await quota.inner_text()
    await opened(page, "Old")
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("link", name="Old", exact=True)).to_have_count(0)
    await expect(quota).not_to_have_text(before)
    assert (await library.client.get(f"/clips/{library.clip_ids['Old']}")).status_code == 404
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("link", name="Old", exact=True)).to_be_visible()
    await expect(quota).to_have_text(before)

    await page.get_by_role("button", name="Select", exact=True).click()
    for title in ("Old", "Stand-up"):
        await page.get_by_role("checkbox", name=f"Select {title}").check()
    await check_accessible(page)
    chosen = page.get_by_role("region", name="Selected clips")
    await expect(chosen).to_contain_text("2 selected")
    saved: list[str] = []
    page.on("download", lambda each: saved.append(each.suggested_filename))
    await chosen.get_by_role("button", name="Download", exact=True).click()
    await expect(page.get_by_text("Downloading 2 clips.")).to_be_visible()
    await wait_for(lambda: len(saved) == 2, what="both are downloaded")
    assert {name.split(" ")[0] for name in saved} == {"Old", "Stand-up"}
    async with page.expect_download() as archive:
        await chosen.get_by_role("button", name="Download as zip").click()
    await expect(page.get_by_text("Downloading a zip of")).to_be_visible()
    with zipfile.ZipFile(await (await archive.value).path()) as found:
        assert found.testzip() is None
        assert {name.split(" ")[0] for name in found.namelist()} == {"Old", "Stand-up"}
    await chosen.get_by_role("button", name="Delete").click()
    await expect(page.locator(".tile")).to_have_count(1)
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(".tile")).to_have_count(3)
    await expect(quota).to_have_text(before)


async def test_what_was_deleted_is_restored_or_deleted_for_good_afterwards(
    library: Library, signed_in: SignIn
) -> None:
    """On a page of its own, long after the message that offered to undo it has gone."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    secret = clip_row(
        secrets.token_hex(12), title="A password", owner="lena", shared_by="lena",
        room=library.room, created_at=yesterday, deleted_at=yesterday,
    )  # fmt: skip
    assert await library.store.create(secret)
    assert await library.store.create(file_row(secret))
    await library.client.delete(f"/clips/{library.clip_ids['Old']}")
    page = await signed_in("lena", room=library.room, path="/clips")
    await page.get_by_role("link", name="Recently deleted").click()
    await expect(page.get_by_role("heading", name="Recently deleted")).to_be_visible()
    rows = page.get_by_role("table", name="Recently deleted").get_by_role("row")
    purged = rows.filter(has_text="A password")
    await expect(purged).to_contain_text("yesterday")
    await expect(purged).to_contain_text("in 5 days")
    await check_accessible(page)
    await page.get_by_role("button", name="Restore “Old”").click()
    await expect(page.get_by_text("Restored “Old”.")).to_be_visible()
    await expect(rows.filter(has_text="Old")).to_have_count(0)
    await purged.get_by_role("button", name="Delete for good: “A password”").click()
    sure = page.get_by_role("dialog", name="Delete for good: “A password”")
    await sure.get_by_role("button", name="Delete for good").click()
    await expect(purged).to_have_count(0)
    left = await library.client.get("/clips", params={"deleted": True})
    assert not {"A password", "Old"} & {item["title"] for item in left.json()["items"]}
    await page.get_by_role("link", name="Clips").last.click()
    await expect(page.get_by_role("link", name="Old", exact=True)).to_be_visible()


async def test_others_see_what_is_open_to_them_and_change_nothing(
    library: Library, signed_in: SignIn, world: World
) -> None:
    """Who has no part in a clip is told that there is none; on a phone as well."""
    clip = library.clip_ids["Stand-up"]
    stranger = await signed_in("mallory", room=library.room, viewport=PHONE, tolerate="404|410")
    await stranger.evaluate("(id) => { location.hash = `/clips/${id}`; }", clip)
    await expect(stranger.get_by_text("not shared with you")).to_be_visible()
    await stranger.evaluate("() => { location.hash = '/clips'; }")
    await expect(stranger.get_by_text("No clips yet.")).to_be_visible()
    await check_accessible(stranger)
    operator = await signed_in(admin=True, path=f"/clips/{clip}")
    await expect(operator.get_by_role("heading", name="Stand-up", exact=True)).to_be_visible()
    await expect(operator.get_by_role("button", name="Delete", exact=True)).to_be_visible()
    phone = await signed_in("lena", room=library.room, viewport=PHONE, path=f"/clips/{clip}")
    await expect(phone.get_by_role("heading", name="Stand-up", exact=True)).to_be_visible()
    await check_accessible(phone)
    wide = await phone.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= PHONE["width"]


def longest_task_ms(trace: bytes) -> float:
    """Of a trace, the most of the processor that one task took, in milliseconds.

    Its own time, not the clock's: that also counts whoever else uses the machine.
    """
    events = json.loads(trace)["traceEvents"]
    taken = [event.get("tdur", 0) for event in events if event["name"].endswith("RunTask")]
    assert taken, "the trace holds no tasks"
    return float(max(taken)) / 1000


@pytest_asyncio.fixture
async def many(library: Library) -> AsyncIterator[str]:
    """Five hundred clips of somebody's, one file for all; gives whose."""
    rows = library.store.rows(ReplayClip)
    like = await rows.find_one({"_id": library.clip_ids["Stand-up"]})
    assert like is not None
    now = datetime.now(UTC)
    docs = []
    for number in range(MANY):
        at = now - timedelta(minutes=number)
        row = clip_row(
            f"many-{number}", created_at=at, title=f"Clip {number}", owner="max",
            file_id=like["file_id"], room=library.room if number % 2 else "elsewhere",
            width=640, height=360,
        )  # fmt: skip
        docs.append(document(row))
    await rows.insert_many(docs)
    yield "max"
    await rows.delete_many({"owner": "max"})


async def test_five_hundred_clips_stay_responsive_and_filters_are_links(
    many: str, library: Library, signed_in: SignIn, browser: Browser
) -> None:
    """No task of the page takes 200 ms of the processor; back goes to the filters before."""
    page = await signed_in(many)
    await browser.start_tracing(page=page, categories=TRACED)
    await page.evaluate("() => { location.hash = '/clips'; }")
    count = page.locator(".state")
    await expect(page.get_by_role("link", name="Clip 0", exact=True)).to_be_visible()
    while "more" in await count.inner_text():
        shown = await page.locator(".tile").count()
        await page.mouse.wheel(0, 20_000)
        await page.wait_for_function(
            "(shown) => document.querySelectorAll('.tile').length > shown", arg=shown
        )
    await expect(page.locator(".tile")).to_have_count(MANY)
    await expect(count).to_have_text(f"{MANY} clips")

    await page.get_by_role("searchbox", name="Title").fill("clip 49")
    await expect(page.locator(".tile")).to_have_count(11)
    await expect(page).to_have_url(re.compile("title=clip"))
    await page.get_by_role("combobox", name="Created").select_option(label="In the last 24 hours")
    await page.get_by_role("combobox", name="Room").fill("elsewhere")
    await expect(page.locator(".tile")).to_have_count(5)
    assert longest_task_ms(await browser.stop_tracing()) < LONGEST_TASK_MS
    await page.go_back()
    await expect(page.locator(".tile")).to_have_count(11)
    await expect(page.get_by_role("combobox", name="Created")).to_have_value("")
    await page.get_by_role("searchbox", name="Title").fill("nothing is called so")
    await expect(page.get_by_text("No clips match.")).to_be_visible()


async def test_one_click_on_a_tile_makes_the_link_copies_it_and_says_so(
    library: Library, signed_in: SignIn, browser: Browser
) -> None:
    """Whoever follows it sees the film without script, and the owner that somebody did."""
    clip = library.clip_ids["Stand-up"]
    page = await signed_in("lena", room=library.room, path="/clips")
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.get_by_role("button", name="Copy link to Stand-up").click()
    await expect(page.get_by_text("Link copied. Anyone with the link can watch.")).to_be_visible()
    link = await page.evaluate("() => navigator.clipboard.readText()")
    told = (await library.client.get(f"/clips/{clip}")).json()
    assert (told["page_url"], told["views"]) == (link, 0)
    context = await browser.new_context(java_script_enabled=False)
    try:
        follower = await context.new_page()
        await follower.goto(f"{link}?t=1")
        await expect(follower.get_by_role("heading", name="Stand-up")).to_be_visible()
        await expect(follower.get_by_text("lena's screen")).to_be_visible()
        source = follower.locator("video > source")
        await expect(source).to_have_attribute("src", re.compile(r"#t=1\.0$"))
        async with follower.expect_download():
            await follower.get_by_role("link", name="Download").click()
        missing = await follower.goto(f"{link}x")
        assert missing is not None
        assert missing.status == 404
        await expect(follower.get_by_role("heading", name="This link doesn't work")).to_be_visible()
    finally:
        await context.close()
    assert (await library.client.get(f"/clips/{clip}")).json()["views"] == 1
    await library.client.patch(f"/clips/{clip}", json={"visibility": "private"})

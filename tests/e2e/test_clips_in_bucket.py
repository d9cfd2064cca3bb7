"""A service whose clips are in a bucket, as people meet it: in the browser, at the terminal."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import ConsoleMessage, Page, async_playwright, expect

from deploy.local.seaweed import Seaweed
from tests.e2e.browser import CHROMIUM
from tests.e2e.conftest import World, whole_world
from tests.e2e.test_terminal import _capture
from tests.object_front import ObjectFront
from tests.waiting import PATIENCE_SECONDS, wait_for

TITLE = "That goal"


@pytest_asyncio.fixture(scope="module")
async def front(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ObjectFront]:
    """What stands before a SeaweedFS that has a bucket; its `settings` are those of a service."""
    async with Seaweed(tmp_path_factory.mktemp("seaweed")) as store:
        await store.make_bucket("clips")
        async with ObjectFront(store.endpoint).served() as served:
            served.settings = store.clip_settings("clips") | {"S3_ENDPOINT": served.endpoint}
            yield served


@pytest_asyncio.fixture(scope="module")
async def world(
    front: ObjectFront, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("bucket-world")
    async with whole_world(folder, **front.settings) as made:
        yield made


@pytest_asyncio.fixture
async def page() -> AsyncIterator[Page]:
    """A page of Chromium that breaks no policy of ours."""
    told: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            told.append(message.text)

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        opened = await browser.new_page()
        opened.set_default_timeout(PATIENCE_SECONDS * 1000)
        opened.on("console", listen)
        yield opened
        await browser.close()
    assert told == []


@pytest.mark.heavy
async def test_a_clip_is_made_watched_and_saved(
    world: World, front: ObjectFront, page: Page, room: str, tmp_path: Path
) -> None:
    """The bytes come from the bucket; where its URL has ended, the film goes on by another."""
    output = tmp_path / "clip.mp4"
    async with world.share(room), world.service.client("alice", room) as client:
        await world.wait_for_buffer(room, seconds=4)
        code, _, error = await _capture(world, room, "alice", "--last", "4s", "-o", str(output))
        assert (code, error) == (0, "")
        asked = {"room": room, "last": 3, "title": TITLE}
        told = (await client.post("/captures", json=asked)).json()

        async def ready() -> bool:
            return (await client.get(f"/clips/{told['clip_id']}")).status_code == 200

        await wait_for(ready)
        clip = (await client.get(f"/clips/{told['clip_id']}")).json()
    assert output.read_bytes()[4:8] == b"ftyp"
    assert front.count("^GET /clips/replay/clips/replays/.*X-Amz-Signature") == 1

    refused = 0

    def once() -> None:
        nonlocal refused
        refused += 1
        if refused == 2:
            front.heal()

    front.answer("^GET .*X-Amz-Signature", 403, "AccessDenied")
    front.before = once
    await page.goto(f"{world.service.url}/#token={world.service.token('alice', room)}")
    await expect(page.locator("#who .identity")).to_have_text("alice")
    await page.evaluate("() => { location.hash = '/clips'; }")
    await page.get_by_role("link", name=TITLE, exact=True).click()
    await page.wait_for_function("() => document.querySelector('video')?.currentTime > 0.2")
    assert refused >= 2
    source = await page.evaluate("() => document.querySelector('video').currentSrc")
    assert source.startswith(world.service.url)
    await expect(page.get_by_role("dialog").locator(".film-strip button").first).to_be_visible()

    async with page.expect_download() as saving:
        await page.get_by_role("dialog").get_by_role("link", name="Download").click()
    saved = await saving.value
    assert saved.suggested_filename.startswith(TITLE)
    assert saved.suggested_filename.endswith(".mp4")
    content = Path(await saved.path()).read_bytes()
    assert clip["checksum"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert page.url.startswith(world.service.url)
    await _watched_by_link(world, front, page, room, clip["id"])


async def _watched_by_link(
    world: World, front: ObjectFront, page: Page, room: str, clip_id: str
) -> None:
    """Strangers play and save it by its link's page, from the bucket too."""
    async with world.service.client("alice", room) as client:
        asked = await client.patch(f"/clips/{clip_id}", json={"visibility": "link"})
        opened = asked.json()
    async with httpx.AsyncClient() as anybody:

        async def prepared() -> bool:
            return (await anybody.get(opened["link_url"])).status_code == 307

        await wait_for(prepared)
    await page.goto(opened["page_url"])
    before = front.count("^GET .*X-Amz-Signature")
    await page.evaluate("() => { document.querySelector('video').play(); }")
    await page.wait_for_function("() => document.querySelector('video').currentTime > 0.2")
    async with page.expect_download() as saving:
        await page.get_by_role("link", name="Download").click()
    saved = await saving.value
    assert saved.suggested_filename.endswith(".mp4")
    assert Path(await saved.path()).read_bytes()[4:8] == b"ftyp"
    assert front.count("^GET .*X-Amz-Signature") > before
    assert page.url == opened["page_url"]

"""All screens of a room: two real shares that are played in step, and captured together."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from urllib.parse import quote

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from deploy.local import picture_clock
from tests.e2e.conftest import World
from tests.e2e.console.conftest import check_accessible, signed_in_page
from tests.e2e.console.desk import CELLS, FRAME_SECONDS, no_wider_than_its_window, until
from tests.waiting import wait_for

pytestmark = pytest.mark.heavy

IN_STEP_SECONDS = 0.15
NEARLY_SECONDS = 30  # a slow machine's, with whom everything comes late
PICTURES = 2 * FRAME_SECONDS  # each film shows a picture for so long
IN_A_ROW = 6
BOTH = f"(videos) => videos.map({CELLS})"
SHOWN = "(video) => video.readyState >= 2 && !video.seeking && !video.closest('.blank')"


@pytest_asyncio.fixture(scope="module")
async def room(world: World) -> AsyncIterator[str]:
    """Two people share their screens; there are 15 s of both."""
    name = f"two screens {secrets.token_hex(2)}"
    async with world.share(name, "alice"), world.share(name, "bob", "--no-audio"):

        async def there() -> bool:
            found = await world.buffers(name)
            return len(found) == 2 and all(each["seconds"] >= 15 for each in found)

        await wait_for(there, what="15 s of both")
        yield name


def screens(page: Page) -> Locator:
    return page.locator(".screens video")


async def both_shown(page: Page) -> None:
    await expect(screens(page)).to_have_count(2)
    for place in range(2):
        await until(screens(page).nth(place), SHOWN, what=f"the film of screen {place}")


async def apart(page: Page, near: float) -> float:
    """How many seconds lie between the burnt-in clocks of the pictures that are shown at once."""
    clocks = []
    for shown in await screens(page).evaluate_all(BOTH):
        cells = np.zeros((12, 16), np.uint8)
        cells[:2] = shown
        clocks.append(picture_clock.nearest(picture_clock.read_clock(cells), near))
    return clocks[0] - clocks[1]


async def test_what_comes_of_all_screens_is_followed_in_step(
    world: World, browser: Browser, room: str
) -> None:
    path = f"/rooms/{quote(room)}"
    async with signed_in_page(browser, world.service, admin=True, path=path) as page:
        await both_shown(page)
        now = time.time()
        still = await apart(page, now)  # what the two recordings differ by themselves
        live = page.get_by_role("button", name="Watch live")
        await live.click()
        await expect(live).to_have_attribute("aria-pressed", "true")
        clocks: list[float] = []
        in_step = 0

        async def goes_in_step() -> bool:
            nonlocal in_step
            try:
                off = abs(await apart(page, now) - still)
            except ValueError:  # one of them shows nothing yet
                return False
            clocks.append(await moment_shown(page))
            in_step = in_step + 1 if off <= IN_STEP_SECONDS + PICTURES else 0
            return in_step >= IN_A_ROW and clocks[-1] > clocks[0] + 4

        await wait_for(goes_in_step, what="both are followed in step")
        assert time.time() - clocks[-1] < NEARLY_SECONDS
        await check_accessible(page)
        await page.get_by_role("button", name="Capture all screens").click()
        await expect(page.locator(".job.ready")).to_have_count(2)
        await expect(live).to_have_attribute("aria-pressed", "true")

        await page.keyboard.press("ArrowLeft")
        await expect(live).to_have_attribute("aria-pressed", "false")
        await both_shown(page)
        assert abs(await apart(page, now) - still) <= IN_STEP_SECONDS + PICTURES
        await live.click()
        clocks.clear()
        await wait_for(goes_in_step, what="both are followed again")


async def moment_shown(page: Page) -> float:
    """The instant that the page says is shown, in Unix seconds."""
    title = await page.locator(".playing .within").get_attribute("title") or ""
    return datetime.fromisoformat(title.removesuffix(" UTC") + "Z").timestamp()


async def test_of_more_than_four_screens_each_can_be_brought_in(
    world: World, browser: Browser
) -> None:
    people = ["ann", "ben", "cleo", "dora", "emil"]
    name = f"five screens {secrets.token_hex(2)}"

    def there(who: str) -> Callable[[], Awaitable[bool]]:
        async def is_there() -> bool:
            found = {each["identity"]: each["seconds"] for each in await world.buffers(name)}
            return bool(found.get(who, 0) >= 3)

        return is_there

    for who in people[:-1]:  # one after another: what they have shared stays for a while
        async with world.share(name, who, "--no-audio"):
            await wait_for(there(who), what=f"3 s of {who}")
    async with world.share(name, people[-1], "--no-audio"):
        await wait_for(there(people[-1]), what="3 s of the last")
        path = f"/rooms/{quote(name)}"
        async with signed_in_page(browser, world.service, admin=True, path=path) as page:
            await expect(screens(page)).to_have_count(4)
            shown = await page.locator(".one h2").all_inner_texts()
            [other] = set(people) - set(shown)
            bring = page.get_by_role("button", name=other)
            await bring.click()
            await expect(page.locator(".one h2").get_by_text(other)).to_be_visible()
            await expect(screens(page)).to_have_count(4)
            taken = await page.locator(".one h2").all_inner_texts()
            [left] = set(shown) - set(taken)
            await expect(page.locator(".others").get_by_role("button", name=left)).to_be_visible()
            theirs = page.locator(".one").filter(has_text=other)
            await expect(theirs).to_contain_text("Stopped sharing")  # at the newest moment of all
            await page.get_by_role("slider", name="Moment shown").fill("1000")
            await until(theirs.locator("video"), SHOWN, what="the film of who was brought in")
            await check_accessible(page)
            await page.get_by_role("button", name="Go to the newest moment").click()
            await expect(page.locator(".one h2")).to_have_text(taken)  # who is chosen stays
            for width, height in ((1366, 633), (390, 844)):
                await page.set_viewport_size({"width": width, "height": height})
                await no_wider_than_its_window(page)


async def moment(page: Page) -> int:
    return int(await page.get_by_role("slider", name="Moment shown").input_value())


async def test_all_screens_of_a_room_play_in_step_and_are_captured_together(
    world: World, browser: Browser, room: str
) -> None:
    async with signed_in_page(browser, world.service, admin=True) as page:
        mine = page.get_by_role("listitem").filter(has_text=room)
        await mine.get_by_role("link", name="All screens").first.click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(f"All screens in {room}")
        await both_shown(page)
        now = float(await page.evaluate("Date.now() / 1000"))
        still = await apart(page, now)  # what the two recordings differ by themselves

        await page.keyboard.press("Space")
        await expect(page.get_by_role("button", name="Pause")).to_be_visible()
        begun = await moment(page)
        in_step = 0

        async def keeps_step() -> bool:
            nonlocal in_step
            off = abs(await apart(page, now) - still)
            in_step = in_step + 1 if off <= IN_STEP_SECONDS + PICTURES else 0
            return in_step >= IN_A_ROW

        await wait_for(keeps_step, what="both films are in step")
        assert await moment(page) > begun
        await page.get_by_role("button", name="Pause").click()
        await expect(page.get_by_role("button", name="Play")).to_be_visible()
        slider = page.get_by_role("slider", name="Moment shown")
        paused = int(await slider.get_attribute("max") or "") // 200 * 100  # there are both
        await slider.fill(str(paused))
        await page.keyboard.press("ArrowLeft")

        async def went_back() -> bool:
            return paused - await moment(page) in range(900, 1_101)

        await wait_for(went_back, what="one second back")
        await both_shown(page)

        await hears_one_at_a_time(page)
        await check_accessible(page)
        await page.get_by_role("button", name="Capture all screens").click()
        await expect(page.get_by_role("heading", name="2 clips of one moment")).to_be_focused()
        await expect(page.locator(".job.ready")).to_have_count(2)
        await page.get_by_role("button", name="One video, side by side").click()
        download = page.locator(".moments").get_by_role("link", name="Download")
        await expect(download).to_be_visible(timeout=60_000)
        await check_accessible(page)
        await page.set_viewport_size({"width": 390, "height": 844})
        await no_wider_than_its_window(page)
        await page.get_by_role("link", name="Show in Clips").click()
        await expect(page.get_by_text("Only clips of one moment.")).to_be_visible()
        await expect(page.locator(".clips .tile:not(.ghost)")).to_have_count(2)


async def hears_one_at_a_time(page: Page) -> None:
    """All are mute at first; a share without sound has nothing to be heard."""
    assert await screens(page).evaluate_all("(all) => all.map((each) => each.muted)") == [True] * 2
    await page.get_by_role("button", name="Hear alice").click()
    await expect(page.get_by_role("button", name="Mute alice")).to_be_visible()
    await expect(page.get_by_role("button", name="Hear bob")).to_have_count(0)


async def test_a_share_that_is_deleted_meanwhile_is_shown_no_longer(
    world: World, browser: Browser, room: str
) -> None:
    path = f"/rooms/{quote(room)}"
    async with signed_in_page(browser, world.service, admin=True, path=path) as page:
        await both_shown(page)
        [bobs] = [each for each in await world.buffers(room) if each["identity"] == "bob"]
        erased = await world.admin.delete(f"/buffers/{bobs['id']}")
        assert erased.status_code == 204
        theirs = page.locator(f"section[data-id='{bobs['id']}']")
        await expect(theirs).to_contain_text("No longer available")
        await expect(theirs.locator("video")).to_be_hidden()
        await expect(page.locator("section.one:not(.blank)")).to_have_count(1)

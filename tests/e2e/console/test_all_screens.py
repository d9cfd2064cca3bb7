"""All screens of a room: two real shares that are played in step, and captured together."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

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
    path = f"/rooms/{room.replace(' ', '%20')}"
    async with signed_in_page(browser, world.service, admin=True, path=path) as page:
        await both_shown(page)
        [bobs] = [each for each in await world.buffers(room) if each["identity"] == "bob"]
        erased = await world.admin.delete(f"/buffers/{bobs['id']}")
        assert erased.status_code == 204
        theirs = page.locator(f"section[data-id='{bobs['id']}']")
        await expect(theirs).to_contain_text("No longer available")
        await expect(theirs.locator("video")).to_be_hidden()
        await expect(page.locator("section.one:not(.blank)")).to_have_count(1)

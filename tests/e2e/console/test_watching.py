"""What is being recorded, watched nearly as it happens, and clipped without leaving it."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.e2e.conftest import World
from tests.e2e.console.conftest import Shared, SignIn, check_accessible
from tests.e2e.console.desk import desk, film_shown, no_wider_than_its_window, shown_clock, until
from tests.waiting import wait_for

pytestmark = pytest.mark.heavy

NEARLY_SECONDS = 20  # a slow machine's, with whom everything comes late
PLAYS = "(video) => video.readyState >= 2 && !video.paused"
HIDE = """
(hidden) => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event('visibilitychange'));
}
"""
INSET = """
(video) => {
  Object.defineProperty(document, 'pictureInPictureElement', { configurable: true, value: video });
}
"""
# What a browser does to a page in which nobody has pressed anything.
REFUSED = """
() => {
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    if (this.muted) return play.call(this);
    return Promise.reject(new DOMException('nobody has pressed anything', 'NotAllowedError'));
  };
}
"""


def picture(page: Page) -> Locator:
    return page.locator("video.live-picture")


async def plays_on(page: Page, seconds: float) -> float:
    """Waits until the live picture's clock has gone on by so much; the clock then."""
    clocks: list[float] = []

    async def went_on() -> bool:
        if await picture(page).evaluate(PLAYS):
            with suppress(ValueError):  # another film has just begun, and shows nothing yet
                clocks.append(await shown_clock(picture(page), time.time()))
        return len(clocks) > 1 and clocks[-1] >= clocks[0] + seconds

    await wait_for(went_on, what=f"{seconds} s more of the live picture")
    return clocks[-1]


async def test_a_share_is_watched_live_clipped_and_looked_back_at(
    world: World, browser: Browser, shared: Shared
) -> None:
    async with desk(world, browser, shared) as page:
        await page.get_by_role("button", name="Watch live").click()
        await expect(page.get_by_role("button", name="Clip this")).to_be_focused()
        shown = await plays_on(page, 3)
        assert time.time() - shown < NEARLY_SECONDS
        await check_accessible(page)

        await page.get_by_label("How much to clip").select_option("15")
        await page.keyboard.press("Tab")
        await page.keyboard.press("k")
        await expect(page.get_by_text("Saved the last 15 s of alice.")).to_be_visible()
        await plays_on(page, 1)  # it was not left for that
        await expect(page.locator(".job.ready")).to_have_count(1)

        at = await shown_clock(picture(page), time.time())
        await page.keyboard.press("ArrowLeft")
        await expect(picture(page)).to_have_count(0)
        await film_shown(page)
        film = page.locator(".screen video")
        assert abs(await shown_clock(film, at) - (at - 1)) < 3
        await expect(page.get_by_role("group", name="Playback")).to_have_count(1)

        await page.get_by_role("button", name="Back to live").click()
        assert await plays_on(page, 1) > at
        await page.get_by_role("button", name="Pause").click()
        await expect(page.get_by_role("button", name="Back to live")).to_be_focused()
        await film_shown(page)
        await page.set_viewport_size({"width": 390, "height": 844})
        await page.keyboard.press("v")
        await plays_on(page, 1)
        await no_wider_than_its_window(page)


async def test_nothing_is_fetched_of_a_live_picture_that_nobody_sees(
    shared: Shared, signed_in: SignIn
) -> None:
    page = await signed_in("alice", room=shared.room)
    await page.get_by_role("link", name="Watch live: alice").click()
    await plays_on(page, 1)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.evaluate(HIDE, True)
    await until(picture(page), "(video) => video.paused", what="it stands")
    looked = ["playlist.m3u8", "/segments/"]
    asked.clear()
    buffer = f"/buffers/{shared.buffer_id}"

    async def read_again() -> bool:
        """The rest of the page goes on: it has heard of newer media."""
        return len([each for each in asked if each.endswith(buffer)]) >= 3

    await wait_for(read_again, what="news of the share")
    assert not [each for each in asked if any(part in each for part in looked)]
    await page.evaluate(HIDE, False)
    shown = await plays_on(page, 1)
    assert time.time() - shown < NEARLY_SECONDS


async def test_a_live_picture_in_picture_goes_on_in_a_hidden_tab(
    shared: Shared, signed_in: SignIn
) -> None:
    page = await signed_in("alice", room=shared.room)
    await page.get_by_role("link", name="Watch live: alice").click()
    await plays_on(page, 1)
    await picture(page).evaluate(INSET)
    await page.evaluate(HIDE, True)
    shown = await plays_on(page, 8)  # more than was there
    assert time.time() - shown < NEARLY_SECONDS


async def test_a_live_picture_that_had_to_be_silent_leaves_the_player_its_sound(
    shared: Shared, signed_in: SignIn
) -> None:
    page = await signed_in("alice", room=shared.room)
    await page.evaluate(REFUSED)
    await page.get_by_role("link", name="Watch live: alice").click()
    await plays_on(page, 1)
    assert await picture(page).evaluate("(video) => video.muted")
    await page.get_by_role("button", name="Pause").click()
    await expect(picture(page)).to_have_count(0)
    assert not await page.locator(".screen video").evaluate("(video) => video.muted")

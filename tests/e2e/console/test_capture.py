"""From a selection to a clip that plays in its place."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.e2e.conftest import World
from tests.e2e.console.conftest import Shared
from tests.e2e.console.desk import (
    FRAME_SECONDS,
    desk,
    ends_as_asked,
    handle,
    lasts,
    recorded_clocks,
    select,
    selected,
    shown_clock,
    until,
)
from tests.waiting import wait_for

TITLE = "<img src=x onerror=alert(1)> what a shot"
# Chromium logs each of the answers that are given here to see what is told of them.
PROVOKED = "Failed to load resource"
LATER_SECONDS = 30
"""What a capture waits for: a slow page has seen it wait, and the service has ended, before."""


@pytest_asyncio.fixture(scope="module")
async def page(world: World, browser: Browser, shared: Shared) -> AsyncIterator[Page]:
    async with desk(world, browser, shared, tolerate=PROVOKED) as opened:
        yield opened


def job(page: Page, title: str) -> Locator:
    return page.locator(".job").filter(has=page.get_by_role("heading", name=title, exact=True))


async def capture(page: Page, title: str, post_roll: int = 0) -> Locator:
    await page.get_by_label("Title").fill(title)
    more = page.get_by_label("Keep recording for")
    if not await more.is_visible():
        await page.get_by_text("Options", exact=True).click()
    await more.fill(str(post_roll))
    await page.get_by_role("button", name="Capture", exact=True).click()
    return job(page, title)


async def test_a_selection_becomes_a_clip_that_plays_in_its_place(
    world: World, shared: Shared, page: Page
) -> None:
    """The first picture shows the asked moment; the title is text, whatever stands in it."""
    start, end = await select(page, 4)
    made = await capture(page, TITLE)
    await expect(made.get_by_text("Ready.")).to_be_visible()
    video = made.locator("video")
    await expect(video).to_be_visible()
    await until(video, "(video) => video.currentTime > 0.5", what="the clip plays")
    await video.evaluate(
        """(video) => new Promise((resolve) => {
          video.pause();
          video.requestVideoFrameCallback(resolve);
          video.currentTime = 0;
        })"""
    )
    first, *_ = await recorded_clocks(world, shared, start, end)
    assert await shown_clock(video, start) == pytest.approx(first, abs=FRAME_SECONDS)
    assert await lasts(video, end - start)
    for fact in ("Requested", "Got", "Size"):
        await expect(made.get_by_text(fact, exact=True)).to_be_visible()
    assert await page.locator("main img[src='x']").count() == 0
    await expect(made.get_by_role("button", name="Copy link")).to_be_visible()
    await expect(made.get_by_role("link", name="Open in Clips")).to_have_attribute(
        "href", re.compile("^#/clips/[0-9a-f]{24}$")
    )


async def test_what_came_since_my_last_clip_is_chosen_at_a_press(page: Page) -> None:
    """Of this share: a clip of another one, of the same person in the same room, is none of it."""
    await select(page, 3)
    # before the newest moment: there has to be something since
    await handle(page, "End").press("ArrowLeft")
    _, end = await selected(page)
    made = await capture(page, "Until here")
    await expect(made.get_by_text("Ready.")).to_be_visible()
    await page.get_by_role("button", name="Last 30 s").click()
    await page.get_by_role("button", name="Since my last clip").click()
    await wait_for(lambda: _begins(page, end), what="the selection begins where the clip ends")

    async def of_another_share(route: Route) -> None:
        answer = await route.fetch()
        told = await answer.json()
        for clip in told["items"]:
            clip["buffer_id"] = "another"
        await route.fulfill(response=answer, json=told)

    await page.route("**/clips?*", of_another_share)
    await page.get_by_role("button", name="Since my last clip").click()
    await expect(page.get_by_text("No clip of this share yet.")).to_be_visible()
    await page.unroute("**/clips?*")


async def _begins(page: Page, at: float) -> bool:
    begin, _ = await selected(page)
    return ends_as_asked(at, begin)


async def test_a_capture_waits_for_the_moment_and_can_be_cancelled(page: Page) -> None:
    """With this moment included and more to come it waits; cancelled, it says so."""
    await select(page, 3)
    await page.get_by_role("button", name="Clip up to now").click()
    await expect(page.locator(".summary")).to_contain_text("up to now")
    made = await capture(page, "Too late", post_roll=40)
    await expect(made.get_by_text("Waiting for the end")).to_be_visible()
    await made.get_by_role("button", name="Cancel").click()
    await expect(made.get_by_text("Cancelled.")).to_be_visible()
    await made.get_by_role("button", name="Hide Too late").click()
    await expect(made).to_have_count(0)


async def test_an_answer_that_is_lost_makes_no_second_clip(page: Page) -> None:
    """It is asked for again with the same key, and is the same capture."""
    keys: list[str] = []
    accepted: list[str] = []

    async def lose_the_first(route: Route) -> None:
        keys.append((await route.request.all_headers())["idempotency-key"])
        answer = await route.fetch()
        accepted.append((await answer.json())["id"])
        if len(keys) == 1:
            await route.abort("connectionreset")
        else:
            await route.fulfill(response=answer)

    await select(page, 2)
    await page.route("**/captures", lose_the_first)
    made = await capture(page, "Once")
    await expect(made.get_by_text("Ready.")).to_be_visible()
    await page.unroute("**/captures", lose_the_first)
    await expect(made).to_have_count(1)
    assert len(keys) == 2
    assert len(set(keys)) == len(set(accepted)) == 1


REFUSALS: dict[str, tuple[int, dict[str, Any], str]] = {
    "quota-exceeded": (
        507,
        {"quota_bytes": 5e9, "used_bytes": 4e9, "reserved_bytes": 0, "needed_bytes": 2e9},
        "about 2 GB, and 1 GB of your 5 GB are left. Delete clips",
    ),
    "too-many-captures": (
        429,
        {"retry_after": 4.2, "limit": 16},
        "16 captures running. Cancel one, or try again in 5 s",
    ),
    "window-too-long": (413, {"max_seconds": 600}, "up to 10:00 long. Select less"),
    "buffer-empty": (
        409,
        {"retry_after": 5},
        "Nothing has been recorded yet. Try again in 5 s",
    ),
    "not-permitted": (403, {}, "Not allowed: says why"),
    "storage-full": (507, {}, "Tell your admin"),
    "gone": (410, {}, "has been deleted. Select something newer"),
}


def answering(status: int, document: dict[str, Any]) -> Callable[[Route], Awaitable[None]]:
    async def answer(route: Route) -> None:
        body = json.dumps(document)
        await route.fulfill(status=status, content_type="application/problem+json", body=body)

    return answer


async def test_each_refusal_is_told_in_words_with_what_to_do(page: Page) -> None:
    """Numbers and all."""
    await select(page, 2)
    for slug, (status, extra, words) in REFUSALS.items():
        document = {"type": slug, "title": slug, "status": status, "detail": "says why"} | extra
        await page.route("**/captures", answering(status, document))
        await page.get_by_role("button", name="Capture", exact=True).click()
        await expect(page.locator("form.capture").get_by_role("alert")).to_contain_text(words)
        await page.unroute("**/captures")


async def test_a_capture_outlives_a_restart_of_the_service(world: World, page: Page) -> None:
    """What was asked for before is made after it, and the page follows it over the gap."""
    await select(page, 2)
    start, end = await selected(page)
    made = await capture(page, "Persistent", post_roll=LATER_SECONDS)
    await expect(made.get_by_text("Waiting for the end")).to_be_visible()
    await world.service.stop()
    await world.start_service()
    await expect(made.get_by_text("Ready.")).to_be_visible()
    video = made.locator("video")
    await until(video, "(video) => video.readyState > 0", what="the clip's length is known")
    assert await lasts(video, end - start + LATER_SECONDS)
    await page.reload()
    await expect(made.get_by_text("Ready.")).to_be_visible()

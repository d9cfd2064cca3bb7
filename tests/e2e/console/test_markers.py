"""Mark now, cut later."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.conftest import World
from tests.e2e.console.conftest import Shared
from tests.e2e.console.desk import (
    FRAME_SECONDS,
    SLACK_SECONDS,
    desk,
    film_shown,
    recorded_clocks,
    selected,
    shown_clock,
)
from tests.waiting import wait_for

pytestmark = pytest.mark.heavy


async def test_a_moment_is_marked_by_a_key_and_cut_later(
    world: World, browser: Browser, shared: Shared
) -> None:
    """M marks this moment; the list leads to it; a cut around it holds it; deleted it is gone."""
    async with desk(world, browser, shared) as page:
        await page.get_by_label("Label").fill("<b>Goal</b>")
        await page.get_by_role("heading", level=1).click()
        pressed = time.time()
        await page.keyboard.press("m")
        row = page.locator(".marks li").filter(has_text="<b>Goal</b>")
        await expect(row).to_be_visible()
        told = await row.locator("time").first.get_attribute("datetime")
        at = datetime.fromisoformat(told or "").timestamp()
        assert pressed - 1 < at < time.time() + 1

        newest = page.get_by_role("slider", name="End of selection")

        async def recorded() -> tuple[float, float] | None:
            await newest.press("End")
            chosen = await selected(page)
            return chosen if chosen[1] > at + 1 else None

        await wait_for(recorded, what="the marked moment is on the timeline")
        await row.get_by_role("button", name="Clip around").click()
        await expect(page.locator(".flag")).to_have_count(1)
        await film_shown(page)
        start, end = await selected(page)
        assert start < at < end
        await row.get_by_role("button", name="Show <b>Goal</b>").click()
        await film_shown(page)
        video = page.locator(".screen video")
        pictures = await recorded_clocks(world, shared, start, end)
        standing = max(clock for clock in pictures if clock <= at + FRAME_SECONDS)
        assert await shown_clock(video, at) == pytest.approx(standing, abs=SLACK_SECONDS)

        await row.get_by_role("button", name="Delete").click()
        await expect(page.locator(".flag")).to_have_count(0)
        await expect(row).to_have_count(0)

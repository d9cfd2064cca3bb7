"""Getting in: a token in the fragment, or pasted."""

from __future__ import annotations

from playwright.async_api import Browser, expect

from tests.e2e.conftest import World
from tests.e2e.console.conftest import check_accessible, watched_page


async def test_who_brings_no_token_is_asked_for_one(world: World, browser: Browser) -> None:
    """The page says what token it wants, and the field has the focus."""
    async with watched_page(browser, world.service) as page:
        await page.goto(world.service.url)
        await expect(page.get_by_label("Access token")).to_be_focused()
        await check_accessible(page)

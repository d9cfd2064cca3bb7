"""The reference in a real browser: its policy lets through all that it is made of."""

from __future__ import annotations

import pytest
from playwright.async_api import ConsoleMessage, expect
from starlette.applications import Starlette

from app.main import ROUTES
from tests.e2e import browser
from tests.serving import serving

pytestmark = pytest.mark.heavy


async def test_the_reference_is_shown_within_its_policy() -> None:
    """With its style sheet, and without a word of the browser's; its links lead to what they name.

    Nothing that the page needs asks a store.
    """
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        said.append(message.text)

    async with serving(Starlette(routes=ROUTES)) as base, browser.page() as page:
        page.on("console", hear)
        await page.goto(f"{base}/docs")
        article = page.locator("article#create_capture")
        await expect(article).to_have_css("border-radius", "10px")
        await article.get_by_role("link", name="CaptureRequest").first.click()
        await expect(page.locator("article#capturerequest")).to_be_in_viewport()
    # Chromium asks for an icon, which is not there.
    assert [each for each in said if "favicon" not in each and "404" not in each] == []

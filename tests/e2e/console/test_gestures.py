"""The timeline under fingers and wheels: what is touched moves, and the page scrolls as ever."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, CDPSession, FloatRect, Locator, Page

from tests.e2e.conftest import World
from tests.e2e.console.conftest import Shared
from tests.e2e.console.desk import desk, film_shown, handle, select, selected, type_time
from tests.waiting import wait_for

pytestmark = pytest.mark.heavy

Point = tuple[float, float]


@pytest_asyncio.fixture(scope="module")
async def page(world: World, browser: Browser, shared: Shared) -> AsyncIterator[Page]:
    async with desk(world, browser, shared) as opened:
        yield opened


class Fingers:
    """Fingers on the page's screen."""

    def __init__(self, devtools: CDPSession) -> None:
        self._devtools = devtools

    async def move(self, *paths: tuple[Point, Point], steps: int = 8) -> None:
        """Each finger goes down at the first point of its path, and up at the last one."""
        for step in range(steps + 1):
            part = step / steps
            at = [(a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part) for a, b in paths]
            await self._tell("touchMove" if step else "touchStart", at)
        await self._tell("touchEnd", [])

    async def _tell(self, kind: str, points: list[Point]) -> None:
        touches = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(points)]
        await self._devtools.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches}
        )


@pytest_asyncio.fixture
async def fingers(page: Page) -> AsyncIterator[Fingers]:
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    yield Fingers(devtools)
    await devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
    await devtools.detach()


async def box(shown: Locator) -> FloatRect:
    await shown.scroll_into_view_if_needed()
    found = await shown.bounding_box()
    assert found is not None
    return found


async def chosen(page: Page) -> FloatRect:
    """The selection as it is drawn."""
    return await box(page.locator(".chosen"))


async def drawn(page: Page, width: float) -> FloatRect:
    """Waits until the selection is drawn so wide, or nearly."""
    seen: list[FloatRect] = []

    async def it_is() -> bool:
        seen.append(await chosen(page))
        return seen[-1]["width"] == pytest.approx(width, rel=0.2)

    try:
        await wait_for(it_is, what=f"the selection is {width:.1f} px wide")
    except AssertionError as error:
        error.add_note(f"it is drawn at {seen[-1]}")
        raise
    return seen[-1]


async def in_the_middle(page: Page) -> FloatRect:
    """Selects 4 s that are over, shows as much around them, and tells where they are drawn then."""
    _, end = await select(page, 9)
    await type_time(page, "To", end - 5)
    await film_shown(page)
    await page.get_by_role("button", name="Fit selection").click()
    await page.get_by_role("button", name="Zoom out").click()
    strip = await box(page.locator(".strip"))
    return await drawn(page, strip["width"] / 2.6)


async def test_a_finger_drags_a_handle(page: Page, fingers: Fingers) -> None:
    await select(page, 6)
    start, end = await selected(page)
    knob = await box(handle(page, "Start"))
    at = (knob["x"] + knob["width"] / 2, knob["y"] + knob["height"] / 2)
    await fingers.move((at, (at[0] + 80, at[1])))

    async def dragged() -> bool:  # touches are told to the page after they are made
        return (await selected(page))[0] > start + 0.2

    await wait_for(dragged)
    assert (await selected(page))[1] == end


async def test_two_fingers_apart_show_less_of_it_and_wider(page: Page, fingers: Fingers) -> None:
    """What lies between them stays there; together again, more is shown."""
    before = await in_the_middle(page)
    strip = await box(page.locator(".strip"))
    middle, y = before["x"] + before["width"] / 2, strip["y"] + strip["height"] / 2
    near, far = 30, 60
    left, right = ((middle - near, y), (middle - far, y)), ((middle + near, y), (middle + far, y))
    await fingers.move(left, right)
    wider = await drawn(page, 2 * before["width"])
    assert wider["x"] + wider["width"] / 2 == pytest.approx(middle, abs=before["width"] / 10)
    await fingers.move((left[1], left[0]), (right[1], right[0]))
    await drawn(page, before["width"])


async def test_the_wheel_zooms_with_ctrl_pans_sideways_and_else_scrolls_the_page(
    page: Page,
) -> None:
    before = await in_the_middle(page)
    strip = await box(page.locator(".strip"))
    await page.mouse.move(before["x"] + before["width"] / 2, strip["y"] + strip["height"] / 2)

    await page.keyboard.down("Control")
    await page.mouse.wheel(0, -150)
    await page.keyboard.up("Control")
    await drawn(page, before["width"] * math.exp(0.6))
    at = (await chosen(page))["x"]

    async def has_moved() -> bool:
        await page.mouse.wheel(-40, 0)
        return (await chosen(page))["x"] > at + 20

    await wait_for(has_moved, what="the selection moves to the right", every=0.3)

    async def scrolled() -> bool:
        return float(await page.evaluate("scrollY")) > 50

    await page.evaluate("scrollTo(0, 0)")
    await page.set_viewport_size({"width": 1280, "height": 500})
    await page.locator(".strip").hover()
    await page.evaluate("scrollTo(0, 0)")
    await page.mouse.wheel(0, 120)
    await wait_for(scrolled, what="the page scrolls")
    await page.set_viewport_size({"width": 1280, "height": 900})
    await page.mouse.move(5, 5)

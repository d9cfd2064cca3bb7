"""The page of one buffer, as tests look at it and act on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np
from playwright.async_api import Browser, Locator, Page

from deploy.local import picture_clock
from tests.e2e.conftest import World
from tests.e2e.console.conftest import Shared, signed_in_page
from tests.e2e.test_main_path import shown_clocks
from tests.waiting import wait_for

# The brightness in the middle of each cell of the burnt-in clock, of the picture that is shown.
CELLS = """
(video) => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  const cell = (row, column) => {
    const [x, y] = [(column + 0.5) * canvas.width / 16, (row + 0.5) * canvas.height / 12];
    return context.getImageData(x, y, 1, 1).data[1];
  };
  return [0, 1].map((row) => Array.from({ length: 16 }, (_, column) => cell(row, column)));
}
"""
FRAME_SECONDS = 1 / 15
SLACK_SECONDS = 2 * FRAME_SECONDS
# A film may end three pictures early, where these need one from after the end.
EARLY_SECONDS = 3 * FRAME_SECONDS
SHOWN = "(video) => video.readyState >= 2 && !video.seeking && !video.closest('.busy')"


@asynccontextmanager
async def desk(
    world: World, browser: Browser, shared: Shared, identity: str = "alice", **options: Any
) -> AsyncIterator[Page]:
    """The buffer's page, once its film is shown."""
    path = f"/buffers/{shared.buffer_id}"
    opened = signed_in_page(
        browser, world.service, identity, room=shared.room, path=path, **options
    )
    async with opened as page:
        await film_shown(page)
        yield page


def ends_as_asked(asked: float, end: float) -> bool:
    """Whether a film ends when it was asked to, in seconds, as exactly as its pictures allow."""
    return -SLACK_SECONDS < asked - end < EARLY_SECONDS + SLACK_SECONDS


async def lasts(video: Locator, seconds: float) -> bool:
    """Whether a film is as long as was asked for."""
    return ends_as_asked(seconds, float(await video.evaluate("(video) => video.duration")))


async def film_shown(page: Page) -> None:
    """Waits until the film of what is selected now is there."""
    await until(page.locator(".screen video"), SHOWN, what="the film is shown")


async def until(element: Locator, condition: str, arg: object = None, *, what: str) -> None:
    """Waits until a function of the element is true. The page's policy forbids Playwright's own."""

    async def met() -> bool:
        return bool(await element.evaluate(condition, arg))

    await wait_for(met, what=what)


async def selected(page: Page) -> tuple[float, float]:
    """The start and the end of the selection, in Unix seconds."""
    start, end = [
        datetime.fromisoformat((await field(page, name).get_attribute("title") or "")[:-4] + "Z")
        for name in ("From", "To")
    ]
    return start.timestamp(), end.timestamp()


def field(page: Page, name: str) -> Locator:
    return page.get_by_label(name, exact=True)


def handle(page: Page, edge: str) -> Locator:
    return page.get_by_role("slider", name=f"{edge} of selection")


async def select(page: Page, seconds: float) -> tuple[float, float]:
    """Selects the last so many seconds, by typing, and waits for the film."""
    await page.get_by_role("button", name="Last 30 s").click()
    _, end = await selected(page)
    await type_time(page, "From", end - seconds)
    await film_shown(page)
    return await selected(page)


async def type_time(page: Page, name: str, instant: float) -> None:
    """Types Unix seconds into the field "From" or "To", and confirms them."""
    await field(page, name).fill(await written(page, instant))
    await field(page, name).press("Enter")


async def written(page: Page, instant: float) -> str:
    """Unix seconds as they are typed."""
    text: str = await page.evaluate(
        "async (at) => (await import('./console/timeline/time_fields.js')).written(at)",
        instant * 1000,
    )
    return text


async def shown_clock(video: Locator, near: float) -> float:
    """The burnt-in clock of the picture that a <video> shows, in Unix seconds."""
    cells = np.zeros((12, 16), np.uint8)
    cells[:2] = await video.evaluate(CELLS)
    return picture_clock.nearest(picture_clock.read_clock(cells), near)


async def recorded_clocks(world: World, shared: Shared, start: float, end: float) -> list[float]:
    """The burnt-in clocks of a share's pictures in [start, end), all in Unix seconds.

    They need not be evenly spread: a busy machine's pictures come late, and some not at all.
    """
    first, last = (datetime.fromtimestamp(at, UTC).isoformat() for at in (start, end))
    async with world.service.client("alice", shared.room) as alice:
        answer = await alice.get(
            f"/buffers/{shared.buffer_id}/replay.mp4", params={"start": first, "end": last}
        )
    assert answer.status_code == 200, answer.text
    return [picture_clock.nearest(clock, start) for clock in shown_clocks(answer.content)]


async def no_wider_than_its_window(page: Page) -> None:
    """There is nothing to scroll to sideways."""
    wide = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1], wide

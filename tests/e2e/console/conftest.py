"""One Chromium for all of the console's tests; pages of it that are signed in, and watched.

A page fails its test on any error in its console, any violation of its policy, and any request to
another site.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright, expect

from deploy.local.stack import ROOT
from tests import npm
from tests.e2e.browser import CHROMIUM
from tests.e2e.conftest import World
from tests.service import Service
from tests.waiting import PATIENCE_SECONDS

SignIn = Callable[..., Awaitable[Page]]

IMAGES = ROOT / "deploy" / "images"
IMAGE_BYTES_MAX = 150_000

expect.set_options(timeout=PATIENCE_SECONDS * 1000)


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        yield launched
        await launched.close()


@pytest_asyncio.fixture
async def signed_in(world: World, browser: Browser) -> AsyncIterator[SignIn]:
    """`await signed_in(identity, room=…)` opens a page as `signed_in_page` does, for this test."""
    async with AsyncExitStack() as pages:

        async def sign_in(identity: str = "operator", **options: Any) -> Page:
            opened = signed_in_page(browser, world.service, identity, **options)
            return await pages.enter_async_context(opened)

        yield sign_in


@dataclass(frozen=True)
class Shared:
    """A share of alice's that goes on."""

    room: str
    buffer_id: str


@pytest_asyncio.fixture(scope="package")
async def shared(world: World) -> AsyncIterator[Shared]:
    """One share for the tests that only need some media: at least 12 s of it."""
    room = f"room {secrets.token_hex(4)}"
    async with world.share(room):
        buffer = await world.wait_for_buffer(room, seconds=12)
        yield Shared(room, buffer["id"])


@asynccontextmanager
async def signed_in_page(
    browser: Browser,
    service: Service,
    identity: str = "operator",
    *,
    room: str | None = None,
    admin: bool = False,
    path: str = "",
    tolerate: str | None = None,
    **context: Any,
) -> AsyncIterator[Page]:
    """The console, signed in as somebody in `room`, as its admin, or, without, as the instance's.

    `path` is the view to show then, such as `/clips`. `tolerate` is a regular expression of the
    console errors that the test means to provoke: Chromium logs every answer above 399 as one, such
    as "Failed to load resource: the server responded with a status of 404 (Not Found)". The rest
    are options of `Browser.new_context`: viewport, color_scheme, reduced_motion, has_touch …
    """
    if admin:
        grants = {"room_admin": True} if room else dict.fromkeys(_INSTANCE_ADMIN, True)
    else:
        grants = {}
    async with watched_page(browser, service, tolerate=tolerate, **context) as page:
        await page.goto(f"{service.url}/#token={service.token(identity, room, **grants)}")
        await expect(page.locator("#who .identity")).to_have_text(identity)
        # What it says of that may be in a test's way, if it is still there.
        await page.evaluate("document.querySelector('#toasts .toast')?.remove()")
        if path:
            await page.evaluate("(path) => { location.hash = path; }", path)
        yield page


def _is_error(said: ConsoleMessage) -> bool:
    """Not that pictures are still being drawn, on a slow machine: the page asks for them again."""
    is_late = "status of 503" in said.text and _PICTURES.search(said.location["url"])
    return said.type == "error" and not is_late


_PICTURES = re.compile(r"/(poster|thumbnails)\b")
_INSTANCE_ADMIN = ("room_admin", "room_list", "room_create")


@asynccontextmanager
async def watched_page(
    browser: Browser, service: Service, *, tolerate: str | None = None, **context: Any
) -> AsyncIterator[Page]:
    """A page in a context of its own, at no address yet, that must not do what it may not."""
    tolerated = re.compile(tolerate) if tolerate else None
    troubles: list[str] = []

    def trouble(text: str) -> None:
        if not (tolerated and tolerated.search(text)):
            troubles.append(text)

    def look_at(request: Request) -> None:
        if not request.url.startswith((f"{service.url}/", "blob:", "data:")):
            trouble(f"a request to another site: {request.url}")

    opened = await browser.new_context(**{"viewport": {"width": 1280, "height": 800}} | context)
    try:
        page = await opened.new_page()
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        page.on("console", lambda said: trouble(said.text) if _is_error(said) else None)
        page.on("pageerror", lambda error: trouble(f"not caught: {error}"))
        page.on("request", look_at)
        yield page
        if not page.is_closed():
            await page.evaluate("0")  # what it has logged has come when this has
    except BaseException as error:
        error.add_note(f"the page's troubles: {troubles}")
        raise
    finally:
        await opened.close()
    assert not troubles, "\n".join(troubles)


async def check_accessible(page: Page) -> None:
    """axe-core finds nothing serious or critical in what the page shows."""
    npm.NODE.install()
    source = (npm.NODE.folder / "node_modules" / "axe-core" / "axe.min.js").read_text()
    # Not as a script of the page: its policy takes none but its own.
    devtools = await page.context.new_cdp_session(page)
    ran = await devtools.send("Runtime.evaluate", {"expression": f"{source};undefined"})
    assert "exceptionDetails" not in ran, ran
    await devtools.detach()
    found = await page.evaluate("() => axe.run({resultTypes: ['violations']})")
    grave = [
        (violation["id"], violation["help"], [node["html"] for node in violation["nodes"]])
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
    assert not grave, "\n".join(map(str, grave))


async def picture(page: Page, name: str) -> None:
    """Writes deploy/images/{name} for the READMEs, if CONSOLE_PICTURES is set; else nothing."""
    if not os.environ.get("CONSOLE_PICTURES"):
        return
    IMAGES.mkdir(parents=True, exist_ok=True)
    raw = await page.screenshot(animations="disabled")
    palette = "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=dither=none"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "image2pipe", "-i", "-", "-vf", palette]
    written = [*command, "-update", "1", str(IMAGES / name)]
    ffmpeg = await asyncio.create_subprocess_exec(*written, stdin=asyncio.subprocess.PIPE)
    await ffmpeg.communicate(raw)
    assert ffmpeg.returncode == 0
    size = (IMAGES / name).stat().st_size
    assert size < IMAGE_BYTES_MAX, f"{name}: {size} bytes are too many for a README"

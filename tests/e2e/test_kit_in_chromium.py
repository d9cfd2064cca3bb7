"""The kit and the examples in a real room, with the real livekit-client in Chromium."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Page

from deploy.local.stack import ROOT
from tests import npm
from tests.e2e import browser
from tests.e2e.conftest import World
from tests.waiting import PATIENCE_SECONDS

FAKES = [
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream=display-media-type=monitor,fps=15",
    "--allow-loopback-in-peer-connection",
]


@asynccontextmanager
async def example(world: World, name: str, *arguments: str) -> AsyncIterator[str]:
    """An example, started by its command; the first line that it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"deploy.examples.{name}", *arguments),
        cwd=ROOT,
        env=os.environ | settings(world),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        said = await asyncio.wait_for(process.stdout.readline(), PATIENCE_SECONDS)
        yield said.decode().strip()
    finally:
        process.terminate()
        await process.wait()


def settings(world: World) -> dict[str, str]:
    """What examples are told of where they run."""
    return {
        "LIVEKIT_URL": world.stack.url,
        "LIVEKIT_API_KEY": world.stack.api_key,
        "LIVEKIT_API_SECRET": world.stack.api_secret,
        "REPLAY_URL": world.service.url,
    }


def page_arguments(world: World) -> list[str]:
    """For the page: its port, and livekit-client of our lock instead of a CDN's."""
    npm.NODE.install()
    module = npm.NODE.folder / "node_modules/livekit-client/dist/livekit-client.esm.mjs"
    return ["--port", str(world.page_port), "--livekit-client", str(module)]


async def clip_by_curl(world: World, room: str) -> str:
    """What the example of the shell prints."""
    process = await asyncio.create_subprocess_exec(
        *("deploy/examples/curl/clip", room, "alice", "2"),
        cwd=ROOT,
        env=os.environ | settings(world) | {"TOKEN": world.service.token("alice", room)},
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert process.returncode == 0
    return printed.decode().strip()


async def is_shown(page: Page, state: str) -> None:
    await page.locator(f"replay-badge[state={state}]").wait_for(state="attached")


async def test_a_clip_that_is_asked_for_in_an_app_is_a_link_that_plays(
    world: World, room: str
) -> None:
    """By Alt+C in a page of another origin, by a word to a bot in its chat, and from a shell."""
    faults: list[str] = []
    async with (
        example(world, "vanilla", *page_arguments(world)) as address,
        example(world, "python", room) as bot,
        browser.page(*FAKES) as page,
    ):
        assert address == f"{world.page_origin}/?name=alice"
        assert bot == f"clip-bot is in {room}"
        page.on("pageerror", lambda error: faults.append(str(error)))
        await page.goto(f"{address}&room={room}")
        await is_shown(page, "idle")
        await page.click("#share")
        await is_shown(page, "recording")
        await world.wait_for_buffer(room, seconds=3)
        await page.keyboard.press("Alt+c")
        links = page.get_by_role("log").get_by_role("link")
        await links.first.wait_for()
        shown = await page.locator("replay-clip-button").get_by_role("link").get_attribute("href")
        await page.fill("[name=text]", "Clip that 2!")
        await page.keyboard.press("Enter")
        await links.nth(1).wait_for()
        found = [str(await link.get_attribute("href")) for link in await links.all()]
        assert found[0] == shown
        found.append(await clip_by_curl(world, room))
        assert len(set(found)) == 3
        await page.check("#out")
        await is_shown(page, "opted-out")
        for each in found:
            await page.goto(each)  # without a token
            await page.wait_for_function("() => document.querySelector('video')?.readyState >= 1")
    assert faults == []

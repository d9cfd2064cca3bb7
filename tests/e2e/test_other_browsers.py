"""Clips, windows and the console in Firefox and WebKitGTK, over real HTTP."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.context import Context
from app.models import CaptureStatus
from app.models.schema import Capture
from deploy.local.stack import ROOT
from tests.e2e import browser, firefox, webkit
from tests.e2e.browser import AnyPage
from tests.e2e.test_cuts_in_chromium import FRAME, SIZE, factory, two_sessions
from tests.integration.api.conftest import OWNER, app, token
from tests.integration.buffer.shares import DiskShare
from tests.integration.captures.checking import work_on
from tests.integration.conftest import ctx, make_settings, settings, stores
from tests.serving import Running, serving
from tests.waiting import PATIENCE_SECONDS, wait_for

# The browsers are installed first, which takes a while.
pytestmark = [pytest.mark.heavy, pytest.mark.timeout(1800)]

__all__ = ["app", "ctx", "factory", "make_settings", "settings", "stores", "two_sessions"]

CUTS = [("precise", 15), ("segment", 0), ("exact", 15)]
"""With the number of the first picture that a clip shows which is asked for from 1 s on."""
PRESS = """
(name) => {
  const fits = (button) => button.textContent.trim() === name && button.checkVisibility();
  const button = [...document.querySelectorAll('button')].find(fits);
  if (!button || button.disabled) return false;
  button.click();
  return true;
}
"""
FILM_STANDS = """
() => {
  const video = document.querySelector('main video');
  return Boolean(video && video.readyState >= 2 && !video.seeking && !video.closest('.busy'));
}
"""


@dataclass(frozen=True)
class Engine:
    """A browser.

    - `shows_next`: in the middle of a picture's time it may show the one after it.
    - `opens_with_hidden`: it shows the key frame that a cut hides until it plays or seeks.
    """

    tab: Callable[[Path], AbstractAsyncContextManager[Any]]
    shows_next: bool
    opens_with_hidden: bool


ENGINES = {
    "firefox": Engine(firefox.tab, shows_next=False, opens_with_hidden=True),
    "webkit": Engine(webkit.tab, shows_next=True, opens_with_hidden=False),
}


@pytest.fixture(scope="module")
def programs() -> None:
    """Both are there."""
    subprocess.run([ROOT / "deploy/setup", "--browsers"], check=True)


@pytest.fixture(scope="module", params=ENGINES)
def engine(programs: None, request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param]


@pytest_asyncio.fixture(scope="module")
async def page(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AnyPage]:
    """A page of it."""
    async with engine.tab(tmp_path_factory.mktemp("browser")) as made:
        yield made


def without_policy(app: ASGIApp) -> ASGIApp:
    """The application, whose pages let players of others be put into them."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                del MutableHeaders(raw=message["headers"])["content-security-policy"]
            await send(message)

        await app(scope, receive, sent)

    return served


@pytest.mark.parametrize(("cut", "first"), CUTS)
async def test_a_clip_shows_the_asked_instants(
    app: Running,
    ctx: Context,
    two_sessions: DiskShare,
    engine: Engine,
    page: AnyPage,
    cut: str,
    first: int,
) -> None:
    """At its start, on both sides of the pause, as it plays, and with sound to its end."""
    start = two_sessions.start + timedelta(seconds=1)
    asked = {
        "buffer": two_sessions.buffer_id,
        "start": start.isoformat(),
        "end": (start + timedelta(seconds=10)).isoformat(),
        "tail": "skip",
        "cut": cut,
    }
    async with serving(without_policy(app)) as base:
        async with client(base) as http:
            accepted = await http.post("/captures", json=asked)
            assert accepted.status_code == 202, accepted.text
            await work_on(ctx, accepted.json()["id"])
            done = (await http.get(accepted.headers["Location"])).json()
        assert done["status"] == "ready", done
        duration, *size = await browser.load(page, base + done["clip"]["url"])
        assert tuple(size) == SIZE
        assert duration == pytest.approx(done["clip"]["delivered"]["duration"], abs=0.1)
        hidden = cut == "precise" and engine.opens_with_hidden
        assert await browser.number_shown(page) == (0 if hidden else first)
        joint = (90 - first) * FRAME
        for seconds, number in ((0.5, first), (20.5, first + 20), (60.5, first + 60)):
            found = await browser.number_at(page, seconds * FRAME)
            assert number <= found <= number + engine.shows_next
        for later in (1.5, 20.5, 40.5):
            found = await browser.number_at(page, joint + later * FRAME)
            assert int(later) - 1 <= found - 100 <= int(later) + 1 + engine.shows_next
        await browser.number_at(page, 0)
        played = await browser.play(page)
        assert played["at"] == pytest.approx(duration, abs=0.1)
        assert played["sound"] > 0
        # Firefox begins with the hidden picture that it stood at.
        assert all(first <= number for number in played["numbers"][1:])


@pytest.mark.parametrize("engine", ["firefox"], indirect=True)
async def test_hls_js_plays_a_window_over_the_joint_of_two_sessions(
    app: Running, two_sessions: DiskShare, page: AnyPage
) -> None:
    async with serving(without_policy(app)) as base:
        async with client(base) as http:
            buffer = (await http.get(f"/buffers/{two_sessions.buffer_id}")).json()
        played = await browser.play_hls(page, base + buffer["playlist_url"])
    assert played["errors"] == []
    assert played["at"] == pytest.approx(10, abs=0.2)
    assert played["jumps"] == 0
    assert played["sound"] > 0


async def test_the_console_shows_a_share_captures_it_and_plays_the_clip(
    app: Running, ctx: Context, two_sessions: DiskShare, page: AnyPage
) -> None:
    """With its policy, and without an error."""
    async with serving(app) as base:
        if isinstance(page, firefox.Tab):
            page.logged.clear()
        await page.goto(f"{base}/#token={token()}")
        await wait_for(partial(shows, page, "#who .identity", "ann"), what="who is signed in")
        await wait_for(partial(shows, page, "main", "room"), what="the share is listed")
        path = f"/buffers/{two_sessions.buffer_id}"
        await page.evaluate("(path) => { location.hash = path; }", path)
        await wait_for(lambda: page.evaluate(FILM_STANDS), what="the film stands")
        await wait_for(lambda: page.evaluate(PRESS, "Capture"), what="Capture can be pressed")
        accepted = {"status": CaptureStatus.QUEUED}
        row = await wait_for(
            lambda: ctx.store.rows(Capture).find_one(accepted), what="it is accepted"
        )
        await work_on(ctx, row["_id"])
        await wait_for(partial(shows, page, ".job", "Ready."), what="the clip is told")
        await wait_for(
            lambda: page.evaluate("() => document.querySelector('.job video')?.currentTime > 0.5"),
            what="the clip plays",
        )
    if isinstance(page, firefox.Tab):  # WebKit's driver tells nothing of it
        assert page.logged == []


async def shows(page: AnyPage, selector: str, text: str) -> bool:
    """Whether the first element of the page that fits has this text in it."""
    found: Any = await page.evaluate(
        "(which) => document.querySelector(which)?.textContent", selector
    )
    return found is not None and text in found


def client(base: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=base, headers=OWNER, timeout=PATIENCE_SECONDS)

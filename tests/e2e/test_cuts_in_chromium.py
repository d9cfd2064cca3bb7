"""Clips of every cut, as they are made and served, in a real browser: right from the beginning."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Page

from app.context import Context
from tests.e2e import browser
from tests.integration.api.conftest import OWNER, SHARER, app
from tests.integration.buffer.shares import DiskShare, begin_share, indexing
from tests.integration.captures.checking import work_on
from tests.integration.conftest import ctx, make_settings, settings, stores
from tests.media_factory import MediaFactory, Shape
from tests.serving import Running, serving
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.heavy

__all__ = ["app", "ctx", "make_settings", "settings", "stores"]  # fixtures

SIZE = (320, 180)
FIRST = Shape(numbered=True, size=SIZE, frames=90)
SECOND = Shape(numbered=True, size=SIZE, frames=60, variant=1)
PAUSE_SECONDS = 2.0
FRAME = 1 / 15


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> MediaFactory:
    return MediaFactory(tmp_path_factory.mktemp("recordings"))


@pytest_asyncio.fixture(scope="module")
async def page() -> AsyncIterator[Page]:
    async with browser.page() as made:
        yield made


@pytest_asyncio.fixture
async def two_sessions(ctx: Context, factory: MediaFactory) -> DiskShare:
    """6 s, numbered from 0, a pause of 2 s, 4 s, numbered from 100."""
    start = datetime.now(UTC) - timedelta(seconds=20)
    first = await begin_share(ctx, SHARER, start, factory.record(FIRST), role=None)
    begin = start + timedelta(seconds=6 + PAUSE_SECONDS)
    second = await begin_share(
        ctx, SHARER, begin, factory.record(SECOND), role=None, buffer_id=first.buffer_id
    )
    async with indexing(ctx):
        for made in (first, second):
            made.commit(len(made.media.segments))
            await made.indexed(len(made.media.segments))
    return first


@pytest.mark.parametrize("gaps", ["skip", "keep"])
@pytest.mark.parametrize(("cut", "first"), [("precise", 15), ("segment", 0), ("exact", 15)])
async def test_a_clip_shows_the_asked_instants(
    app: Running,
    ctx: Context,
    two_sessions: DiskShare,
    page: Page,
    cut: str,
    first: int,
    gaps: str,
) -> None:
    """At its start, on both sides of the pause, which is held or left out, and with sound to its
    end."""
    start = two_sessions.start + timedelta(seconds=1)
    asked = {
        "buffer": two_sessions.buffer_id,
        "start": start.isoformat(),
        "end": (start + timedelta(seconds=10)).isoformat(),
        "tail": "skip",
        "cut": cut,
        "gaps": gaps,
    }
    async with serving(app) as base:
        async with httpx.AsyncClient(
            base_url=base, headers=OWNER, timeout=PATIENCE_SECONDS
        ) as client:
            accepted = await client.post("/captures", json=asked)
            assert accepted.status_code == 202, accepted.text
            await work_on(ctx, accepted.json()["id"])
            done = (await client.get(accepted.headers["Location"])).json()
        assert done["status"] == "ready", done
        clip = done["clip"]
        duration, *size = await browser.load(page, base + clip["url"])
        assert tuple(size) == SIZE
        assert duration == pytest.approx(clip["delivered"]["duration"], abs=0.1)
        joint = (90 - first) * FRAME + (PAUSE_SECONDS if gaps == "keep" else 0)
        assert duration == pytest.approx(joint + (3 if cut != "segment" else 4), abs=0.25)
        for seconds, number in ((0.5, first), (20.5, first + 20), (60.5, first + 60)):
            assert await browser.number_at(page, seconds * FRAME) == number
        # The second session begins up to a picture later, where a frame of its sound does.
        for later in (1.5, 20.5, 40.5):
            number = await browser.number_at(page, joint + later * FRAME)
            assert number - 100 == pytest.approx(int(later), abs=1)
        if gaps == "keep":
            assert await browser.number_at(page, joint - PAUSE_SECONDS / 2) == 89
        (gap,) = clip["gaps"]
        assert gap["kept"] == (gaps == "keep")
        await page.evaluate("() => { window.video.currentTime = 0 }")
        played = await browser.play(page)
        assert played["at"] == pytest.approx(duration, abs=0.1)
        assert played["sound"] > 0

"""Windows of buffers in a real browser, over real HTTP: HLS by hls.js, MP4 by its video element."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Page

from app.context import Context
from app.models.schema import Capture
from tests.e2e import browser
from tests.integration.api.conftest import OWNER, SHARER, app
from tests.integration.buffer.shares import DiskShare, begin_share, indexing
from tests.integration.conftest import ctx, make_settings, settings, stores
from tests.media_factory import MediaFactory, Recording, Shape
from tests.serving import Running, serving
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.heavy

__all__ = ["app", "ctx", "make_settings", "settings", "stores"]  # fixtures

SIZE = (320, 180)
WHOLE = Shape(numbered=True, size=SIZE, frames=90)
HOLE = Shape(numbered=True, size=SIZE, frames=90, hole=(2.4, 3.6))
SILENT = Shape(numbered=True, size=SIZE, frames=60, audio=False, variant=1)

Record = Callable[..., Awaitable[DiskShare]]


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> MediaFactory:
    return MediaFactory(tmp_path_factory.mktemp("recordings"))


@pytest_asyncio.fixture(scope="module")
async def page() -> AsyncIterator[Page]:
    async with browser.page() as made:
        yield made


@pytest.fixture
def recorded(ctx: Context, factory: MediaFactory) -> Record:
    """Indexes a share of 20 s ago: one session for each shape, so many seconds after it began."""

    async def record(*shapes: tuple[Shape, float]) -> DiskShare:
        start = datetime.now(UTC) - timedelta(seconds=20)
        sessions: list[DiskShare] = []
        for shape, after in shapes:
            begin = start + timedelta(seconds=after)
            same = {"buffer_id": sessions[0].buffer_id} if sessions else {}
            made = await begin_share(ctx, SHARER, begin, factory.record(shape), role=None, **same)
            made.commit(len(made.media.segments))
            sessions.append(made)
        async with indexing(ctx):
            for made in sessions:
                await made.indexed(len(made.media.segments))
        return sessions[0]

    return record


async def told(base: str, path: str) -> dict[str, str]:
    async with httpx.AsyncClient(base_url=base, headers=OWNER, timeout=PATIENCE_SECONDS) as client:
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        found: dict[str, str] = answer.json()
        return found


async def test_hls_js_plays_a_session_with_a_hole(
    app: Running, recorded: Record, page: Page
) -> None:
    """By the URL of the buffer's JSON: every picture, no error, no standstill."""
    made = await recorded((HOLE, 0))
    async with serving(app) as base:
        buffer = await told(base, f"/buffers/{made.buffer_id}")
        played = await browser.play_hls(page, base + buffer["playlist_url"])
    assert played["errors"] == []
    assert played["pictures"] == 90 - 18
    assert played["at"] == pytest.approx(6, abs=0.1)
    assert played["stall"] <= 0.5
    assert played["jumps"] == 0
    assert played["sound"] > 0


@pytest.mark.parametrize(
    "sessions",
    [
        pytest.param(((SILENT, 0), (WHOLE, 6)), id="sound from the second one on"),
        pytest.param(((WHOLE, 0), (SILENT, 8)), id="sound in the first one only"),
    ],
)
async def test_hls_js_plays_over_the_joint_of_two_sessions(
    app: Running, recorded: Record, page: Page, sessions: tuple[tuple[Shape, float], ...]
) -> None:
    """Over the discontinuity, with and without sound: every picture, no error, no standstill."""
    made = await recorded(*sessions)
    async with serving(app) as base:
        buffer = await told(base, f"/buffers/{made.buffer_id}")
        played = await browser.play_hls(page, base + buffer["playlist_url"])
    assert played["errors"] == []
    assert played["pictures"] == 90 + 60
    assert played["at"] == pytest.approx(10, abs=0.2)
    assert played["stall"] <= 0.5
    assert played["jumps"] == 0
    assert played["sound"] > 0


async def test_hls_js_plays_a_capture_that_still_waits_for_its_media(
    app: Running, ctx: Context, factory: MediaFactory, page: Page
) -> None:
    """From the window's beginning, on as it grows, and to its end."""
    recording: Recording = factory.record(Shape(numbered=True, size=SIZE, frames=150))
    start = datetime.now(UTC) - timedelta(seconds=4.1)
    made = await begin_share(ctx, SHARER, start, recording)
    async with indexing(ctx), serving(app) as base:
        made.commit(2)
        await made.indexed(2)
        async with httpx.AsyncClient(
            base_url=base, headers=OWNER, timeout=PATIENCE_SECONDS
        ) as client:
            asked = {"room": "room", "last": 4.1, "post_roll": 5}
            accepted = (await client.post("/captures", json=asked)).json()
        playing = asyncio.create_task(browser.play_hls(page, base + accepted["playlist"]))
        for count in (3, 4, 5):
            due = start + timedelta(seconds=2 * count)
            await asyncio.wait({playing}, timeout=max(0, (due - datetime.now(UTC)).total_seconds()))
            assert not playing.done(), playing.result()
            made.commit(1)
        played = await asyncio.wait_for(playing, PATIENCE_SECONDS)
        row = await ctx.store.rows(Capture).find_one({"_id": accepted["id"]})
    assert row is not None
    assert row["status"] == "queued", "nobody has begun to make it"
    assert [error for error in played["errors"] if "fatal" in error] == []
    assert played["began"] < 0.5
    assert played["jumps"] == 0
    assert played["pictures"] == 150
    assert played["at"] == pytest.approx(10, abs=0.2)
    assert played["sound"] > 0


async def test_the_video_element_seeks_in_a_window_that_is_served(
    app: Running, recorded: Record, page: Page
) -> None:
    """The right picture after each leap, by ranges of bytes, from the URL of the buffer's JSON."""
    made = await recorded((SILENT, 0), (WHOLE, 6))
    ranges: list[str] = []
    page.on("request", lambda request: ranges.append(request.headers.get("range", "")))
    async with serving(app) as base:
        buffer = await told(base, f"/buffers/{made.buffer_id}")
        duration, *size = await browser.load(page, base + buffer["replay_url"])
        assert duration == pytest.approx(10, abs=0.1)
        assert tuple(size) == SIZE
        joint = duration - 6
        for seconds, number in (
            (joint + 5.5 / 15, 5),
            (0.5 / 15, 100),
            (joint - 0.5 / 15, 159),
            (joint + 80.5 / 15, 80),
            (joint + 0.5 / 15, 0),
            (20.5 / 15, 120),
        ):
            assert await browser.number_at(page, seconds) == number
        await page.evaluate("() => { window.video.currentTime = 0 }")
        played = await browser.play(page)
    assert played["at"] == pytest.approx(duration, abs=0.1)
    assert any(asked.startswith("bytes=") for asked in ranges)

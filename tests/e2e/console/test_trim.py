"""One share's timeline: chosen by dragging, by keys, by typing; played as it will be cut."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from tests.e2e.conftest import World
from tests.e2e.console.conftest import Shared, SignIn, check_accessible, picture
from tests.e2e.console.desk import (
    FRAME_SECONDS,
    desk,
    field,
    film_shown,
    handle,
    lasts,
    no_wider_than_its_window,
    recorded_clocks,
    select,
    selected,
    shown_clock,
    type_time,
    until,
)
from tests.waiting import wait_for

pytestmark = pytest.mark.heavy


@pytest_asyncio.fixture(scope="module")
async def page(world: World, browser: Browser, shared: Shared) -> AsyncIterator[Page]:
    """The page of alice's share; tests choose for themselves before they look."""
    async with desk(world, browser, shared) as opened:
        yield opened


async def shown_at(page: Page) -> float:
    return float(await page.locator(".screen video").evaluate("({currentTime}) => currentTime"))


async def drag(page: Page, edge: str, by: float) -> None:
    box = await handle(page, edge).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + by, y, steps=6)
    await page.mouse.up()


async def test_what_is_dragged_is_what_is_played(world: World, shared: Shared, page: Page) -> None:
    """Both handles: the film is as long as the selection, and begins with the moment asked for."""
    before = await select(page, 8)
    await page.get_by_role("button", name="Fit selection").click()
    await drag(page, "Start", 60)
    await drag(page, "End", -60)
    start, end = await selected(page)
    assert start > before[0] + 0.3
    assert end < before[1] - 0.3
    await film_shown(page)
    video = page.locator(".screen video")
    await wait_for(lambda: lasts(video, end - start))  # the film of before is there for a moment
    await page.get_by_role("button", name="Last 30 s").focus()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("i")
    await handle(page, "Start").press(".")
    await film_shown(page)
    begin, _ = await selected(page)
    first, *_ = await recorded_clocks(world, shared, begin, begin + 1)

    async def begins_there() -> bool:
        return abs(await shown_clock(video, begin) - first) <= FRAME_SECONDS

    await wait_for(begins_there, what=f"the film begins with the picture of {first:.3f}")


async def test_a_late_film_is_not_taken_for_the_one_that_is_wanted(page: Page) -> None:
    """Chosen anew while a film loads: the page loads on, and shows the end that was moved."""
    start, _ = await select(page, 9)
    video = page.locator(".screen video")
    held: list[Route] = []
    late: list[str] = []
    over = asyncio.Event()

    async def hold(route: Route) -> None:
        if over.is_set() or route.request.url in late:
            await route.continue_()
        else:
            held.append(route)

    await page.route("**/replay.mp4?*", hold)
    await type_time(page, "From", start + 2)
    await wait_for(lambda: held, what="the page asks where the film is")
    await held.pop().continue_()
    await wait_for(lambda: held, what="the browser asks for the film")
    film = held.pop()
    late.append(film.request.url)
    await handle(page, "End").press("ArrowLeft")
    await wait_for(lambda: held, what="the page asks where the next film is")
    await film.continue_()
    await until(video, "(video) => video.readyState >= 2", what="the late film is there")
    await expect(page.locator(".screen")).to_have_class(re.compile(r"\bbusy\b"))
    over.set()
    await held.pop().continue_()
    await film_shown(page)
    await page.unroute("**/replay.mp4?*")
    duration = float(await video.evaluate("(video) => video.duration"))
    assert duration - await shown_at(page) < 0.2


async def test_either_end_of_a_moment_is_taken_though_the_handles_are_wider(page: Page) -> None:
    """As in a long buffer, where a few seconds are a few pixels wide."""
    _, newest = await select(page, 9)
    await type_time(page, "To", newest - 4)
    await type_time(page, "From", newest - 4.5)
    await film_shown(page)
    await page.get_by_role("button", name="Fit all").click()
    before = await selected(page)
    await drag(page, "Start", -40)
    start, end = await selected(page)
    assert start < before[0] - 0.2
    assert end == before[1]
    await type_time(page, "From", newest - 4.5)
    await film_shown(page)
    await drag(page, "End", 40)
    start, end = await selected(page)
    assert end > before[1] + 0.2
    assert start == pytest.approx(before[0], abs=0.11)


async def test_the_handles_are_sliders(page: Page) -> None:
    """Arrows move them by a second, with Shift by ten, full stop and comma by a picture."""
    await select(page, 6)
    start, end = await selected(page)
    await handle(page, "Start").press("ArrowRight")
    assert (await selected(page))[0] == pytest.approx(start + 1, abs=0.002)
    await handle(page, "End").press("ArrowLeft")
    assert (await selected(page))[1] == pytest.approx(end - 1, abs=0.002)
    await handle(page, "End").press(",")
    assert end - 1.11 < (await selected(page))[1] < end - 1.01
    await handle(page, "Start").press("Shift+ArrowRight")
    start, end = await selected(page)
    assert end - start == pytest.approx(0.2, abs=0.002), "a selection never turns around"
    shown = await field(page, "From").input_value()
    told = await handle(page, "Start").get_attribute("aria-valuetext")
    assert told is not None
    assert told.startswith(shown.split()[0]), "it is told as a time"


async def test_keys_choose_the_moment_that_is_shown(page: Page) -> None:
    """I and O set the ends to it, arrows move it, digits choose the newest stretch."""
    await select(page, 8)
    start, _ = await selected(page)
    await page.get_by_role("heading", level=1).click()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("i")
    assert (await selected(page))[0] == pytest.approx(start + 2, abs=0.2)
    await film_shown(page)
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("o")
    begin, end = await selected(page)
    assert end - begin == pytest.approx(1, abs=0.2)
    await page.keyboard.press("1")
    begin, end = await selected(page)
    assert end - begin > 8


async def test_times_are_typed_and_judged(page: Page) -> None:
    """What is no time, or not kept, is told; the selection stays as it was."""
    await select(page, 5)
    before = await selected(page)
    for wrong, words in (("25:00:00", "Not a time of day"), ("soon", "Not a time of day")):
        await field(page, "From").fill(wrong)
        await field(page, "From").press("Enter")
        await expect(page.get_by_role("alert").filter(has_text=words)).to_be_visible()
        await expect(field(page, "From")).to_have_attribute("aria-invalid", "true")
    assert await selected(page) == before
    await type_time(page, "To", before[0] - 1)
    await expect(page.get_by_text("The end must come after")).to_be_visible()
    await select(page, 4)
    start, end = await selected(page)
    assert end - start == pytest.approx(4, abs=0.11)
    await expect(field(page, "From")).not_to_have_attribute("aria-invalid", "true")


async def test_the_selection_plays_round_and_round(page: Page) -> None:
    """Space plays it; at its end it begins again, until L turns that off."""
    await select(page, 1.5)
    await page.get_by_role("heading", level=1).click()
    await page.locator(".screen video").evaluate(
        """(video) => {
          window.rounds = 0;
          let last = 0;
          const look = () => {
            if (video.currentTime < last - 0.5) window.rounds += 1;
            last = video.currentTime;
            requestAnimationFrame(look);
          };
          look();
        }"""
    )
    await page.keyboard.press("Space")
    video = page.locator(".screen video")
    await until(video, "() => window.rounds >= 2", what="it has begun again twice")
    await page.keyboard.press("l")
    await until(video, "(video) => video.ended", what="it ends")
    await expect(page.get_by_role("button", name="Loop")).to_have_attribute("aria-pressed", "false")
    await page.keyboard.press("l")


async def test_one_picture_on_and_one_back(page: Page) -> None:
    """Full stop shows the next picture, comma the one before, by the clock in them."""
    start, _ = await select(page, 3)
    video = page.locator(".screen video")
    await page.get_by_role("heading", level=1).click()
    first = await shown_clock(video, start)
    at, seen = 0.0, first
    while seen == first:  # a machine that is busy records the same picture twice
        await page.keyboard.press(".")
        await until(video, "(video, at) => video.currentTime > at && !video.seeking", at, what="on")
        was, at = at, await shown_at(page)
        assert at - was < 0.15, "one picture at a time"
        seen = await shown_clock(video, start)
    assert seen > first
    while seen != first:
        await page.get_by_role("button", name="Previous frame").click()
        await until(
            video, "(video, at) => video.currentTime < at && !video.seeking", at, what="back"
        )
        at = await shown_at(page)
        seen = await shown_clock(video, start)


async def test_nothing_moves_under_the_hands_while_media_arrives(page: Page) -> None:
    """Over three new segments the handle stays where it is; then the timeline follows again."""
    await select(page, 5)
    end, below = handle(page, "End"), page.get_by_role("group", name="Timeline view")
    before, stood = await end.bounding_box(), await below.bounding_box()
    newest = float(await end.get_attribute("aria-valuemax") or "")
    more = "(end, newest) => Number(end.ariaValueMax) > newest + 5.9"
    await until(end, more, newest, what="three more segments have come")
    assert await end.bounding_box() == before
    await expect(page.get_by_text("s newer")).to_be_visible()
    assert await below.bounding_box() == stood
    await page.mouse.move(5, 5)
    await page.get_by_role("button", name="Follow live").click()
    await page.mouse.move(5, 5)
    await expect(page.get_by_text("s newer")).to_be_hidden()
    after = await end.bounding_box()
    assert before is not None
    assert after is not None
    assert after["x"] < before["x"]


async def test_its_picture_for_the_readme(page: Page) -> None:
    """All that a clip is chosen with fits a laptop's window, 1366 x 633, without scrolling."""
    await select(page, 6)
    await page.get_by_role("button", name="Fit all").click()
    await page.mouse.move(5, 5)
    await page.set_viewport_size({"width": 1366, "height": 633})
    await page.evaluate("scrollTo(0, 0)")
    for part in (".screen", ".track", ".times", ".go"):
        await expect(page.locator(part)).to_be_in_viewport(ratio=0.98)
    pictures = page.locator(".pictures > *")
    await until(page.locator(".pictures"), "(one) => one.children.length > 3", what="its pictures")
    drawn = await pictures.first.evaluate("(one) => one.style.backgroundImage")
    assert "thumbnails.jpg" in drawn
    await page.locator(".ruler").hover()
    await expect(page.locator(".hover .picture")).to_be_visible()
    await picture(page, "console-trim.png")


async def test_how_loud_it_is_is_drawn_below_its_pictures(page: Page) -> None:
    """In each zoom: the beep that begins each second stands out of the tone."""
    await select(page, 3)
    await page.get_by_role("button", name="Fit all").click()
    sound = page.locator(".strip .sound")
    await expect(sound).to_be_visible()
    await expect(sound).to_have_attribute("title", "How loud the sound is")
    path = sound.locator("path")
    whole = await path.get_attribute("d")
    await page.get_by_role("button", name="Fit selection").click()
    await until(path, "(one, all) => one.getAttribute('d') !== all", whole, what="it is zoomed")
    heights = re.findall(r"V([\d.]+)", await path.get_attribute("d") or "")
    assert len(set(heights)) > 1, heights
    assert all(0 < float(height) <= 1 for height in heights)


async def test_a_moment_outside_of_the_selection_can_be_looked_at(page: Page) -> None:
    """A click there shows it, with what lies around it; the selection stays."""
    await select(page, 2)
    await page.get_by_role("button", name="Fit all").click()
    chosen = await selected(page)
    box = await page.locator(".strip").bounding_box()
    begin = await page.locator(".chosen").bounding_box()
    assert box is not None
    assert begin is not None
    await page.mouse.click(begin["x"] - 60, box["y"] + box["height"] / 2)
    await film_shown(page)
    await expect(page.get_by_text("outside the selection")).to_be_visible()
    seen = await shown_clock(page.locator(".screen video"), chosen[0])
    assert seen < chosen[0]
    assert await selected(page) == chosen


async def test_the_page_is_accessible(page: Page) -> None:
    """axe-core finds nothing grave, with everything shown that can be."""
    await select(page, 3)
    await check_accessible(page)


async def test_it_fits_a_phone(world: World, browser: Browser, shared: Shared) -> None:
    """360 pixels wide, in the dark: nothing sticks out, and nothing is too faint to read."""
    size: dict[str, Any] = {
        "viewport": {"width": 360, "height": 740},
        "color_scheme": "dark",
        "has_touch": True,
    }
    async with desk(world, browser, shared, **size) as page:
        await no_wider_than_its_window(page)
        await expect(page.locator(".go")).to_be_in_viewport(ratio=0.98)
        await check_accessible(page)
        small = await page.evaluate(
            """() => [...document.querySelectorAll('main button, main select, main .handle')]
              .filter((one) => one.checkVisibility())
              .filter((one) => Math.min(one.offsetWidth, one.offsetHeight) < 40)
              .map((one) => one.outerHTML)"""
        )
        assert small == []


@pytest.mark.parametrize("buffer_id", ["0" * 24, "%3Cimg%20onerror%3D1%3E"])
async def test_what_is_not_there_is_told_with_a_way_back(signed_in: SignIn, buffer_id: str) -> None:
    """An old id, or a stranger's: not there, or not yours."""
    page = await signed_in(
        "mallory", room="elsewhere", path=f"/buffers/{buffer_id}", tolerate="404"
    )
    await expect(page.get_by_role("heading", name="This share has ended")).to_be_visible()
    await page.get_by_role("link", name="Back to Live").click()
    await expect(page).to_have_url(re.compile("#/buffers$"))


async def test_a_strangers_share_is_not_there(
    world: World, signed_in: SignIn, shared: Shared
) -> None:
    """Somebody else in the same room, who may only see their own, is told the same."""
    path = f"/buffers/{shared.buffer_id}"
    page = await signed_in("mallory", room=shared.room, path=path, tolerate="404")
    await expect(page.get_by_role("heading", name="This share has ended")).to_be_visible()


async def test_what_is_cleaned_up_while_it_is_selected_is_told(page: Page) -> None:
    """The selection stays where it is, and knows how much of it is lost; so do the film's times."""
    found = await page.evaluate(
        """async () => {
          const { Selection } = await import('./console/timeline/selection.js');
          const { FilmClock } = await import('./console/timeline/film_clock.js');
          const { Axis } = await import('./console/timeline/axis.js');
          const { without } = await import('./console/timeline/watched.js');
          const extent = { oldest: 0, recent: 0, newest: 60_000 };
          const selection = new Selection(() => extent, 40_000);
          const axis = new Axis(() => extent);
          selection.choose(0, 60_000);
          const longest = [selection.start, selection.end];
          selection.choose(10_000, 30_000);
          axis.hold(true);
          const place = axis.place(30_000);
          Object.assign(extent, { oldest: 15_000, recent: 15_000, newest: 90_000 });
          axis.keepUp();
          const held = axis.place(30_000) === place;
          selection.moveEnd(35_000);
          const lost = without({ start: 0, end: 60_000 }, [{ start: 15_000, end: 90_000 }]);
          const spans = [{ start: 0, end: 10_000 }, { start: 14_000, end: 20_000 }];
          const film = new FilmClock(spans, { start: 5_000, end: 18_000 });
          return {
            longest, held, lost, chosen: [selection.start, selection.end],
            seconds: film.seconds, over: film.instant(6),
            into: film.second(16_000), gap: film.second(12_000),
          };
        }"""
    )
    assert found == {
        "longest": [20_000, 60_000],
        "held": True,
        "lost": [{"start": 0, "end": 15_000}],
        "chosen": [10_000, 35_000],
        "seconds": 9,
        "over": 15_000,
        "into": 7,
        "gap": 5,
    }

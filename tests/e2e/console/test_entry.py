"""Getting in, staying in, getting out: tokens, their end, and the way through the pages."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, Request, Route, expect

from tests.e2e.conftest import World
from tests.e2e.console.conftest import SignIn, check_accessible, watched_page
from tests.waiting import wait_for

pytestmark = pytest.mark.heavy

REFUSED = r"status of 401"
STORES = """async () => [
  document.cookie, localStorage.length, (await indexedDB.databases()).length,
  (await caches.keys()).length, (await navigator.serviceWorker.getRegistrations()).length,
]"""


async def paste(page: Page, token: str) -> None:
    await page.get_by_label("Access token").fill(token)
    await page.keyboard.press("Enter")


async def test_who_brings_no_token_is_asked_for_one_and_told_what_was_wrong_with_it(
    world: World, browser: Browser
) -> None:
    """By keyboard alone; the view that the address names is shown once one is taken."""
    async with watched_page(browser, world.service, tolerate=REFUSED) as page:
        await page.goto(f"{world.service.url}/#/nothing")
        await expect(page).to_have_title("Sign in · Replay")
        await expect(page.get_by_label("Access token")).to_be_focused()
        await check_accessible(page)
        await paste(page, "abc")
        said = page.get_by_role("alert").filter(has_text="work: ")
        await expect(said).to_contain_text("LiveKit access token")
        await paste(page, f"  {world.service.token('alice', 'somewhere')} ")
        await expect(page.locator("#who .identity")).to_have_text("alice")
        await expect(page).to_have_title("Page not found · Replay")


async def test_a_refused_token_of_the_address_is_taken_out_of_it(
    world: World, browser: Browser
) -> None:
    """And what is wrong with it is told."""
    async with watched_page(browser, world.service, tolerate=REFUSED) as page:
        await page.goto(f"{world.service.url}/#token=of.another.server")
        await expect(page.get_by_role("alert").filter(has_text="work: ")).to_be_visible()
        assert page.url == f"{world.service.url}/"


async def test_a_token_stays_in_this_tab_and_is_in_no_address_and_no_referer(
    world: World, browser: Browser, room: str
) -> None:
    """Neither the one that was brought nor the one it was exchanged for; signing out forgets it."""
    token = world.service.token("alice", room)
    asked: list[Request] = []
    async with watched_page(browser, world.service) as page:
        page.on("request", lambda request: asked.append(request))
        await page.goto(f"{world.service.url}/#token={token}")
        await expect(page.get_by_role("heading", name="Live", exact=True)).to_be_visible()
        kept: dict[str, str] = await page.evaluate("({...sessionStorage})")
        assert list(kept) == ["replay.session"]
        assert kept["replay.session"] != token
        assert await page.evaluate(STORES) == ["", 0, 0, 0, 0]
        assert "token" not in page.url
        await page.reload()
        await expect(page.locator("#who .identity")).to_have_text("alice")
        tokens = {token, kept["replay.session"]}
        assert len(asked) > 10
        for request in asked:
            assert not any(each in request.url.partition("#")[0] for each in tokens)
            assert not (await request.all_headers()).get("referer")
        await page.go_back()  # the page before, which is none
        assert page.url == "about:blank"
        await page.go_forward()
        assert "token" not in page.url
        await page.locator("#who summary").click()
        await page.get_by_role("button", name="Sign out", exact=True).click()
        await expect(page.locator("#entry-message")).to_have_text(re.compile("signed out"))
        assert await page.evaluate("sessionStorage.length") == 0
        await page.reload()
        await expect(page.get_by_label("Access token")).to_be_focused()


async def test_a_link_with_somebody_elses_token_asks_before_it_takes_the_tab(
    world: World, browser: Browser, room: str
) -> None:
    """It says whose; refused, everything stays as it was."""
    links = {
        who: f"{world.service.url}/#token={world.service.token(who, room)}"
        for who in ("alice", "mallory")
    }
    async with watched_page(browser, world.service, tolerate=REFUSED) as page:
        identity = page.locator("#who .identity")
        dialog = page.get_by_role("dialog", name="Switch accounts?")

        async def follow(link: str) -> None:
            await page.evaluate("(link) => { location.href = link; }", link)

        await page.goto(links["alice"])
        await expect(identity).to_have_text("alice")
        await follow(links["mallory"])
        await expect(dialog).to_contain_text("signs you in as “mallory”")
        await expect(dialog).to_contain_text("signed in as “alice”")
        await expect(page.get_by_role("button", name="Cancel")).to_be_focused()
        assert "token" not in page.url
        await check_accessible(page)
        await page.keyboard.press("Escape")
        await expect(identity).to_have_text("alice")
        await page.reload()
        await expect(identity).to_have_text("alice")
        await follow(f"{world.service.url}/#token=of.another.server")
        await expect(page.get_by_role("status").filter(has_text="work: ")).to_be_visible()
        await expect(identity).to_have_text("alice")
        await follow(links["mallory"])
        await page.get_by_role("button", name="Continue as mallory").click()
        await expect(identity).to_have_text("mallory")
        await follow(links["mallory"])  # one's own: nothing to ask
        await wait_for(lambda: "token" not in page.url, what="the token is taken")
        await expect(identity).to_have_text("mallory")
        await expect(dialog).to_be_hidden()


async def test_a_link_in_a_tab_of_its_own_says_whose_it_is_and_asks_who_is_signed_in_beside_it(
    world: World, browser: Browser, room: str
) -> None:
    """What is done in a tab that a link has opened is not done unawares for somebody else."""
    links = {
        who: f"{world.service.url}/#token={world.service.token(who, room)}"
        for who in ("alice", "mallory")
    }
    async with watched_page(browser, world.service) as page:

        async def follow(link: str) -> Page:
            tab = await page.context.new_page()
            await tab.goto(link)
            return tab

        def asked(tab: Page) -> Locator:
            return tab.get_by_role("dialog", name="Switch accounts?")

        async def expect_in(tab: Page, who: str) -> None:
            await expect(tab.locator("#who .identity")).to_have_text(who)
            said = tab.locator("#toasts").filter(has_text=f"signed you in as “{who}”")
            await expect(said).to_be_visible()

        await page.goto(links["alice"])
        await expect_in(page, "alice")
        tab = await follow(links["mallory"])
        await expect(asked(tab)).to_contain_text("signed in as “alice”")
        await check_accessible(tab)
        await tab.keyboard.press("Escape")
        await expect(tab.get_by_label("Access token")).to_be_focused()
        assert await tab.evaluate("sessionStorage.length") == 0
        tab = await follow(links["mallory"])
        await tab.get_by_role("button", name="Continue as mallory").click()
        await expect_in(tab, "mallory")
        await expect(page.locator("#who .identity")).to_have_text("alice")
        for who in ("alice", "mallory"):  # one's own: nothing to ask
            tab = await follow(links[who])
            await expect_in(tab, who)
            await expect(asked(tab)).to_be_hidden()


async def test_signing_out_everywhere_ends_the_sessions_of_other_browsers(
    world: World, browser: Browser, room: str
) -> None:
    """Asked first; a page that is open elsewhere is told within seconds."""
    link = f"{world.service.url}/#token={world.service.token('alice', room)}"
    async with (
        watched_page(browser, world.service, tolerate=REFUSED) as here,
        watched_page(browser, world.service, tolerate=REFUSED) as there,
    ):
        for page in (here, there):
            await page.goto(link)
            await expect(page.get_by_role("heading", name="Live", exact=True)).to_be_visible()
        await here.locator("#who summary").click()
        await here.get_by_role("button", name="Sign out everywhere").click()
        dialog = here.get_by_role("dialog", name="Sign out everywhere")
        await check_accessible(here)
        await dialog.get_by_role("button", name="Sign out everywhere").click()
        await expect(here.locator("#entry-message")).to_have_text(re.compile("signed out"))
        expired = there.get_by_role("dialog", name="Your session has expired")
        await expect(expired).to_be_visible()


async def test_a_session_tells_its_end_beforehand_and_goes_on_with_another_token(
    world: World, browser: Browser, room: str
) -> None:
    """What was typed is still there; nothing is asked of the service without a good token."""
    asked: list[Request] = []
    refused = json.dumps({"type": "unauthorized", "status": 401, "detail": "it has expired"})

    async def short(route: Route) -> None:
        """The service's answer as it is near the session's end, then its refusal to renew."""
        asked.append(route.request)
        if len(asked) > 1:
            await route.fulfill(status=401, body=refused)
            return
        answer = await route.fetch()
        told: dict[str, Any] = await answer.json()
        now = datetime.now(UTC)
        ends = {
            "expires_at": now + timedelta(minutes=1),
            "renewable_until": now + timedelta(minutes=4),
        }
        told |= {name: at.isoformat().replace("+00:00", "Z") for name, at in ends.items()}
        await route.fulfill(response=answer, json=told)

    async with watched_page(browser, world.service, tolerate=REFUSED) as page:
        await page.clock.install()
        await page.route("**/session", short)
        await page.goto(f"{world.service.url}/#token={world.service.token('alice', room)}")
        await expect(page.get_by_role("status").filter(has_text="session ends at")).to_be_visible()
        await expect(page.get_by_role("heading", name="Live", exact=True)).to_be_visible()
        await page.evaluate(
            "document.querySelector('#main').append(document.createElement('textarea'))"
        )
        await page.locator("main textarea").fill("half a sentence")
        await page.clock.fast_forward("01:00")
        dialog = page.get_by_role("dialog", name="Your session has expired")
        await expect(dialog).to_be_visible()
        await check_accessible(page)
        await page.unroute("**/session")
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Sign in again").click()
        await paste(page, world.service.token("alice", room))
        await expect(dialog).to_be_hidden()
        await expect(page.locator("main textarea")).to_have_value("half a sentence")
        assert await page.evaluate("sessionStorage.length") == 1


async def test_pages_have_titles_and_headings_and_are_found_again_going_back(
    signed_in: SignIn, room: str
) -> None:
    """The skip link leads to the content; a page that is no page says so."""
    page = await signed_in("alice", room=room)
    await expect(page).to_have_title("Live · Replay")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()
    await page.evaluate("location.hash = '/nothing'")
    await expect(page).to_have_title("Page not found · Replay")
    await expect(page.get_by_role("heading", level=1)).to_be_focused()
    await page.evaluate("location.hash = '/buffers/%zz'")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Page not found")
    await page.go_back()
    await page.go_back()
    await expect(page).to_have_title("Live · Replay")
    live = page.get_by_role("link", name="Live", exact=True)
    await expect(live).to_have_attribute("aria-current", "page")
    await page.go_forward()
    await expect(page).to_have_title("Page not found · Replay")


async def test_a_question_mark_shows_the_keys(signed_in: SignIn, room: str) -> None:
    """Those of the page first; where a text is typed it is a letter like others."""
    page = await signed_in("alice", room=room)
    await expect(page).to_have_title("Live · Replay")
    await page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(dialog).to_contain_text("Save last 30 s")
    await check_accessible(page)
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()


async def test_a_page_that_cant_reach_the_service_at_its_start_goes_on_by_itself(
    world: World, browser: Browser, room: str
) -> None:
    """It keeps its token meanwhile."""
    async with watched_page(browser, world.service, tolerate=r"ERR_|status of 503") as page:
        down = json.dumps({"type": "unavailable", "title": "down", "status": 503, "detail": "down"})
        await page.route("**/session", lambda route: route.fulfill(status=503, body=down))
        await page.goto(f"{world.service.url}/#token={world.service.token('alice', room)}")
        await expect(page.get_by_role("status").filter(has_text="busy")).to_be_visible()
        await page.unroute("**/session")
        await expect(page.locator("#who .identity")).to_have_text("alice")

"""The live view against a real share, and against more shares than anybody has screens."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Route, expect

from app.models import Why
from app.models.schema import Buffer
from app.processes.embedded import running_stores
from app.store import Store
from tests.e2e.conftest import World
from tests.e2e.console.conftest import SignIn, check_accessible, picture, signed_in_page
from tests.e2e.console.desk import until
from tests.pace import Pace
from tests.rows import document
from tests.waiting import wait_for

LONG_TASK_MS = 200
NAUGHTY = "<img src=x onerror=alert(1)>"
WATCH_SHIFTS = """() => {
  window.shift = 0;
  const take = (each) => { if (!each.hadRecentInput) shift += each.value; };
  const watch = new PerformanceObserver((list) => list.getEntries().forEach(take));
  watch.observe({type: 'layout-shift'});
}"""

# Whether a card's words are painted above its picture, once that is there.
SAYS_ON_TOP = """(card) => {
  const says = card.querySelector('.says');
  card.scrollIntoView({block: 'center'});
  const {left, top, width, height} = says.getBoundingClientRect();
  const there = document.elementsFromPoint(left + width / 2, top + height / 2);
  const picture = there.indexOf(card.querySelector('canvas.picture'));
  return there.includes(says) && picture > there.indexOf(says);
}"""


@dataclass
class Shared:
    """A room with two real shares, and how long the first took to appear on an admin's page."""

    room: str
    seconds: float


def card(page: Page, identity: str) -> Locator:
    return page.get_by_role("listitem").filter(
        has=page.get_by_role("heading", name=identity, exact=True)
    )


@pytest_asyncio.fixture(scope="module")
async def shared(world: World, browser: Browser) -> AsyncIterator[Shared]:
    room = f"design review {secrets.token_hex(2)}"
    async with AsyncExitStack() as shares:
        async with signed_in_page(browser, world.service, admin=True) as page:
            await expect(page).to_have_title("Live · Replay")
            mine = card(page, "alice").filter(has_text=room)
            with Pace() as pace:
                alice = await shares.enter_async_context(world.share(room, "alice"))
                await expect(mine).to_be_visible()
                shown = time.time()
            published = (await alice.told("video_published"))["t"]
            seconds = (shown - published) / pace.slowdown
            await shares.enter_async_context(world.share(room, "bob", "--no-audio"))
            await expect(mine.locator("canvas")).to_be_visible()
        yield Shared(room, seconds)


@asynccontextmanager
async def buffers(world: World, rows: list[Buffer]) -> AsyncIterator[Store]:
    """More shares, as rows of the database that the service uses."""
    store = Store(running_stores(world.service.folder / "data")["MONGO_URL"])
    ids = [row.id for row in rows]
    try:
        await store.rows(Buffer).insert_many([document(row) for row in rows])
        yield store
    finally:
        await store.rows(Buffer).delete_many({"_id": {"$in": ids}})
        await store.close()


def longest_task_ms(trace: bytes) -> float:
    """The processor time of the longest task of any page's main thread.

    Not the time that passed: on a machine that does other things, that is not the page's.
    """
    events = json.loads(trace)["traceEvents"]
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks: list[float] = [
        event["tdur"] / 1000
        for event in events
        if "tdur" in event and (event["pid"], event["tid"]) in mains
    ]
    assert tasks
    return max(tasks)


def share(number: int, room: str, *, identity: str = "", why: Why | None = None) -> Buffer:
    return Buffer(
        id=secrets.token_hex(12),
        room=room,
        # one of its own: a slot that another share leaves there makes nobody ask about this one
        community=room,
        room_sid=f"RM_{number}",
        identity=identity or f"person {number}",
        participant_sid=f"PA_{number}",
        video_sid=f"TR_{number}",
        since=datetime.now(UTC) - timedelta(minutes=number),
        why=why,
    )


async def test_a_card_appears_within_10_s_of_sharing_and_says_what_is_there(
    shared: Shared, signed_in: SignIn
) -> None:
    """Whose, where, since when, how much, with sound or not; nothing moves while it goes on."""
    assert shared.seconds < 10
    page = await signed_in("alice", room=shared.room)
    alice = card(page, "alice")
    await expect(alice).to_contain_text(shared.room)
    await expect(alice).to_contain_text("Recording")
    await expect(alice).to_contain_text("With sound")
    await expect(alice).to_contain_text(re.compile(r"Last \d:\d\d available"))
    await expect(alice.locator("canvas")).to_be_visible()
    await page.evaluate(WATCH_SHIFTS)
    shown = await alice.locator("canvas").get_attribute("data-instant")
    amount = await alice.locator(".share-facts").inner_text()
    await expect(alice.locator(".share-facts")).not_to_have_text(amount)
    await expect(alice.locator("canvas")).not_to_have_attribute("data-instant", str(shown))
    assert await page.evaluate("shift") < 0.01
    await check_accessible(page)


async def test_a_poster_moves_while_it_is_pointed_at(shared: Shared, signed_in: SignIn) -> None:
    """Through the newest small pictures; not where somebody wants little motion."""
    page = await signed_in("alice", room=shared.room)
    reel = card(page, "alice").locator(".reel")
    await page.get_by_role("link", name="alice", exact=True).hover()
    await expect(reel).to_be_visible()
    first = await reel.get_attribute("style")
    await expect(reel).not_to_have_attribute("style", str(first))
    await page.mouse.move(0, 0)
    await expect(reel).to_be_hidden()
    await page.emulate_media(reduced_motion="reduce")
    async with page.expect_response(lambda answer: "poster" in answer.url):
        await page.get_by_role("link", name="alice", exact=True).hover()
    await expect(reel).to_be_hidden()


async def test_everybody_sees_what_is_theirs_and_no_more(shared: Shared, signed_in: SignIn) -> None:
    """A member their own share, a room's admin all of the room, the instance's admin all."""
    alice = await signed_in("alice", room=shared.room)
    await expect(card(alice, "alice")).to_be_visible()
    await expect(card(alice, "alice").get_by_role("button", name="Stop")).to_be_visible()
    await expect(card(alice, "bob")).to_have_count(0)
    await expect(alice.get_by_role("link", name="Admin")).to_have_count(0)
    eve = await signed_in("eve", room=shared.room)
    await expect(eve.get_by_text("You can replay only your own shares here")).to_be_visible()
    await expect(eve.get_by_text("it appears here within seconds")).to_be_visible()
    await check_accessible(eve)
    await expect(eve.locator(".share")).to_have_count(0)
    moderator = await signed_in("mia", room=shared.room, admin=True)
    stranger = await signed_in("mia", room="another room", admin=True)
    await expect(stranger.get_by_text("Nobody is sharing")).to_be_visible()
    operator = await signed_in(admin=True)
    for page in (moderator, operator):
        for identity in ("alice", "bob"):
            one = card(page, identity).filter(has_text=shared.room)
            await expect(one.get_by_role("button", name="Stop")).to_be_visible()
    await expect(operator.get_by_role("link", name="Admin")).to_be_visible()


async def test_the_last_30_seconds_are_kept_with_one_key(shared: Shared, signed_in: SignIn) -> None:
    """A message leads to the clip when it is ready."""
    page = await signed_in("alice", room=shared.room)
    await page.get_by_role("link", name="alice", exact=True).focus()
    await expect(card(page, "alice").get_by_role("button", name="Save last")).to_be_enabled()
    await page.keyboard.press("k")
    await expect(page.get_by_text("Saving the last 30 s of alice")).to_be_visible()
    await expect(page.get_by_role("button", name="Copy link")).to_be_visible()
    await page.get_by_role("button", name="Open", exact=True).click()
    await expect(page).to_have_url(re.compile(r"#/clips/\w+"))


async def test_a_stopped_share_says_who_stopped_it_and_why(
    shared: Shared, signed_in: SignIn
) -> None:
    """As text, whatever the reason is; resumed, it is recorded again."""
    moderator = await signed_in("mia", room=shared.room, admin=True)
    bob = await signed_in("bob", room=shared.room)
    for page in (moderator, bob):
        await expect(card(page, "bob").locator("canvas.picture")).to_be_visible()
    await card(moderator, "bob").get_by_role("button", name="Stop recording bob").click()
    dialog = moderator.get_by_role("dialog", name="Stop recording bob?")
    await dialog.get_by_label("Reason").fill(NAUGHTY)
    await check_accessible(moderator)
    await dialog.get_by_role("button", name="Stop").click()
    for page in (moderator, bob):
        await expect(card(page, "bob")).to_contain_text("Not recorded")
        await expect(card(page, "bob")).to_contain_text(f"Reason: “{NAUGHTY}”")
        await until(card(page, "bob"), SAYS_ON_TOP, what="the words are above the picture")
    await expect(card(bob, "bob").get_by_role("button", name="Resume")).to_have_count(0)
    await check_accessible(bob)
    await card(moderator, "bob").get_by_role("button", name="Resume").click()
    await expect(card(bob, "bob")).not_to_contain_text("Not recorded")


async def test_who_stopped_it_themselves_reads_so_on_the_page_of_the_share_too(
    shared: Shared, signed_in: SignIn
) -> None:
    bob = await signed_in("bob", room=shared.room)
    stopped = "You stopped the recording. Only you can resume it."
    await card(bob, "bob").get_by_role("button", name="Stop recording bob").click()
    dialog = bob.get_by_role("dialog", name="Stop recording your screen?")
    await expect(dialog.get_by_label("Also delete what was recorded")).not_to_be_checked()
    await expect(dialog.get_by_label("Reason")).to_have_count(0)
    await dialog.get_by_role("button", name="Stop").click()
    await expect(card(bob, "bob")).to_contain_text("You stopped the recording.")
    await card(bob, "bob").get_by_role("link", name="bob", exact=True).click()
    await expect(bob.locator("header.head")).to_contain_text(stopped)
    await bob.go_back()
    await card(bob, "bob").get_by_role("button", name="Resume").click()
    await expect(card(bob, "bob")).not_to_contain_text("Not recorded")


async def test_fifty_shares_stay_responsive(
    world: World, browser: Browser, signed_in: SignIn
) -> None:
    """All told at once, each changed at once, filtered letter by letter; names stay text."""
    room = f"crowd {secrets.token_hex(2)}"
    slugs = sorted(why for why in Why if why.refuses)
    rows = [share(n, room, why=slugs[n % len(slugs)]) for n in range(49)]
    rows.append(share(49, room, identity=NAUGHTY, why=Why.LIMIT))
    async with buffers(world, rows) as store:
        page = await signed_in(admin=True, path="/nothing")
        await expect(page).to_have_title("Page not found · Replay")
        await browser.start_tracing(page=page, categories=["toplevel"])
        await page.evaluate("location.hash = '/buffers'")
        # Asked for in few words: what a test looks for takes the page's time, too.
        await page.wait_for_function("() => document.querySelectorAll('.share').length >= 50")
        await store.rows(Buffer).update_many({"room": room}, {"$set": {"why": Why.DISK}})
        full = "[...document.querySelectorAll('.says')].filter((it) => /disk/.test(it.textContent))"
        await page.wait_for_function(f"() => {full}.length >= 50")
        await page.keyboard.press("/")
        await page.keyboard.type("person 1")
        shown = "document.querySelectorAll('.share:not([hidden])').length"
        await page.wait_for_function(f"() => {shown} === 11")
        assert longest_task_ms(await browser.stop_tracing()) < LONG_TASK_MS
        await page.get_by_role("button", name=re.compile(r"^Recording \d")).click()
        await page.wait_for_function(f"() => {shown} === 0")
        await expect(page).to_have_url(re.compile("find=person"))
        await page.get_by_role("button", name="Show all").click()
        everybody = page.locator(".share").filter(has_text=room)
        await expect(everybody).to_have_count(50)
        await expect(everybody.get_by_role("link", name=NAUGHTY, exact=True)).to_have_text(NAUGHTY)


async def test_every_reason_is_told_in_words(
    world: World, shared: Shared, signed_in: SignIn
) -> None:
    """None is shown as its slug; each says what to do."""
    room = f"community call {secrets.token_hex(2)}"
    names = ["carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "ken", "lea"]
    names += ["mallory", "niaj", "olivia", "peggy", "rupert", "sybil"]
    who = dict(zip(Why, names, strict=False))
    rows = [share(n + 9, room, identity=who[why], why=why) for n, why in enumerate(Why)]
    page = await signed_in(admin=True)
    real = card(page, "alice").filter(has_text=shared.room)
    await expect(real.locator("canvas")).to_be_visible()
    await picture(page, "console-live.png")
    async with buffers(world, rows):
        told = page.locator(".share").filter(has_text=room)
        await expect(told).to_have_count(len(rows))
        for words in ("says", "note"):
            # not inner texts: what is out of sight may not be rendered
            texts = await told.locator(f".reason .{words}").all_text_contents()
            assert all(re.match(r"[A-Z].{15,}\.$", each) for each in texts), texts
        await check_accessible(page)


async def test_a_slow_network_shows_that_it_looks_and_then_what_there_is(
    shared: Shared, signed_in: SignIn
) -> None:
    """With 400 ms to the service and 30 kB/s; the list comes last of all."""
    page = await signed_in("alice", room=shared.room, path="/nothing")
    await expect(page).to_have_title("Page not found · Replay")
    devtools = await page.context.new_cdp_session(page)
    await devtools.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 400, "downloadThroughput": 30e3, "uploadThroughput": 30e3},
    )
    held: list[Route] = []
    await page.route("**/buffers/events", lambda route: held.append(route))
    await page.evaluate("location.hash = '/buffers'")
    async with page.expect_request("**/buffers/events"):
        await page.reload(wait_until="commit")
        await expect(page.locator(".skeleton")).to_have_count(3)  # as the page itself has them
    await expect(page.locator("#who .identity")).to_have_text("alice")
    await expect(page.locator(".skeleton")).to_have_count(3)

    async def asked() -> bool:
        return bool(held)

    await wait_for(asked, what="the list is asked for")
    await held[-1].continue_()
    await expect(card(page, "alice").locator("canvas")).to_be_visible()
    await expect(page.locator(".skeleton")).to_have_count(0)


async def test_the_page_goes_on_by_itself_after_the_service_was_restarted(
    world: World, shared: Shared, signed_in: SignIn
) -> None:
    """It says calmly that the service is away, keeps what it shows, and what was typed."""
    page = await signed_in("alice", room=shared.room, tolerate=r"ERR_|status of 50\d")
    alice = card(page, "alice")
    await expect(alice).to_contain_text("Recording")
    lost = page.get_by_role("status").filter(has_text="No connection")
    before = await alice.locator("canvas").get_attribute("data-instant")
    await world.service.stop()
    await expect(lost).to_be_visible()
    await expect(alice).to_be_visible()
    await world.start_service()
    await expect(lost).to_be_hidden()
    newer = alice.locator(f'canvas:not([data-instant="{before}"])')
    await expect(newer).to_be_visible()
    await expect(alice).to_contain_text("Recording")

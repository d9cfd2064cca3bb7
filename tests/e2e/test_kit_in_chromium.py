"""The kit and the examples in a real room, with the real livekit-client in Chromium.

Alice has the page without a build, Bob the one of React. Both share their screens all the time,
until the last test.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import Error, Locator, Page, Route

from deploy.local.stack import ROOT
from tests import npm
from tests.e2e import browser
from tests.e2e.conftest import World
from tests.waiting import PATIENCE_SECONDS, wait_for

pytestmark = pytest.mark.heavy

FAKES = [
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream=display-media-type=monitor,fps=10",
    "--allow-loopback-in-peer-connection",
]
# Puts elements into a page; what they tell from then on is in `told`, by name and detail.
SHOW = """
(html) => {
  document.querySelector('#stage')?.remove();
  document.body.insertAdjacentHTML('beforeend', `<div id="stage">${html}</div>`);
  window.told = [];
  const stage = document.querySelector('#stage');
  for (const name of ['replay-progress', 'replay-clip', 'replay-error'])
    stage.addEventListener(name, ({ detail }) => told.push([name, detail]));
}
"""
# What an element's button is in, each time that it becomes busy or is no more.
WATCH = """
(element) => {
  window.states = [];
  const look = () => states.push([
    element.hasAttribute('busy'),
    element.shadowRoot.querySelector('button').ariaDisabled,
    document.activeElement === element,
    element.shadowRoot.querySelector('output').textContent,
  ]);
  new MutationObserver(look).observe(element, { attributeFilter: ['busy'] });
}
"""
PLAYS = """
(video) => {
  video.muted = true;
  if (video.paused) video.play().catch(() => {});
  return video.currentTime > 0.2;
}
"""
CONNECTED = "document.querySelector('replay-badge').replay?.connection === 'open'"
# Two clips: of an open one and of a private one what the service says.
CLIPS = """
() => Promise.all([true, false].map(async (link) => {
  const made = await document.querySelector('replay-badge').replay.clip({ last: 2, link });
  if (!made.ok) throw new Error(JSON.stringify(made.error));
  return made.clip;
}))
"""
# Of a capture that a page asks for by itself, the clip, as its events tell of it.
HEARD = """
async ([service, room]) => {
  const token = await fetch(`/token?name=alice&room=${encodeURIComponent(room)}`);
  const asked = await fetch(`${service}/v1/captures`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${await token.text()}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ room, last: 2 }),
  });
  const source = new EventSource(new URL((await asked.json()).events_url, service));
  return new Promise((resolve, reject) => {
    source.addEventListener('error', () => reject(new Error('the stream has ended')));
    source.addEventListener('capture', ({ data }) => {
      const { status, clip } = JSON.parse(data);
      if (status !== 'ready') return;
      source.close();
      resolve(clip);
    });
  });
}
"""


@dataclass
class Studio:
    """A room with both apps. `viewer`: a page of nobody's; `faults`: what any page threw."""

    name: str
    alice: Page
    bob: Page
    viewer: Page
    faults: list[str]

    async def links(self) -> list[str]:
        """Those in Alice's chat, in the order in which they were posted."""
        found = await self.alice.get_by_role("log").get_by_role("link").all()
        return [str(await link.get_attribute("href")) for link in found]

    async def wait_for_links(self, count: int) -> list[str]:
        async def posted() -> list[str] | None:
            found = await self.links()
            return found if len(found) >= count else None

        return await wait_for(posted, what=f"{count} links in the chat")


async def moves(video: Locator) -> bool:
    """Whether a film that is shown goes on, also one that one would have to scroll to."""

    async def shown() -> bool:
        with suppress(Error):  # the page of a link loads itself again when its film is there
            return bool(await video.evaluate(PLAYS))
        return False

    return await wait_for(shown, what=f"{video} moves")


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


@pytest_asyncio.fixture(scope="module")
async def studio(world: World) -> AsyncIterator[Studio]:
    npm.NODE.install()
    client = npm.NODE.folder / "node_modules/livekit-client/dist/livekit-client.esm.mjs"
    name, faults = f"studio {secrets.token_hex(4)}", list[str]()
    ports = [str(port) for port in world.page_ports]
    async with AsyncExitStack() as stack:
        # livekit-client is that of our lock, instead of a CDN's.
        vanilla, react, bot, alice = await asyncio.gather(
            *(
                stack.enter_async_context(each)
                for each in (
                    example(world, "vanilla", "--port", ports[0], "--livekit-client", str(client)),
                    example(world, "react", "--port", ports[1]),
                    example(world, "python", name),
                    browser.page(*FAKES),
                )
            )
        )
        assert isinstance(alice, Page)
        assert (vanilla, react) == tuple(f"http://127.0.0.1:{port}/?name=alice" for port in ports)
        assert bot == f"clip-bot is in {name}"
        assert alice.context.browser
        bob, viewer = [await alice.context.browser.new_page() for _ in range(2)]
        for page in (alice, bob, viewer):
            page.set_default_timeout(PATIENCE_SECONDS * 1000)
            page.on("pageerror", lambda error: faults.append(str(error)))
        await asyncio.gather(
            alice.goto(f"{vanilla}&room={name}"),
            bob.goto(f"{str(react).replace('alice', 'bob')}&room={name}"),
        )
        for page in (alice, bob):
            await is_shown(page, "idle")
            await page.wait_for_function(CONNECTED)
            await page.get_by_role("button", name="Share your screen").click()
        for page in (alice, bob):
            await is_shown(page, "recording")
        yield Studio(name, alice, bob, viewer, faults)
        assert faults == []


async def is_shown(page: Page, state: str) -> None:
    await page.locator(f"replay-badge[state={state}]").first.wait_for(state="attached")


async def test_a_clip_that_is_asked_for_in_an_app_is_a_link_that_plays(
    world: World, studio: Studio
) -> None:
    """By Alt+C in either app, by a word to a bot in their chat, and from a shell: all at once."""
    pages = (studio.alice, studio.bob)
    shell = asyncio.create_task(clip_by_curl(world, studio))
    for page in pages:
        await page.keyboard.press("Alt+c")
    await studio.alice.fill("[name=text]", "Clip that 2!")
    await studio.alice.keyboard.press("Enter")
    links = await studio.wait_for_links(3)
    shown = [page.locator("replay-clip-button").get_by_role("link") for page in pages]
    assert {await link.get_attribute("href") for link in shown} < set(links)
    for link in links:
        await studio.bob.locator(f".lk-chat a[href='{link}']").wait_for()
    links.append(await shell)
    assert len(set(links)) == 4
    for link in links:  # without a token
        await studio.viewer.goto(link)
        assert await moves(studio.viewer.locator("video"))


async def clip_by_curl(world: World, studio: Studio) -> str:
    """What the example of the shell prints."""
    token = world.service.token("alice", studio.name)
    process = await asyncio.create_subprocess_exec(
        *("deploy/examples/curl/clip", studio.name, "alice", "2"),
        cwd=ROOT,
        env=os.environ | settings(world) | {"TOKEN": token},
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert process.returncode == 0
    return printed.decode().strip()


async def test_a_badge_says_of_anybody_whether_they_are_recorded(studio: Studio) -> None:
    """Of whom it is said is told by `identity`; of who shares nothing nothing is shown."""
    page = studio.alice
    names = ("bob", "nobody")
    await page.evaluate(
        SHOW, "".join(f"<replay-badge identity={name}></replay-badge>" for name in names)
    )
    bob, nobody = (page.locator(f"#stage [identity={name}]") for name in names)
    assert await bob.get_by_role("status").text_content() == "REC"
    assert [await bob.is_visible(), await nobody.is_visible()] == [True, False]


async def test_elements_take_the_style_of_their_page(studio: Studio) -> None:
    """Its font and colour by themselves; parts and colours as the page says."""
    page = studio.alice
    await page.evaluate(
        SHOW,
        """<style>
          #stage { font: italic 23px monospace; color: rgb(1, 2, 3); inline-size: 320px }
          #stage replay-clip-button::part(button) { border-radius: 7px }
          #stage replay-badge { --replay-recording: rgb(4, 5, 6) }
          #stage replay-clip { --replay-aspect: 4 / 3 }
        </style>
        <replay-clip-button label="Klipp!"></replay-clip-button>
        <replay-badge></replay-badge>
        <replay-clip src="/app.css"></replay-clip>""",
    )
    button = page.locator("#stage").get_by_role("button", name="Klipp!")
    badge, dot = (page.locator(f"#stage replay-badge [part={part}]") for part in ("label", "dot"))
    style = "(element, name) => getComputedStyle(element)[name]"
    for element in (button, badge):
        assert await element.evaluate(style, "fontSize") == "23px"
        assert await element.evaluate(style, "fontStyle") == "italic"
    assert await badge.evaluate(style, "color") == "rgb(1, 2, 3)"
    assert await button.evaluate(style, "borderRadius") == "7px"
    assert await dot.evaluate(style, "backgroundColor") == "rgb(4, 5, 6)"
    box = await page.locator("#stage replay-clip").bounding_box()
    assert box
    assert (round(box["width"]), round(box["height"])) == (320, 240)


async def test_a_button_is_pressed_by_keys_and_says_how_far_it_is(studio: Studio) -> None:
    """While it works it is busy, and keeps the focus; then it has a link, or what went wrong."""
    page = studio.alice
    await page.evaluate(
        SHOW,
        """<replay-clip-button last="2" clip-title="By keys"></replay-clip-button>
        <replay-clip-button last="2" sharer="nobody"></replay-clip-button>""",
    )
    good, bad = (page.locator(f"#stage replay-clip-button >> nth={place}") for place in (0, 1))
    await good.get_by_role("button").focus()
    await good.evaluate(WATCH)
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")  # it is at work: nothing comes of it
    link = good.get_by_role("link", name="Watch the clip")
    await link.wait_for()
    assert await page.evaluate("states") == [
        [True, "true", True, "Saving…"], [False, "false", True, "Watch the clip"],
    ]  # fmt: skip
    told = await page.evaluate("told")
    assert [name for name, _ in told].count("replay-clip") == 1
    assert told[0][0] == "replay-progress"
    (clip,) = (detail for name, detail in told if name == "replay-clip")
    assert clip["clip"]["title"] == "By keys"
    assert clip["link"] == await link.get_attribute("href")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.shadowRoot.activeElement.tagName") == "A"
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await page.wait_for_function("() => told.some(([name]) => name === 'replay-error')")
    _, problem = (await page.evaluate("told"))[-1]
    assert (problem["type"], problem["status"]) == ("not-permitted", 403)
    assert await bad.get_by_role("status").text_content() == problem["detail"]


async def test_a_key_of_a_button_is_a_letter_where_people_write(studio: Studio) -> None:
    """One that is held down with Alt or Control is not."""
    page = studio.alice
    await page.evaluate(
        SHOW,
        """<input aria-label="Note">
        <replay-clip-button sharer="nobody" hotkey="k"></replay-clip-button>""",
    )
    note = page.get_by_label("Note")
    button = page.locator("#stage replay-clip-button")
    for hotkey in ("k", "shift+k", "hyper+k", "+k", ""):
        await button.evaluate("(it, hotkey) => it.setAttribute('hotkey', hotkey)", hotkey)
        await note.fill("")
        await note.press("k")
        await note.press("Shift+K")
        assert await note.input_value() == "kK"
    await note.blur()
    assert await page.evaluate("told") == []
    for hotkey, pressed in (
        ("k", "k"),
        ("Control + K", "Control+k"),
        ("option+1", "Alt+1"),
        ("cmd+shift+k", "Meta+Shift+K"),
    ):
        await page.evaluate("told.length = 0")
        await button.evaluate("(it, hotkey) => it.setAttribute('hotkey', hotkey)", hotkey)
        await page.keyboard.press(pressed)
        await page.wait_for_function("() => told.length")


async def test_a_key_is_the_one_of_its_place_where_alt_writes_another(studio: Studio) -> None:
    """As on a Mac, where Alt and 1 are an inverted exclamation mark."""
    page = studio.alice
    await page.evaluate(
        SHOW, '<replay-clip-button sharer="nobody" hotkey="alt+1"></replay-clip-button>'
    )
    await page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown',"
        " { key: '\\u00a1', code: 'Digit1', altKey: true, bubbles: true }))"
    )
    await page.wait_for_function("() => told.length")


async def test_a_button_may_keep_its_clips_private(studio: Studio) -> None:
    page = studio.alice
    await page.evaluate(SHOW, '<replay-clip-button last="2" private></replay-clip-button>')
    button = page.locator("#stage replay-clip-button")
    shown = len(await studio.links())
    await button.get_by_role("button").click()
    await page.wait_for_function("() => told.some(([name]) => name === 'replay-clip')")
    assert await button.get_by_role("status").text_content() == "Clip saved"
    detail = (await page.evaluate("told"))[-1][1]
    assert (detail["link"], detail["clip"]["visibility"]) == (None, "private")
    assert len(await studio.links()) == shown


async def test_a_clip_whose_link_is_refused_is_told_of_with_the_problem(studio: Studio) -> None:
    page = studio.alice
    refusal = {"type": "no-public-url", "title": "No", "status": 409, "detail": "no link"}

    async def refuse(route: Route) -> None:
        if route.request.method == "PATCH":
            await route.fulfill(
                status=409, json=refusal, headers={"Access-Control-Allow-Origin": "*"}
            )
        else:
            await route.continue_()

    await page.evaluate(SHOW, '<replay-clip-button last="2"></replay-clip-button>')
    await page.route("**/v1/clips/*", refuse)
    await page.locator("#stage replay-clip-button").get_by_role("button").click()
    await page.wait_for_function("() => told.some(([name]) => name === 'replay-error')")
    await page.unroute("**/v1/clips/*")
    _, detail = (await page.evaluate("told"))[-1]
    assert (detail["type"], detail["clip"]["sharer"]) == ("no-public-url", "alice")


async def test_a_film_whose_url_has_ended_is_asked_for_again(studio: Studio) -> None:
    page = studio.alice
    _, clip = await page.evaluate(CLIPS)
    asked = list[str]()

    async def expire(route: Route) -> None:
        if route.request.method == "GET":
            asked.append(route.request.url)
        if len(asked) > 1:
            await route.continue_()
            return
        answer = await route.fetch()
        told = await answer.json()
        told["file_url"] = told["file_url"].replace("/files/", "/files/no-such-")
        await route.fulfill(response=answer, json=told)

    await page.route(f"**/v1/clips/{clip['id']}", expire)
    await page.evaluate(SHOW, f'<replay-clip clip-id="{clip["id"]}"></replay-clip>')
    assert await moves(page.locator("#stage replay-clip").locator("video"))
    await page.unroute(f"**/v1/clips/{clip['id']}")
    assert await page.evaluate("told") == []


async def test_a_page_may_bring_its_own_button(studio: Studio) -> None:
    page = studio.alice
    await page.evaluate(
        SHOW, "<replay-clip-button sharer=nobody><button>Mine</button></replay-clip-button>"
    )
    await page.get_by_role("button", name="Mine").click()
    await page.wait_for_function("() => told.length")
    assert await page.locator("#stage").get_by_role("button").count() == 1


async def test_a_clip_plays_within_a_page(world: World, studio: Studio) -> None:
    """By its id for who may see it, by the link of its film, and by the page of that link.

    On a page without a room, too, where a button waits until there is a replay.
    """
    page, viewer = studio.alice, studio.viewer
    clip, private = await page.evaluate(CLIPS)
    await page.evaluate(
        SHOW,
        f"""<replay-clip clip-id="{private["id"]}"></replay-clip>
        <replay-clip src="{clip["link_url"]}"></replay-clip>
        <replay-clip src="{clip["page_url"]}"></replay-clip>""",
    )
    players = page.locator("#stage replay-clip")
    for place in range(2):
        assert await moves(players.nth(place).locator("video"))
    assert await moves(page.frame_locator("#stage iframe").locator("video"))
    assert await page.evaluate("told") == []
    await viewer.goto(f"http://127.0.0.1:{world.page_ports[0]}/no-such-page")
    await viewer.set_content(
        f"""<replay-clip-button></replay-clip-button><replay-badge></replay-badge>
        <replay-clip src="{clip["link_url"]}"></replay-clip>
        <script type="module" src="{world.service.url}/kit/replay.js"></script>"""
    )
    assert await moves(viewer.locator("video"))
    assert await viewer.get_by_role("button").is_disabled()
    assert not await viewer.locator("replay-badge").is_visible()


async def test_a_page_without_the_kit_hears_of_a_capture_by_its_url(
    world: World, studio: Studio
) -> None:
    clip = await studio.alice.evaluate(HEARD, [world.service.url, studio.name])
    assert (clip["sharer"], clip["right"]) == ("alice", "change")


async def test_a_clip_that_does_not_play_is_told_of(studio: Studio) -> None:
    page = studio.alice
    for attribute, slug in (
        ("src=/no-such-film.mp4", "unplayable"),
        ("src=javascript:alert(1)", "unplayable"),
        ("src=http://[", "unplayable"),
        ("clip-id=no-such-clip", "not-found"),
    ):
        await page.evaluate(SHOW, "<replay-clip></replay-clip>")
        name, _, value = attribute.partition("=")
        await page.locator("#stage replay-clip").evaluate(
            "(element, [name, value]) => element.setAttribute(name, value)", [name, value]
        )
        await page.wait_for_function("() => told.length")
        assert [detail["type"] for _, detail in await page.evaluate("told")] == [slug]


async def test_a_box_that_nobody_took_is_not_ticked(studio: Studio) -> None:
    """Its page says so, in either app."""
    for page in (studio.alice, studio.bob):
        me = "document.querySelector('replay-badge').replay.room.localParticipant"
        await page.evaluate(
            f"() => {{ {me}.setAttributes = async () => {{ throw new Error('no permission') }} }}"
        )
        box = page.get_by_label("Do not record me")
        await box.click()
        await page.get_by_text("canUpdateOwnMetadata").wait_for()
        assert not await box.is_checked()
        await page.evaluate(f"() => {{ delete {me}.setAttributes }}")


async def test_who_opts_out_is_recorded_no_more(studio: Studio) -> None:
    """In both apps; each sees it of the other, too."""
    for page in (studio.alice, studio.bob):
        await page.get_by_label("Do not record me").click()
    for page in (studio.alice, studio.bob):
        await is_shown(page, "opted-out")
        assert await page.get_by_label("Do not record me").is_checked()
    await studio.alice.evaluate(SHOW, "<replay-badge identity=bob></replay-badge>")
    await studio.alice.locator("#stage [state=opted-out]").wait_for()

"""Administration: each sees what is theirs to administrate, and what they change acts at once."""

from __future__ import annotations

import csv
import io
import json
import re
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from livekit import api
from playwright.async_api import Page, expect

from app.access.path_names import path_name
from app.models import EventState
from app.models.schema import OutgoingEvent
from app.processes.embedded import running_stores
from app.store import Store
from tests.e2e.conftest import World
from tests.e2e.console.conftest import SignIn, check_accessible, picture

pytestmark = pytest.mark.heavy

PHONE = {"width": 360, "height": 740}


@pytest_asyncio.fixture
async def community(world: World, room: str) -> str:
    """A community that `room` belongs to, and that has no rules of its own."""
    name = f"guild {secrets.token_hex(4)}"
    # A first word makes it: a room belongs to none that is not there when it starts.
    answer = await world.admin.put(f"/communities/{path_name(name)}/config", json={"enabled": True})
    assert answer.status_code == 200, answer.text
    stack = world.stack
    async with api.LiveKitAPI(stack.url, stack.api_key, stack.api_secret) as livekit:
        metadata = json.dumps({"community": name})
        await livekit.room.create_room(api.CreateRoomRequest(name=room, metadata=metadata))
    return name


async def go(page: Page, path: str) -> None:
    await page.evaluate("(path) => { location.hash = path; }", path)


async def told(page: Page, words: str) -> None:
    await expect(page.locator("#toasts")).to_contain_text(words)


async def test_limits_stop_and_resume_act_on_live_shares_and_stand_in_the_audit(
    world: World, community: str, room: str, signed_in: SignIn
) -> None:
    """A share that waits for the limit starts when it is raised; one that is stopped resumes."""
    page = await signed_in("operator", admin=True, path="/admin/communities")
    await page.get_by_role("link", name=community, exact=True).click()
    limit = page.get_by_role("spinbutton", name="Shares recorded at once")
    await expect(limit).to_have_value("")
    await expect(limit).to_have_attribute("placeholder", "Default (5)")
    await limit.fill("0")
    await page.get_by_role("button", name="Save", exact=True).click()
    await told(page, "Applies at once")
    await check_accessible(page)

    async with world.share(room, "ann"):
        await go(page, "/admin/shares")
        ann = page.get_by_role("row").filter(has_text=room)
        await expect(ann).to_contain_text("The limit of")
        await page.get_by_role("combobox", name="State").select_option("recording")
        await expect(ann).to_have_count(0)
        await page.get_by_role("combobox", name="State").select_option("refused")
        await expect(ann).to_contain_text("The limit of")
        await check_accessible(page)

        await go(page, f"/admin/communities?of={community}")
        await limit.fill("0.5")
        await page.get_by_role("button", name="Save", exact=True).click()
        assert await limit.evaluate("(input) => !input.validity.valid")
        await limit.fill("1")
        await page.get_by_role("button", name="Save", exact=True).click()
        await told(page, "Applies at once")
        await go(page, "/admin/shares")
        await expect(ann).to_contain_text("Recording")

        await ann.get_by_role("button", name="Stop recording ann").click()
        await page.get_by_role("textbox", name="Reason").fill("<b>lunch</b>")
        await page.get_by_role("dialog").get_by_role("button", name="Stop").click()
        await expect(ann).to_contain_text("<b>lunch</b>")
        await ann.get_by_role("button", name="Resume recording ann").click()
        again = ann.get_by_role("button", name="Stop recording ann")
        await expect(again).to_be_visible()

    await go(page, "/admin/audit")
    stopped = page.get_by_role("row").filter(has_text="stopped recording").filter(has_text=room)
    await expect(stopped).to_contain_text("<b>lunch</b>")
    changed = page.get_by_role("row").filter(has_text=community)
    await expect(changed.filter(has_text="max_concurrent").first).to_be_visible()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Save as CSV").click()
    saved = await download.value
    assert saved.suggested_filename == "audit.csv"
    entries = list(csv.DictReader(io.StringIO(Path(await saved.path()).read_text("utf-8-sig"))))
    assert [each["room"] for each in entries if "<b>lunch</b>" in each["data"]] == [room]
    assert len(entries) > await page.get_by_role("row").count() - 2, "also what is not shown"
    await page.get_by_role("searchbox", name="Who").fill("nobody did this")
    await expect(page.get_by_text("No entries.")).to_be_visible()
    await check_accessible(page)


async def test_a_community_is_added_by_saving_its_rules(world: World, signed_in: SignIn) -> None:
    """By an admin of the instance, who gives it a title; until then its name is on no list."""
    name = f"Chess & Go {secrets.token_hex(4)}"
    page = await signed_in("operator", admin=True, path="/admin/communities")
    await page.get_by_role("button", name="Add community").click()
    await check_accessible(page)
    await page.get_by_role("textbox", name="Name").fill(name)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name=name)).to_be_visible()
    found = (await world.admin.get("/communities")).json()["items"]
    assert name not in [community["id"] for community in found]
    await page.get_by_role("textbox", name="Shown as").fill("The club")
    await page.get_by_role("button", name="Save", exact=True).click()
    await told(page, "Applies at once")
    await expect(page.get_by_role("heading", level=1)).to_have_text("The club")
    await expect(page.get_by_text(f"Rooms and tokens call it {name}")).to_be_visible()
    await page.get_by_role("main").get_by_role("link", name="Communities").last.click()
    listed = page.get_by_role("row").filter(has_text=name)
    await expect(listed.get_by_role("link", name="The club", exact=True)).to_be_visible()


async def test_a_community_admin_manages_its_members_and_sees_no_more(
    world: World, community: str, room: str, signed_in: SignIn
) -> None:
    """Members and moderators have no administration at all; what is not theirs is said in words."""
    members = f"/communities/{path_name(community)}/members"
    for who, role in (("carl", "admin"), ("mo", "moderator")):
        assert (await world.admin.put(f"{members}/{who}", json={"role": role})).is_success

    for who in ("mo", "max"):
        page = await signed_in(who, room=room)
        await expect(page.get_by_role("link", name="Admin")).to_have_count(0)
        await go(page, "/admin")
        await expect(page.get_by_text("not an admin here")).to_be_visible()

    page = await signed_in("carl", room=room, viewport=PHONE)
    await page.get_by_role("link", name="Admin").click()
    tabs = page.get_by_role("navigation", name="Admin").get_by_role("link")
    await expect(tabs).to_have_text(["Shares", "Communities"])
    await go(page, "/admin/audit")
    await expect(page.get_by_text("for admins of this server")).to_be_visible()
    await go(page, "/admin/communities")
    await page.get_by_role("link", name=community, exact=True).click()
    carl = page.get_by_role("row").filter(has_text="carl")
    await expect(carl.get_by_role("button")).to_have_count(0)  # nobody changes their own row
    await page.get_by_role("button", name="Add member").click()
    await page.get_by_role("textbox", name="Identity").fill("dora <i>d</i>")
    await page.get_by_role("checkbox", name="Watch and clip").check()
    await check_accessible(page)
    await page.get_by_role("button", name="Save", exact=True).last.click()
    dora = page.get_by_role("row").filter(has_text="dora <i>d</i>")
    await expect(dora).to_contain_text("Watch and clip")
    await page.get_by_role("button", name="Change dora").click()
    await page.get_by_role("combobox", name="Role").select_option("moderator")
    await page.get_by_role("button", name="Save", exact=True).last.click()
    await expect(dora).to_contain_text("Moderator")
    found = (await world.admin.get(members, params={"search": "dora"})).json()["items"]
    assert [(item["role"], item["grants"]) for item in found] == [("moderator", ["capture_replay"])]
    await page.get_by_role("searchbox", name="Find a member").fill("dora")
    await expect(page.get_by_role("row").filter(has_text="carl")).to_have_count(0)
    await page.get_by_role("button", name="Remove dora").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    await expect(dora).to_have_count(0)
    await check_accessible(page)
    assert await page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]


async def test_who_holds_the_grant_for_limits_changes_limits_alone(
    world: World, community: str, room: str, signed_in: SignIn
) -> None:
    """What the service would refuse is disabled, or not there at all."""
    path = f"/communities/{path_name(community)}"
    grants = {"grants": ["manage_community_replay_config"]}
    assert (await world.admin.put(f"{path}/members/lim", json=grants)).is_success
    await world.admin.put(f"{path}/members/mo", json={"role": "moderator"})
    page = await signed_in("lim", room=room, path=f"/admin/communities?of={community}")
    for policy in ("Who can record and clip", "Whose share can be clipped"):
        cards = page.get_by_role("group", name=policy).get_by_role("radio")
        await expect(cards.first).to_be_disabled()
    await expect(page.get_by_role("textbox", name="Shown as")).not_to_be_editable()
    await expect(page.get_by_role("row").filter(has_text="mo")).to_contain_text("Moderator")
    for button in ("Add member", "Change mo", "Remove mo"):
        await expect(page.get_by_role("button", name=button)).to_have_count(0)
    limit = page.get_by_role("spinbutton", name="Shares recorded at once")
    await expect(limit).to_have_attribute("max", "100")
    await limit.fill("7")
    await page.get_by_role("button", name="Save", exact=True).click()
    await told(page, "Applies at once")
    rules = (await world.admin.get(f"{path}/config")).json()
    assert (rules["max_concurrent"], rules["own"]) == (7, ["max_concurrent"])
    await check_accessible(page)


async def test_the_instance_s_admin_sets_quotas_and_sends_what_nobody_took(
    world: World, room: str, signed_in: SignIn
) -> None:
    """A dead letter tells its last error; sent again it is dead no more."""
    who = f"eve {secrets.token_hex(4)}"
    page = await signed_in("operator", admin=True, path="/admin/people")
    await page.get_by_role("button", name=re.compile("^Set a quota")).click()
    await page.get_by_role("textbox", name="Identity").fill(who)
    await page.get_by_role("spinbutton", name="Gigabytes").fill("2.5")
    await page.get_by_role("button", name="Save", exact=True).click()
    await page.get_by_role("searchbox", name="Find a person").fill(who)
    eve = page.get_by_role("row").filter(has_text=who)
    await expect(eve).to_contain_text("2.5 GB")
    await check_accessible(page)
    await eve.get_by_role("button").click()
    await expect(page.get_by_role("spinbutton", name="Gigabytes")).to_have_value("2.5")
    await page.get_by_role("checkbox", name="Default").check()
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(eve).to_contain_text("5.4 GB (Default)")
    await eve.get_by_role("button").click()
    await expect(page.get_by_role("checkbox", name="Default")).to_be_checked()
    await page.get_by_role("button", name="Cancel").click()

    store = Store(running_stores(world.service.folder / "data")["MONGO_URL"])
    long_ago = datetime.now(UTC) - timedelta(days=2)
    dead = OutgoingEvent(
        id=f"clip_shared:{room}", room=room, room_sid="RM", identity=who, number=1, data={},
        event="clip_shared", created_at=long_ago, next_try_at=long_ago, state=EventState.DEAD,
        attempts=99, last_error="HTTP 502 <b>",
    )  # fmt: skip
    assert await store.create(dead)
    await go(page, "/admin/deliveries")
    letter = page.get_by_role("row").filter(has_text=room)
    await expect(letter).to_contain_text("HTTP 502 <b>")
    await check_accessible(page)
    await page.get_by_role("button", name="Send a test event").click()
    await expect(page.get_by_text("default Delivered, 1 attempt")).to_be_visible()
    await letter.get_by_role("button").click()
    await expect(letter).to_have_count(0)
    row = await store.rows(OutgoingEvent).find_one({"_id": dead.id})
    await store.close()
    assert row is not None
    assert row["state"] != "dead"
    await go(page, "/admin/audit?action=event_sent_again")
    await expect(page.get_by_role("row").filter(has_text=room)).to_be_visible()


async def test_the_state_of_the_instance_is_plotted_for_eye_and_keyboard(
    world: World, signed_in: SignIn
) -> None:
    """Each plot tells its values at the pointer, at the arrow keys, and as a table."""
    page = await signed_in("operator", admin=True, path="/admin/instance")
    await expect(page.locator(".checks li")).not_to_have_count(0)
    await expect(page.locator(".checks")).to_contain_text("ffmpeg")
    plot = page.get_by_role("slider", name="Free disk")
    await expect(plot.locator("polyline").first).to_be_attached()
    await plot.focus()
    await page.keyboard.press("Home")
    await expect(plot).to_have_attribute("aria-valuenow", "0")
    await expect(plot).to_have_attribute("aria-valuetext", re.compile("GB"))
    await picture(page, "console-admin.png")
    await page.get_by_role("figure").first.get_by_text("As a table").click()
    await expect(page.get_by_role("table", name="Free disk").get_by_role("row")).not_to_have_count(
        1
    )
    await check_accessible(page)
    phone = await signed_in("operator", admin=True, path="/admin/instance", viewport=PHONE)
    await expect(phone.locator(".checks li")).not_to_have_count(0)
    assert await phone.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]

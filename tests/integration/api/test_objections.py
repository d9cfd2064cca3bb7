"""What whoever a clip shows, and the admin of its room, may do about it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.access import communities, quota
from app.clips import clip_expiry
from app.context import Context
from app.models.schema import AuditEntry, OutgoingEvent, Participant, ReplayClip, Room
from app.settings import Settings
from app.storage import clip_files
from tests.integration.api.conftest import (
    INSTANCE_ADMIN,
    OWNER,
    ROOM,
    ROOM_ADMIN,
    STRANGER,
    bearer,
    token,
)
from tests.integration.clips.rows import add_clip, charge
from tests.integration.conftest import MakeSettings

BOB, EVE = STRANGER, bearer(token("eve"))
"""bob's screen it is, ann's clip; eve was in the room."""


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(
        events_url="http://127.0.0.1:9/", events_key="chat", events_secret="s" * 32, trash_days=7
    )


async def made(ctx: Context, name: str) -> str:
    """A clip of ann's, of bob's screen."""
    row = await add_clip(ctx, name, shared_by="bob", title="That goal")
    await charge(ctx, "ann", row.id)
    path = Path(clip_files.locate(ctx.settings.media_root, f"replays/{row.id}.mp4"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\0" * 1000)
    return row.id


@pytest_asyncio.fixture
async def clip(ctx: Context) -> str:
    """The id of one, and people who were in its room."""
    await ctx.store.create(Room.model_validate(dict(sid="RM", name=ROOM)))
    for who in ("bob", "eve"):
        await ctx.store.create(
            Participant.model_validate(dict(
                sid=f"PA_{who}", room_sid="RM", room=ROOM, identity=who,
                joined_at=datetime.now(UTC),
            ))
        )  # fmt: skip
    return await made(ctx, "c1")


async def opened(http: httpx.AsyncClient, clip: str, visibility: str = "link") -> dict[str, Any]:
    answer = await http.patch(f"/v1/clips/{clip}", json={"visibility": visibility}, headers=OWNER)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def shown(http: httpx.AsyncClient, clip: str, headers: dict[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = (await http.get(f"/v1/clips/{clip}", headers=headers)).json()
    return told


async def close(
    http: httpx.AsyncClient, clip: str, headers: dict[str, str], *, closed: bool = True
) -> httpx.Response:
    return await http.patch(f"/v1/clips/{clip}", json={"closed": closed}, headers=headers)


async def events(ctx: Context) -> list[tuple[str, str, dict[str, Any]]]:
    """Name, whom it is about, and what it says, of each event, in their order."""
    rows = await ctx.store.rows(OutgoingEvent).find({}).sort("number", 1).to_list(None)
    return [(row["event"], row["identity"], row["data"]) for row in rows]


@pytest.mark.parametrize(
    ("rights", "right", "statuses"),
    [
        ("see", "ask", {"request": 200, "close": 403, "delete": 403}),
        ("close", "close", {"request": 200, "close": 200, "delete": 403}),
        ("delete", "delete", {"request": 200, "close": 200, "delete": 204}),
    ],
)
async def test_a_sharer_does_with_opened_clips_what_the_rule_lets_them(
    http: httpx.AsyncClient,
    ctx: Context,
    clip: str,
    rights: str,
    right: str,
    statuses: dict[str, int],
) -> None:
    """And so does an admin of its room; nobody does anything with what is private."""
    await communities.configure(ctx.store, "default", {"sharer_rights": rights})
    await check_say(http, clip, BOB, right, statuses)
    await check_say(http, await made(ctx, "c2"), ROOM_ADMIN, right, statuses)


async def check_say(
    http: httpx.AsyncClient,
    clip: str,
    headers: dict[str, str],
    right: str,
    statuses: dict[str, int],
) -> None:
    url = f"/v1/clips/{clip}"
    for method, path, body in (
        ("GET", url, None),
        ("PATCH", url, {"closed": True}),
        ("POST", f"{url}/request-deletion", {}),
        ("DELETE", url, None),
    ):
        found = await http.request(method, path, json=body, headers=headers)
        assert found.status_code == 404, (method, path)
    await opened(http, clip)
    told = await shown(http, clip, headers)
    assert (told["right"], told["link_url"], told["page_url"]) == (right, None, None)
    assert (await http.get(told["file_url"])).status_code == 200
    own = await http.get(f"/v1/files/{told['file_id']}", headers=headers)
    assert own.status_code == 200
    changed = await http.patch(url, json={"title": "Mine"}, headers=headers)
    assert changed.status_code == 403
    asked = await http.post(f"{url}/request-deletion", json={}, headers=headers)
    assert asked.status_code == statuses["request"]
    assert (await close(http, clip, headers)).status_code == statuses["close"]
    deleted = await http.delete(url, headers=headers)
    assert deleted.status_code == statuses["delete"]
    if deleted.status_code == 403:
        assert "request-deletion" in deleted.json()["detail"]


async def test_who_only_reads_a_clip_has_no_say(
    http: httpx.AsyncClient, ctx: Context, clip: str
) -> None:
    await communities.configure(ctx.store, "default", {"sharer_rights": "delete"})
    await opened(http, clip, "room")
    url = f"/v1/clips/{clip}"
    assert (await shown(http, clip, EVE))["right"] == "read"
    assert (await close(http, clip, EVE)).status_code == 403
    assert (await http.post(f"{url}/request-deletion", headers=EVE)).status_code == 403
    assert (await http.delete(url, headers=EVE)).status_code == 403
    # Its owner has other ways.
    assert (await close(http, clip, OWNER)).status_code == 403
    assert (await http.post(f"{url}/request-deletion", headers=OWNER)).status_code == 403


async def test_a_sharer_finds_the_clips_that_others_have_of_their_screen(
    http: httpx.AsyncClient, ctx: Context, clip: str
) -> None:
    """As soon as they are opened, whichever way; not those that are private to somebody else."""
    await add_clip(ctx, "mine", owner="bob", shared_by="bob")
    await add_clip(ctx, "hidden", owner="ann", shared_by="bob")

    async def found(**query: str) -> set[str]:
        answer = await http.get("/v1/clips", params=query, headers=BOB)
        return {item["id"] for item in answer.json()["items"]}

    assert await found(sharer="bob") == {"mine"}
    for visibility in ("link", "room"):
        await opened(http, clip, visibility)
        assert await found(sharer="bob") == await found() == {"mine", clip}
        assert await found(sharer="bob", others="true") == {clip}
        assert await found(others="true", owner="ann") == {clip}
    await opened(http, clip, "private")
    assert await found(sharer="bob", others="true") == set()


async def test_a_closed_clip_stays_private_until_whoever_closed_it_says_otherwise(
    http: httpx.AsyncClient, ctx: Context, clip: str
) -> None:
    """Its link and all URLs end; its owner can neither open nor post it, nor take that back."""
    link = (await opened(http, clip))["link_url"]
    closed = await close(http, clip, BOB)
    assert (closed.json()["visibility"], closed.json()["closed_by"]) == ("private", "bob")
    assert (await http.get(link)).status_code == 404
    # Whom it shows goes on seeing it: they may still want it deleted.
    assert (await http.get((await shown(http, clip, BOB))["file_url"])).status_code == 200
    mine = await shown(http, clip, OWNER)
    assert (mine["right"], mine["closed_by"]) == ("change", "bob")
    for headers in (OWNER, INSTANCE_ADMIN):
        for visibility, status in (("link", 409), ("room", 409), ("private", 200)):
            answer = await http.patch(
                f"/v1/clips/{clip}", json={"visibility": visibility}, headers=headers
            )
            assert answer.status_code == status, visibility
    post = {"channel_id": "general"}
    shared = await http.post(f"/v1/clips/{clip}/share", json=post, headers=OWNER)
    assert shared.status_code == 409
    assert "'bob' has closed" in shared.json()["detail"]
    assert (await close(http, clip, OWNER, closed=False)).status_code == 403
    assert (await close(http, clip, ROOM_ADMIN, closed=False)).status_code == 403
    assert (await close(http, clip, BOB, closed=False)).json()["visibility"] == "private"
    again = (await opened(http, clip))["link_url"]
    assert again != link
    assert (await close(http, clip, BOB)).status_code == 200
    assert (await close(http, clip, INSTANCE_ADMIN, closed=False)).json()["closed_by"] is None
    assert (await opened(http, clip, "room"))["visibility"] == "room"


async def test_an_owner_who_opens_a_clip_while_it_is_closed_does_not_win(
    http: httpx.AsyncClient, ctx: Context, clip: str
) -> None:
    """However the two meet: what the owner was answered was so before."""
    await opened(http, clip, "room")
    url = f"/v1/clips/{clip}"

    async def open_it(visibility: str) -> int:
        body = {"visibility": visibility}
        return (await http.patch(url, json=body, headers=OWNER)).status_code

    found = await asyncio.gather(
        *(open_it("link" if turn % 2 else "room") for turn in range(8)), close(http, clip, BOB)
    )
    assert {*found[:-1]} <= {200, 409}
    told = await shown(http, clip, OWNER)
    assert (told["visibility"], told["closed_by"], told["link_url"]) == ("private", "bob", None)


async def test_what_a_sharer_deletes_does_not_come_back(
    http: httpx.AsyncClient, ctx: Context, clip: str
) -> None:
    """It does not rest: its owner's quota is free, and its file goes with the next sweep."""
    await communities.configure(ctx.store, "default", {"sharer_rights": "delete"})
    await opened(http, clip)
    assert (await http.delete(f"/v1/clips/{clip}", headers=BOB)).status_code == 204
    assert (await http.delete(f"/v1/clips/{clip}", headers=BOB)).status_code == 404
    restored = await http.post(f"/v1/clips/{clip}/restore", headers=OWNER)
    assert restored.status_code == 410
    trash = await http.get("/v1/clips?deleted=true", headers=OWNER)
    assert trash.json()["items"] == []
    assert (await quota.read(ctx.store, ctx.settings, "ann")).used_bytes == 0
    await clip_expiry.sweep_clips(ctx)
    assert await ctx.store.rows(ReplayClip).find_one({"_id": clip}) is None
    assert not list(Path(ctx.settings.media_root).rglob("*.mp4"))
    ((name, whom, said),) = await events(ctx)
    assert (name, whom) == ("clip_withdrawn", "ann")
    assert (said["withdrawn_by"], said["loss"], said["title"]) == ("bob", "deleted", "That goal")


async def test_an_owner_hears_of_what_others_do_once_for_each_time(
    http: httpx.AsyncClient, ctx: Context, clip: str
) -> None:
    url = f"/v1/clips/{clip}"
    await opened(http, clip)
    for _ in range(2):  # an answer may be lost
        await close(http, clip, BOB)
    await close(http, clip, BOB, closed=False)
    await opened(http, clip)
    await close(http, clip, BOB)
    for reason in ("  a\npassword ", "it is old"):
        asked = await http.post(f"{url}/request-deletion", json={"reason": reason}, headers=BOB)
        assert asked.json()["deletion_request"]["requested_by"] == "bob"
    mine = await shown(http, clip, OWNER)
    assert mine["deletion_request"]["reason"] == "it is old"
    await http.post(f"{url}/request-deletion", headers=ROOM_ADMIN)
    assert (await shown(http, clip, BOB))["deletion_request"] is None, "who else asks is not theirs"
    told = await events(ctx)
    assert [(name, whom) for name, whom, _ in told] == [
        ("clip_withdrawn", "ann"),
        ("clip_withdrawn", "ann"),
        ("deletion_requested", "ann"),
        ("deletion_requested", "ann"),
    ]
    assert [said["requested_by"] for _, _, said in told[2:]] == ["bob", "mod"]
    assert told[2][2]["reason"] == "a password"
    entries = await ctx.store.rows(AuditEntry).find({"subject": clip}).to_list(None)
    noted = [(entry["action"], entry["identity"], entry["data"].get("closed")) for entry in entries]
    for one in (
        ("clip_changed", "bob", True),
        ("clip_changed", "bob", False),
        ("deletion_requested", "bob", None),
        ("deletion_requested", "mod", None),
    ):
        assert one in noted


async def test_closed_stands_alone(http: httpx.AsyncClient, clip: str) -> None:
    body = {"closed": True, "title": "x"}
    refused = await http.patch(f"/v1/clips/{clip}", json=body, headers=BOB)
    assert refused.status_code == 422
    private = await close(http, clip, INSTANCE_ADMIN)
    assert (private.status_code, private.json()["type"]) == (409, "conflict")


async def test_the_instance_says_what_holds_where_a_community_says_nothing(
    ctx: Context, http: httpx.AsyncClient, clip: str
) -> None:
    await opened(http, clip)
    assert (await shown(http, clip, BOB))["right"] == "close"
    config = "/v1/communities/default/config"
    told = await http.put(config, json={"sharer_rights": "delete"}, headers=INSTANCE_ADMIN)
    assert (told.json()["sharer_rights"], told.json()["own"]) == ("delete", ["sharer_rights"])
    assert (await shown(http, clip, BOB))["right"] == "delete"
    await http.put(config, json={"sharer_rights": None}, headers=INSTANCE_ADMIN)
    assert (await shown(http, clip, BOB))["right"] == "close"

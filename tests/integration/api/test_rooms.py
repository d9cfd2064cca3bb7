"""/rooms/{room} over HTTP: all shares of a room at one instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from app.context import Context
from app.models import Why
from app.models.schema import Buffer
from app.viewing import room_shares
from tests.integration.api.conftest import (
    INSTANCE_ADMIN,
    OWNER,
    ROOM_ADMIN,
    STRANGER,
    MakeShare,
    bearer,
    token,
)
from tests.integration.captures.checking import work_on

TIMELINE = "/v1/rooms/room/timeline"


async def timeline(
    http: httpx.AsyncClient, headers: dict[str, str] = ROOM_ADMIN, **query: str
) -> dict[str, Any]:
    found = await http.get(TIMELINE, headers=headers, params=query)
    assert found.status_code == 200, found.text
    body: dict[str, Any] = found.json()
    return body


def sharers(told: dict[str, Any]) -> list[str]:
    return [item["sharer"] for item in told["items"]]


async def add_rows(ctx: Context, count: int, **given: Any) -> None:
    """Shares without media."""
    common: dict[str, Any] = {"room": "room", "room_sid": "RM", "identity": "ann"}
    for number in range(count):
        name = f"{given.get('room_sid', 'RM')}-{number}"
        fields = common | {"video_sid": f"TR_{name}", "since": datetime.now(UTC)} | given
        fields["participant_sid"] = "PA"
        await ctx.store.create(Buffer(id=name, **fields))


async def test_all_shares_of_a_room_stand_on_one_clock(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    """Each as it is shown alone, with what plays it."""
    ann, bob = await share("ann"), await share("bob", age=24)
    told = await timeline(http)
    assert (told["room"], told["room_sid"], told["complete"]) == ("room", "RM", True)
    assert sharers(told) == ["bob", "ann"]
    now = datetime.fromisoformat(told["now"])
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)
    for item, made in zip(told["items"], (bob, ann), strict=True):
        [span] = item["spans"]
        assert abs(datetime.fromisoformat(span["start"]) - made.start) < timedelta(milliseconds=2)
        alone = (await http.get(f"/v1/buffers/{made.buffer_id}", headers=ROOM_ADMIN)).json()
        differs = {name for name in item if item[name] != alone[name]}
        # its state is that of the moment
        assert not {name for name in differs - {"state"} if not name.endswith("_url")}
        assert set(alone) - set(item) == {"markers"}
        assert (await http.get(item["playlist_url"])).status_code == 200


async def test_everybody_sees_those_shares_that_they_see_alone(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    await share("ann")
    await share("bob", age=24)
    assert sharers(await timeline(http, OWNER)) == ["ann"]
    assert sharers(await timeline(http, STRANGER)) == ["bob"]
    assert sharers(await timeline(http, INSTANCE_ADMIN)) == ["bob", "ann"]
    deaf = bearer(token("mod", room_admin=True, can_subscribe=False))
    for headers in (deaf, bearer(token("ann", room="other")), bearer(token("carl"))):
        hidden = await http.get(TIMELINE, headers=headers)
        none = await http.get("/v1/rooms/nowhere/timeline", headers=headers)
        assert hidden.status_code == none.status_code == 404
        assert hidden.json()["detail"].replace("'room'", "'nowhere'") == none.json()["detail"]


async def test_a_name_that_came_again_is_the_room_of_the_newest_share_that_one_sees(
    http: httpx.AsyncClient, ctx: Context
) -> None:
    before = datetime.now(UTC) - timedelta(hours=1)
    await add_rows(ctx, 1, room_sid="RM_before", since=before)
    await add_rows(ctx, 1, room_sid="RM_now")
    await add_rows(ctx, 1, room_sid="RM_others", identity="bob")
    assert (await timeline(http, OWNER))["room_sid"] == "RM_now"
    assert (await timeline(http, INSTANCE_ADMIN))["room_sid"] in ("RM_now", "RM_others")
    earlier = await timeline(http, OWNER, room_sid="RM_before")
    assert [item["id"] for item in earlier["items"]] == ["RM_before-0"]
    others = await http.get(TIMELINE, headers=OWNER, params={"room_sid": "RM_others"})
    assert others.status_code == 404


async def test_one_sharer_with_very_many_shares_hides_nobody_elses(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    """Neither one that is recorded, nor one that waits."""
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    recorded = await share("ann")
    await add_rows(ctx, 1, room_sid="RM", identity="carl", since=long_ago)
    others = {"room": "room", "room_sid": "RM", "identity": "bob", "participant_sid": "PA"}
    for number in range(room_shares.AT_MOST):
        named: dict[str, Any] = others | {"id": f"bob-{number}", "video_sid": f"TR_{number}"}
        await ctx.store.create(Buffer(since=datetime.now(UTC), **named))
    told = await timeline(http, INSTANCE_ADMIN)
    assert (len(told["items"]), told["complete"]) == (room_shares.AT_MOST, False)
    assert {"RM-0", recorded.buffer_id} < {item["id"] for item in told["items"]}


async def test_of_very_many_shares_those_that_go_on_are_told_of(
    http: httpx.AsyncClient, ctx: Context
) -> None:
    later = datetime.now(UTC) + timedelta(minutes=1)
    await add_rows(ctx, room_shares.AT_MOST, identity="bob")
    told = await timeline(http, INSTANCE_ADMIN)
    assert (len(told["items"]), told["complete"]) == (room_shares.AT_MOST, True)
    await ctx.store.rows(Buffer).update_many({"room_sid": "RM"}, {"$set": {"ended_at": later}})
    told = await timeline(http, INSTANCE_ADMIN)
    assert told["items"] == []  # over, and nothing of them is kept
    await ctx.store.rows(Buffer).update_one({"_id": "RM-0"}, {"$set": {"ended_at": None}})
    await ctx.store.create(
        Buffer(
            id="new",
            room="room",
            room_sid="RM",
            identity="ann",
            participant_sid="PA",
            video_sid="TR",
            since=later,
            ended_at=later,
        )
    )
    told = await timeline(http, INSTANCE_ADMIN)
    assert ([item["id"] for item in told["items"]], told["complete"]) == (["RM-0"], False)


async def test_one_moment_of_all_shares_is_asked_for_and_its_clips_are_found_together(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    for name, age in (("ann", 25), ("bob", 24)):
        await share(name, age=age)
    await add_rows(ctx, 1, identity="carl", why=Why.LIMIT)
    headers = ROOM_ADMIN | {"Idempotency-Key": "k"}
    asked = {"last": "5m", "tail": "skip", "title": "That goal"}
    answer = await http.post("/v1/rooms/room/captures", json=asked, headers=headers)
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert (told["room"], told["room_sid"]) == ("room", "RM")
    assert sorted(each["sharer"] for each in told["captures"]) == ["ann", "bob"]
    [refused] = told["refused"]
    assert (refused["sharer"], refused["type"]) == ("carl", "buffer-empty")
    assert refused["title"]
    assert refused["detail"]
    for each in told["captures"]:
        await work_on(ctx, each["id"])
        capture = (await http.get(each["capture_url"], headers=ROOM_ADMIN)).json()
        assert (capture["status"], capture["moment_id"]) == ("ready", told["moment_id"])
        assert capture["requested"] == told["window"]
        assert capture["clip"]["moment_id"] == told["moment_id"]
        assert (await http.get(each["playlist_url"])).status_code == 200
    found = await http.get(f"/v1/clips?moment_id={told['moment_id']}", headers=ROOM_ADMIN)
    assert {clip["id"] for clip in found.json()["items"]} == {
        each["clip_id"] for each in told["captures"]
    }
    again = (await http.post("/v1/rooms/room/captures", json=asked, headers=headers)).json()
    assert again["moment_id"] == told["moment_id"]
    assert {each["id"] for each in again["captures"]} == {each["id"] for each in told["captures"]}


async def test_where_no_share_can_be_had_the_answer_is_the_problem_of_the_first(
    http: httpx.AsyncClient, ctx: Context
) -> None:
    await add_rows(ctx, 1, why=Why.LIMIT)
    for asked, status, problem in (
        ({"last": 5}, 409, "buffer-empty"),
        ({"last": 1e9}, 413, "window-too-long"),
        ({"last": 5, "sharer": "ann"}, 422, "invalid"),
        ({}, 422, "invalid"),
    ):
        answer = await http.post("/v1/rooms/room/captures", json=asked, headers=OWNER)
        assert (answer.status_code, answer.json()["type"]) == (status, problem)

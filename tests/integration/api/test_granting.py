"""Who may give whom what in a community: nobody what they do not hold, nobody to themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access import communities
from app.access.communities import LastAdmin
from app.access.path_names import path_name
from app.access.permissions import allowed
from app.access.policy import may_give
from app.access.tokens import Caller
from app.buffer.retention_period import retention
from app.context import Context
from app.models import AccessMode, Action, Role
from app.models.schema import AuditEntry, Member, OutgoingEvent
from tests.integration.api.conftest import INSTANCE_ADMIN, bearer, token

MAX, BOSS, VICE = (bearer(token(who, room="")) for who in ("max", "boss", "vice"))
MEMBERS = "/communities/gold/members"
CONFIG = "/communities/gold/config"
HELD = st.tuples(st.sampled_from(Role), st.lists(st.sampled_from(Action), unique=True))


@pytest.fixture(autouse=True)
async def _community(ctx: Context) -> None:
    """Gold, with an admin, and max, who holds the one grant to manage its limits."""
    await communities.configure(ctx.store, "gold", {"max_concurrent": 2})
    await communities.set_member(ctx.store, "gold", "boss", "admin", [])
    await communities.set_member(ctx.store, "gold", "max", "member", [Action.MANAGE_REPLAY_LIMITS])


async def role_of(ctx: Context, identity: str) -> str | None:
    row = await communities.member(ctx.store, "gold", identity)
    return None if row is None else row["role"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", f"{MEMBERS}/max", {"role": "moderator"}),
        ("PUT", f"{MEMBERS}/max", {"role": "admin"}),
        ("PUT", f"{MEMBERS}/friend", {"grants": ["capture_replay"]}),
        ("PUT", f"{MEMBERS}/friend", {}),
        ("DELETE", f"{MEMBERS}/boss", None),
        ("PUT", CONFIG, {"capture_policy": "role"}),
        ("PUT", CONFIG, {"sharer_rights": "delete"}),
        ("PUT", CONFIG, {"access": "open", "max_concurrent": 1}),
        ("PUT", CONFIG, {"access": None}),
        ("PUT", CONFIG, {"title": "Mine"}),
    ],
)
async def test_who_only_manages_limits_gives_nobody_a_right(
    http: httpx.AsyncClient, ctx: Context, method: str, path: str, body: Any
) -> None:
    """Not themselves, not a friend, not by a policy; and nothing has changed."""
    before = await ctx.store.rows(Member).find({}).to_list(None)
    rules = await communities.rules(ctx.store, ctx.settings, "gold")
    refused = await http.request(method, path, json=body, headers=MAX)
    assert (refused.status_code, refused.json()["type"]) == (403, "not-permitted"), refused.text
    assert await ctx.store.rows(Member).find({}).to_list(None) == before
    assert await communities.rules(ctx.store, ctx.settings, "gold") == rules


async def test_a_community_is_shown_by_the_title_that_its_admin_gives_and_keeps_its_name(
    http: httpx.AsyncClient,
) -> None:
    for title, shown in (
        (" The\u202e  Gold\n", "The Gold"),
        ("", "gold"),
        ("Au", "Au"),
        (None, "gold"),
    ):
        told = await http.put(CONFIG, json={"title": title}, headers=BOSS)
        assert (told.status_code, told.json()["title"]) == (200, shown)
        listed = (await http.get("/communities", headers=MAX)).json()["items"]
        assert [(each["id"], each["title"]) for each in listed] == [("gold", shown)]
        assert (await http.get(CONFIG, headers=MAX)).json()["max_concurrent"] == 2
    entries = (await http.get("/audit", headers=INSTANCE_ADMIN)).json()["items"]
    assert [(each["identity"], each["subject"], each["data"]) for each in entries][:2] == [
        ("boss", "gold", {"title": None}),
        ("boss", "gold", {"title": "Au"}),
    ]
    assert (await http.put(CONFIG, json={"title": "a" * 201}, headers=BOSS)).status_code == 422


async def test_limits_need_the_grant_and_policies_the_admin(http: httpx.AsyncClient) -> None:
    limits: dict[str, Any] = {"enabled": True, "max_concurrent": 3, "retention_minutes": 10}
    assert (await http.put(CONFIG, json=limits, headers=MAX)).status_code == 200
    policies = {"access": "rbac", "capture_policy": "role"}
    for who in (BOSS, INSTANCE_ADMIN):
        told = await http.put(CONFIG, json=limits | policies, headers=who)
        assert told.status_code == 200, told.text
    assert (told.json()["access"], told.json()["capture_policy"]) == ("rbac", "role")
    given = await http.put(f"{MEMBERS}/max", json={"role": "moderator"}, headers=BOSS)
    assert given.json()["role"] == "moderator"


@pytest.mark.parametrize("body", [{"role": "member"}, {"role": "admin"}, None])
async def test_nobody_changes_their_own_row(
    http: httpx.AsyncClient, ctx: Context, body: Any
) -> None:
    """Neither up nor down, whoever they are."""
    await communities.set_member(ctx.store, "gold", "vice", "admin", [])
    await communities.set_member(ctx.store, "gold", "ops", "member", [])
    method = "DELETE" if body is None else "PUT"
    for who, headers in (("boss", BOSS), ("ops", INSTANCE_ADMIN)):
        refused = await http.request(method, f"{MEMBERS}/{who}", json=body, headers=headers)
        assert (refused.status_code, refused.json()["type"]) == (403, "not-permitted")
        assert "their own" in refused.json()["detail"]
    assert (await role_of(ctx, "boss"), await role_of(ctx, "ops")) == ("admin", "member")


async def test_nobody_sets_their_own_quota(http: httpx.AsyncClient) -> None:
    for who, status in (("ops", 403), ("ann", 200)):
        told = await http.put(
            f"/users/{who}/quota", json={"quota_bytes": 10**9}, headers=INSTANCE_ADMIN
        )
        assert told.status_code == status, told.text


async def test_the_last_admin_of_a_community_stays(http: httpx.AsyncClient, ctx: Context) -> None:
    for method, body in (("DELETE", None), ("PUT", {"role": "moderator"})):
        refused = await http.request(method, f"{MEMBERS}/boss", json=body, headers=INSTANCE_ADMIN)
        assert (refused.status_code, refused.json()["type"]) == (409, "last-admin")
        assert await role_of(ctx, "boss") == "admin"
    again = await http.put(f"{MEMBERS}/boss", json={"role": "admin"}, headers=INSTANCE_ADMIN)
    assert again.status_code == 200
    await communities.set_member(ctx.store, "gold", "vice", "admin", [])
    assert (await http.delete(f"{MEMBERS}/boss", headers=VICE)).status_code == 204
    assert (await http.delete(f"{MEMBERS}/boss", headers=VICE)).status_code == 204
    assert await role_of(ctx, "boss") is None


async def test_admins_who_remove_each_other_at_once_leave_one(ctx: Context) -> None:
    """However many, and whichever way: nobody counts on somebody who leaves, too."""
    admins = ["boss", "vice", "third"]
    for turn in range(20):
        for who in admins:
            await communities.set_member(ctx.store, "gold", who, "admin", [])
        changes: list[Awaitable[object]] = [
            communities.remove_member(ctx.store, "gold", who)
            if turn % 2
            else communities.set_member(ctx.store, "gold", who, "member", [])
            for who in admins
        ]
        ended = await asyncio.gather(*changes, return_exceptions=True)
        assert all(isinstance(each, LastAdmin) or each in (None, True) for each in ended), ended
        left = await ctx.store.rows(Member).find({"role": "admin"}).to_list(None)
        assert left, turn
        assert {row["leaves"] for row in left} == {None}


@pytest.mark.parametrize(
    ("path", "body", "ceiling"),
    [
        (CONFIG, {"max_concurrent": 101}, 100),
        (CONFIG, {"enabled": False, "retention_minutes": 120.5}, 120),
        ("/users/ann/quota", {"quota_bytes": 2**40 + 1}, 2**40),
    ],
)
async def test_no_limit_exceeds_the_ceiling_of_the_instance(
    http: httpx.AsyncClient, ctx: Context, path: str, body: Any, ceiling: float
) -> None:
    """Whoever asks: the answer tells it, and nothing has changed."""
    refused = await http.put(path, json=body, headers=INSTANCE_ADMIN)
    assert (refused.status_code, refused.json()["type"]) == (422, "invalid")
    assert refused.json()["ceiling"] == ceiling
    assert str(ceiling) in refused.json()["detail"]
    assert (await communities.rules(ctx.store, ctx.settings, "gold")).enabled
    at_most = {**body, max(body, key=lambda name: body[name]): ceiling}
    assert (await http.put(path, json=at_most, headers=INSTANCE_ADMIN)).status_code == 200


async def test_a_limit_of_before_the_ceiling_was_lowered_is_cut_to_it(ctx: Context) -> None:
    before: dict[str, Any] = {"max_concurrent": 5000, "retention_minutes": 1440.0}
    await communities.configure(ctx.store, "gold", before)
    rules = await communities.rules(ctx.store, ctx.settings, "gold")
    assert (rules.max_concurrent, rules.retention_minutes) == (100, 120)
    periods = await retention(ctx.store, ctx.settings)
    assert periods.of("gold") == timedelta(minutes=rules.retention_minutes)


async def test_only_the_instances_admin_assigns_rooms(
    http: httpx.AsyncClient, ctx: Context
) -> None:
    """A community's admin would draw rooms of others into it. By any name; in the audit."""
    name = "a room / of bob's"
    for room in (name, "b", "c"):
        path = f"/communities/gold/rooms/{path_name(room)}"
        assert (await http.put(path, headers=BOSS)).status_code == 403
        found = await http.put(path, headers=INSTANCE_ADMIN)
        assert found.json() == {"room": room, "community": "gold"}
    page = (await http.get("/communities/gold/rooms?limit=2", headers=BOSS)).json()
    assert page == {"items": [name, "b"], "next": "b"}
    page = (await http.get("/communities/gold/rooms?next=b", headers=BOSS)).json()
    assert page == {"items": ["c"], "next": None}
    path = f"/communities/gold/rooms/{path_name(name)}"
    assert (await http.delete(path, headers=BOSS)).status_code == 403
    statuses = [(await http.delete(path, headers=INSTANCE_ADMIN)).status_code for _ in range(2)]
    assert statuses == [204, 404]
    rows = await ctx.store.rows(AuditEntry).find({"room": name}).sort("at", 1).to_list(None)
    assert [(row["action"], row["subject"]) for row in rows] == [
        ("room_assigned", "gold"),
        ("room_released", "gold"),
    ]


async def test_whose_role_changes_is_told(http: httpx.AsyncClient, ctx: Context) -> None:
    """By an event, with who did it; what stays as it was is no news."""
    given: list[dict[str, Any]] = [{"role": "moderator"}, {"role": "moderator"}, {}]
    given += [{"grants": ["capture_replay"]}]
    for body in given:
        assert (await http.put(f"{MEMBERS}/vice", json=body, headers=BOSS)).status_code == 200
    for _ in range(2):
        assert (await http.delete(f"{MEMBERS}/vice", headers=BOSS)).status_code == 204
    rows = await ctx.store.rows(OutgoingEvent).find({}, sort=[("number", 1)]).to_list(None)
    assert [(row["event"], row["identity"], row["room"]) for row in rows] == [
        ("role_changed", "vice", "")
    ] * 4
    common = {"community": "gold", "changed_by": "boss"}
    assert [row["data"] for row in rows] == [
        {"role": "moderator", "grants": []} | common,
        {"role": "member", "grants": []} | common,
        {"role": "member", "grants": ["capture_replay"]} | common,
        {"role": "member", "grants": []} | common,
    ]


async def test_a_token_tells_what_may_be_changed_where(http: httpx.AsyncClient) -> None:
    for headers, told in (
        (MAX, (True, False)),
        (BOSS, (True, True)),
        (INSTANCE_ADMIN, (True, True)),
    ):
        standing = (await http.get("/session", headers=headers)).json()["communities"]
        gold = next(each for each in standing if each["id"] == "gold")
        assert (gold["manages"], gold["administrates"]) == told


@given(HELD, HELD)
def test_what_is_given_is_held(
    own: tuple[Role, list[Action]], wanted: tuple[Role, list[Action]]
) -> None:
    """By an admin of the community, whatever else somebody holds."""
    if may_give(Caller("ann"), own, wanted):
        assert own[0] == Role.ADMIN
        assert allowed(AccessMode.RBAC, *wanted) <= allowed(AccessMode.RBAC, *own)
    assert may_give(Caller("ops", instance_admin=True), own, wanted)

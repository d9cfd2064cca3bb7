"""The lists of administration: communities, their members, users with what they use."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from app.access import communities, quota
from app.context import Context
from tests.integration.api.conftest import INSTANCE_ADMIN, STRANGER, bearer, token

CARL = bearer(token("carl"))
NAMES = ["Ann", "anna.b", "bob (ops)", "joanne", "zoë"]


async def pages(
    http: httpx.AsyncClient, path: str, headers: dict[str, str], **asked: Any
) -> list[list[dict[str, Any]]]:
    """The items of each page, to the last one."""
    found: list[list[dict[str, Any]]] = []
    params = dict(asked)
    while True:
        answer = await http.get(path, params=params, headers=headers)
        assert answer.status_code == 200, answer.text
        found.append(answer.json()["items"])
        if answer.json()["next"] is None:
            return found
        params["next"] = answer.json()["next"]


async def test_an_administrator_lists_every_community_and_default(
    http: httpx.AsyncClient, ctx: Context
) -> None:
    """With the rules in force, the slots that are taken and the number of members."""
    await communities.configure(
        ctx.store, "guests", {"max_concurrent": 3, "access": "rbac", "slots": ["b1", "b2"]}
    )
    for name in ("arts", "émigrés", "games"):
        await communities.configure(ctx.store, name, {"enabled": name != "games"})
    for who in ("ann", "bob"):
        await communities.set_member(ctx.store, "guests", who, "moderator", [])
    await communities.set_member(ctx.store, "games", "ann", "member", [])
    listed = await pages(http, "/communities", INSTANCE_ADMIN, limit=2)
    assert [[item["id"] for item in page] for page in listed] == [
        ["arts", "default"],
        ["games", "guests"],
        ["émigrés"],
    ]
    items = {item["id"]: item for page in listed for item in page}
    assert items["guests"] == {
        "id": "guests",
        "title": "guests",
        "enabled": True,
        "max_concurrent": 3,
        "max_concurrent_per_user": 2,
        "access": "rbac",
        "capture_policy": "self",
        "sharer_rights": "close",
        "retention_minutes": 12.0,
        "active": 2,
        "members": 2,
    }
    assert (items["games"]["enabled"], items["games"]["members"]) == (False, 1)
    assert (items["default"]["active"], items["default"]["members"]) == (0, 0)


async def test_others_list_the_communities_whose_limits_they_manage(
    http: httpx.AsyncClient, ctx: Context
) -> None:
    """By role or grant; one that nobody has configured too."""
    await communities.configure(ctx.store, "unknown to carl", {})
    for name, role, grants in (
        ("arts", "moderator", []),
        ("games", "admin", []),
        ("guests", "member", ["manage_community_replay_config"]),
    ):
        await communities.set_member(ctx.store, name, "carl", role, grants)
    listed = await pages(http, "/communities", CARL, limit=1)
    assert [[item["id"] for item in page] for page in listed] == [["games"], ["guests"]]
    assert await pages(http, "/communities", STRANGER) == [[]]


@pytest.mark.parametrize(
    ("search", "found"),
    [(None, NAMES), ("ann", ["Ann", "anna.b", "joanne"]), (".", ["anna.b"]), ("(", ["bob (ops)"])],
)
async def test_members_are_found_by_a_part_of_their_names(
    http: httpx.AsyncClient, ctx: Context, search: str | None, found: list[str]
) -> None:
    """In the order of their names, page by page, and no others than the community's."""
    for who in reversed(NAMES):
        await communities.set_member(ctx.store, "guests", who, "moderator", ["capture_replay"])
    await communities.set_member(ctx.store, "elsewhere", "ann", "admin", [])
    asked = {"limit": 2} | ({"search": search} if search else {})
    listed = await pages(http, "/communities/guests/members", INSTANCE_ADMIN, **asked)
    assert all(len(page) == 2 for page in listed[:-1])
    assert [item["identity"] for page in listed for item in page] == found
    assert listed[0][0]["role"] == "moderator"
    assert listed[0][0]["grants"] == ["capture_replay"]


async def test_users_are_listed_with_what_they_use(http: httpx.AsyncClient, ctx: Context) -> None:
    for who in NAMES:
        await quota.set_limit(ctx.store, who, 1_000_000 if who == "joanne" else None)
    await quota.reserve(ctx.store, ctx.settings, "joanne", "c1", 300)
    await quota.settle(ctx.store, "joanne", "c1", 200)
    await quota.reserve(ctx.store, ctx.settings, "joanne", "c2", 50)
    listed = await pages(http, "/users", INSTANCE_ADMIN, limit=2, search="ANN")
    assert [[item["identity"] for item in page] for page in listed] == [
        ["Ann", "anna.b"],
        ["joanne"],
    ]
    assert listed[1][0] == {
        "identity": "joanne",
        "quota_bytes": 1_000_000,
        "own": True,
        "used_bytes": 200,
        "reserved_bytes": 50,
    }
    assert (listed[0][0]["quota_bytes"], listed[0][0]["own"]) == (ctx.settings.quota_bytes, False)


async def test_a_community_tells_which_rules_are_its_own(http: httpx.AsyncClient) -> None:
    """What is set back to null follows the instance again."""
    path = "/communities/guests/config"
    for change, own in (
        ({"max_concurrent": 5, "access": "rbac"}, ["max_concurrent", "access"]),
        ({"max_concurrent": None}, ["access"]),
    ):
        told = (await http.put(path, json=change, headers=INSTANCE_ADMIN)).json()
        assert (told["own"], told["max_concurrent"], told["access"]) == (own, 5, "rbac")
        assert (await http.get(path, headers=INSTANCE_ADMIN)).json() == told


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("/users/ann/quota", {"quota_bytes": True}),
        ("/users/ann/quota", {"quota_bytes": "5"}),
        ("/communities/guests/config", {"max_concurrent": True}),
        ("/communities/guests/config", {"max_concurrent": "5"}),
        ("/communities/guests/config", {"retention_minutes": "5"}),
        ("/communities/guests/config", {"enabled": 1}),
    ],
)
async def test_only_numbers_are_numbers(
    http: httpx.AsyncClient, path: str, wrong: dict[str, object]
) -> None:
    """A yes is not 1, a text of digits is none, and 1 is no yes."""
    found = await http.put(path, json=wrong, headers=INSTANCE_ADMIN)
    assert (found.status_code, found.json()["type"]) == (422, "invalid")


@pytest.mark.parametrize("name", ["%00", "a%0Ab", "~AA"])
async def test_no_name_holds_control_characters(http: httpx.AsyncClient, name: str) -> None:
    for path in (f"/communities/{name}/config", f"/users/{name}/quota"):
        found = await http.get(path, headers=INSTANCE_ADMIN)
        assert (found.status_code, found.json()["type"]) == (422, "invalid")

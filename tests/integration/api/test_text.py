"""No text that is asked, in a body, a query or a path, breaks a route by not being Unicode."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from app.api.openapi import listed_of
from app.context import Context
from app.main import ROUTES
from app.models.schema import Buffer
from tests.integration.api.conftest import INSTANCE_ADMIN, ROOM
from tests.integration.clips.rows import add_clip

OPERATIONS = [
    (method, route, route.operation)
    for route in listed_of(ROUTES)
    if route.endpoint.__module__.startswith("app.api.")
    for method in sorted((route.methods or set()) - {"HEAD"})
]
THING = "0" * 24
HALF = "\ud800"
HALF_IN_A_URL = "%ED%A0%80"


def path(route: Route, value: str = THING) -> str:
    return route.path_format.format(**dict.fromkeys(route.param_convertors, value))


async def add_things(ctx: Context) -> None:
    """What a path may mean: where that is looked up first, something has to be there."""
    whose: dict[str, Any] = {
        "room": ROOM,
        "room_sid": "RM",
        "identity": "ann",
        "participant_sid": "PA",
    }
    await ctx.store.create(Buffer(id=THING, video_sid="TR", since=datetime.now(UTC), **whose))
    await add_clip(ctx, THING)


BODIES = [
    (method, path(route), name)
    for method, route, operation in OPERATIONS
    if operation.body is not None
    for name in operation.body.model_fields
]


@pytest.mark.parametrize("given", [HALF, f"a{HALF}b", [HALF], {"a": HALF}, {HALF: 1}])
async def test_half_of_a_surrogate_pair_in_a_body_is_invalid(
    http: httpx.AsyncClient, ctx: Context, given: Any
) -> None:
    """In every member of every body, of whatever type it should be."""
    await add_things(ctx)
    assert {name for _, _, name in BODIES} >= {"title", "text", "role", "room"}
    for method, place, name in BODIES:
        body = json.dumps({name: given})
        found = await http.request(method, place, content=body, headers=INSTANCE_ADMIN)
        assert (found.status_code, found.json()["type"]) == (422, "invalid"), (place, name)
        assert name in found.json()["detail"]
    whole = json.dumps({HALF: 1, "room": "\ud83c\udfac"})
    found = await http.post("/captures", content=whole, headers=INSTANCE_ADMIN)
    assert (found.status_code, found.json()["errors"][0]["field"]) == (422, "\\ud800")
    assert len(found.json()["errors"]) == 1


async def test_what_is_no_unicode_in_a_path_or_a_query_breaks_no_route(
    http: httpx.AsyncClient,
) -> None:
    """It comes as the replacement character, and names nothing."""
    for method, route, operation in OPERATIONS:
        if "events" in route.path:
            method = "HEAD"  # an answer that may go on
        places = [path(route, HALF_IN_A_URL)] if route.param_convertors else []
        names = operation.query.model_fields if operation.query is not None else ()
        places += [f"{path(route)}?{name}={HALF_IN_A_URL}" for name in names]
        for place in places:
            found = await http.request(method, place, content=b"{}", headers=INSTANCE_ADMIN)
            assert found.status_code < 500, (method, place, found.text)

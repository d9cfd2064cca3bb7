"""Streams of events: a caller holds at most so many, and gets their places back."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.applications import Starlette

from app.api.event_streams import Places
from app.errors import TooManyRequests
from app.settings import Settings
from tests.integration.api.conftest import INSTANCE_ADMIN, OWNER, ROOM, MakeShare
from tests.integration.conftest import MakeSettings
from tests.waiting import wait_for


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(streams_per_user=2)


async def test_a_caller_has_so_many_streams_and_their_end_makes_room(
    http: httpx.AsyncClient, share: MakeShare, app: Starlette
) -> None:
    await share()
    body = {"room": ROOM, "last": 5, "tail": "skip"}
    location = (await http.post("/captures", json=body, headers=OWNER)).json()["Location"]
    path = f"{location}/events"
    async with asyncio.TaskGroup() as group:
        streams = [group.create_task(http.get(path, headers=OWNER)) for _ in range(2)]
        places: Places = app.state.places

        def full() -> bool:
            try:
                with places.taken("ann"):
                    return False
            except TooManyRequests:
                return True

        await wait_for(full)
        third = await http.get(path, headers=OWNER)
        assert (third.status_code, third.json()["type"]) == (429, "too-many-requests")
        assert third.headers["Retry-After"] == "5"
        other = group.create_task(http.get(path, headers=INSTANCE_ADMIN))
        await http.delete(location, headers=OWNER)
    assert [(await each).status_code for each in (*streams, other)] == [200, 200, 200]
    assert (await http.get(path, headers=OWNER)).status_code == 200

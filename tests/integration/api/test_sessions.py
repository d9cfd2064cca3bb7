"""POST /session: a token of ours for a LiveKit token, and one more for that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from app.access import communities
from app.context import Context
from tests.integration.api.conftest import (
    INSTANCE_ADMIN,
    OWNER,
    ROOM,
    ROOM_ADMIN,
    STRANGER,
    MakeShare,
    bearer,
    token,
)


async def exchanged(http: httpx.AsyncClient, headers: dict[str, str]) -> dict[str, str]:
    found = await http.post("/session", headers=headers)
    assert found.status_code == 200, found.text
    assert found.headers["cache-control"] == "no-store"
    return bearer(found.json()["token"])


async def test_a_token_is_exchanged_used_and_renewed(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    made = await share()
    answer = (await http.post("/session", headers=OWNER)).json()
    assert answer.items() >= {"identity": "ann", "room": ROOM, "room_admin": False}.items()
    left = datetime.fromisoformat(answer["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)
    renewed = await exchanged(http, bearer(answer["token"]))
    for headers in (bearer(answer["token"]), renewed):
        found = await http.get(f"/buffers/{made.buffer_id}", headers=headers)
        assert found.status_code == 200
        asked = {"room": ROOM, "last": 3}
        assert (await http.post("/captures", json=asked, headers=headers)).status_code == 202


@pytest.mark.parametrize(
    "path", ["/buffers", "/clips", "/quota", "/audit", "/communities/x/config"]
)
async def test_a_session_opens_what_its_token_opens(http: httpx.AsyncClient, path: str) -> None:
    elsewhere = bearer(token(room="other"))
    for headers in (OWNER, STRANGER, ROOM_ADMIN, INSTANCE_ADMIN, elsewhere):
        by_token = await http.get(path, headers=headers)
        by_session = await http.get(path, headers=await exchanged(http, headers))
        assert by_session.status_code == by_token.status_code
        assert by_session.text == by_token.text


async def test_a_session_tells_what_its_token_is_good_for(
    http: httpx.AsyncClient, ctx: Context
) -> None:
    """Also while the page is open: roles may change."""
    answer = (await http.post("/session", headers=STRANGER)).json()
    assert answer["communities"] == []
    assert answer["limits"] == {
        "max_capture_seconds": 600, "retention_seconds": 720, "marker_minutes": 30,
        "clip_days": None, "capture_policy": "self", "access": "open", "events": False,
        "title_length": 200, "text_length": 2000, "post_roll_seconds": 60, "restore_seconds": 60,
    }  # fmt: skip

    def may(yes: bool) -> dict[str, bool]:
        return {"manages": yes, "administrates": yes}

    await communities.configure(ctx.store, "guests", {"capture_policy": "role"})
    await communities.configure(ctx.store, "staff", {"enabled": False})
    await communities.set_member(ctx.store, "guests", "bob", "member", ["capture_replay"])
    await communities.set_member(ctx.store, "others", "bob", "admin", [])
    found = await http.get("/session", headers=bearer(answer["token"]))
    told = found.json()
    assert told["communities"] == [
        {"id": "guests", "role": "member", "grants": ["capture_replay"]} | may(False),
        {"id": "others", "role": "admin", "grants": []} | may(True),
    ]
    same = ("identity", "room", "room_admin", "instance_admin", "expires_at", "limits")
    assert {name: told[name] for name in same} == {name: answer[name] for name in same}
    assert told.keys() == {*same, "communities"}
    by_admin = (await http.get("/session", headers=INSTANCE_ADMIN)).json()["communities"]
    assert [each["id"] for each in by_admin] == ["default", "guests", "staff"]
    assert all(each.items() >= may(True).items() for each in by_admin)

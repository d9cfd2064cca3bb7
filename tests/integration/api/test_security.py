"""Every route against every kind of caller: the matrix of statuses, and no word too many."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import httpx
import pytest
from livekit.api import AccessToken, VideoGrants

from app.api.openapi import listed_of
from app.captures import share_erasure
from app.context import Context
from app.main import ROUTES
from app.models.schema import Participant, Room, Segment
from app.settings import Settings
from tests.integration.api.conftest import (
    INSTANCE_ADMIN,
    OWNER,
    ROOM,
    ROOM_ADMIN,
    SHARER,
    STRANGER,
    MakeShare,
    bearer,
    token,
)
from tests.integration.clips.rows import add_clip
from tests.integration.conftest import LIVEKIT_API_KEY, LIVEKIT_API_SECRET, MakeSettings
from tests.webhooks import sign

GUARDED = [
    (method, route)
    for route in listed_of(ROUTES)
    if route.operation.access.startswith("token")
    for method in sorted(route.methods or ())
]


def kind_token(kind: str) -> str:
    made = AccessToken(LIVEKIT_API_KEY, LIVEKIT_API_SECRET).with_identity(SHARER)
    return made.with_grants(VideoGrants(room=ROOM, room_join=True)).with_kind(kind).to_jwt()  # type: ignore[arg-type]


def forged(text: str) -> str:
    head, body, mac = text.split(".")
    return f"{head}.{body}.{mac[:-2]}{'AA' if mac[-2:] != 'AA' else 'BB'}"


BAD_CREDENTIALS: Mapping[str, Mapping[str, str]] = {
    "none": {},
    "empty": {"Authorization": ""},
    "no scheme": {"Authorization": token()},
    "another scheme": {"Authorization": f"Basic {token()}"},
    "no token": {"Authorization": "Bearer "},
    "garbage": bearer("a.b.c"),
    "forged": bearer(forged(token())),
    "expired": bearer(token(ttl=timedelta(seconds=-1))),
    "another key": bearer(token(key="other")),
    "another secret": bearer(token(secret="another-secret-of-at-least-32-bytes")),
    "a webhook's": {"Authorization": f"Bearer {sign(b'{}')}"},
    "an egress's": bearer(kind_token("egress")),
    "a recorder's": bearer(token("EG_abc")),
}


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    """A thousand bad requests are sent in a minute, and each shall be looked at."""
    return make_settings(requests_per_minute=0)


async def test_without_a_valid_token_every_route_is_shut(http: httpx.AsyncClient) -> None:
    """Whether the thing exists or not, and whatever else is wrong with the request."""
    for method, route in GUARDED:
        path = route.path_format
        for name in route.param_convertors:
            path = path.replace(f"{{{name}}}", "0" * 24)
        for name, headers in BAD_CREDENTIALS.items():
            found = await http.request(method, path, headers=headers, content=b"{}")
            assert found.status_code == 401, (method, path, name)
            assert found.headers["WWW-Authenticate"] == "Bearer"
            if method != "HEAD":
                assert found.json()["type"] == "unauthorized"
                given = headers.get("Authorization", "").removeprefix("Bearer ")
                assert len(given) < 6 or given not in found.text


CALLERS = {
    "owner": OWNER,
    "owner in another room": bearer(token(SHARER, room="other")),
    "stranger": STRANGER,
    "room admin": ROOM_ADMIN,
    "admin of another room": bearer(token("mod", room="other", room_admin=True)),
    "room admin without a room": bearer(token("mod", room="", room_admin=True)),
    "room admin who may not subscribe": bearer(token("mod", room_admin=True, can_subscribe=False)),
    "instance admin": INSTANCE_ADMIN,
}
READERS = {"owner", "room admin", "instance admin"}
MATRIX = {
    "GET /buffers/{buffer}": 200,
    "GET /buffers/{buffer}/playlist.m3u8": 200,
    "GET /buffers/{buffer}/replay.mp4?last=5": 307,
    "HEAD /buffers/{buffer}/replay.mp4?last=5": 307,
    "GET /buffers/{buffer}/poster.jpg": 200,
    "GET /buffers/{buffer}/thumbnails.vtt?last=5": 200,
    "GET /buffers/{buffer}/waveform?last=5": 200,
    "HEAD /buffers/{buffer}/thumbnails.jpg?tiles={session}.0-1&every=1&width=160&height=120": 200,
    "GET /segments/{session}-0.m4s": 200,
    "HEAD /segments/{session}-0.m4s": 200,
    "GET /segments/{session}-{init}.mp4": 200,
}


async def test_a_buffer_and_its_media_are_for_those_who_may_see_it(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    made = await share()
    row = await ctx.store.rows(Segment).find_one({"session_id": made.session_id})
    assert row is not None
    names = {"buffer": made.buffer_id, "session": made.session_id, "init": row["init_id"]}
    for who, headers in CALLERS.items():
        for line, good in MATRIX.items():
            method, path = line.format(**names).split()
            found = await http.request(method, path, headers=headers)
            assert found.status_code == (good if who in READERS else 404), (who, line, found.text)
            if who not in READERS:
                assert SHARER not in found.text
                assert made.session_id not in found.text


async def test_the_admin_of_a_later_room_of_the_name_reaches_nothing_of_the_earlier_one(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """Unless they were in that one: not its shares, nor its captures, nor what its people share."""
    made = await share()
    await add_clip(ctx, "c1", room=ROOM, room_sid="RM", visibility="room", audience="RM")
    await ctx.store.rows(Room).update_one({"_id": "RM"}, {"$set": {"finished_at": made.start}})
    await ctx.store.create(Room.model_validate(dict(sid="RM_2", name=ROOM)))
    path = f"/buffers/{made.buffer_id}"
    asked = {"room": ROOM, "identity": SHARER, "last": 3, "tail": "skip"}

    async def found() -> list[int]:
        stop = await http.post(f"{path}/stop", json={}, headers=ROOM_ADMIN)
        captured = await http.post("/captures", json=asked, headers=ROOM_ADMIN)
        clip = await http.get("/clips/c1", headers=ROOM_ADMIN)
        buffers = (await http.get("/buffers", headers=ROOM_ADMIN)).json()["items"]
        clips = (await http.get("/clips", headers=ROOM_ADMIN)).json()["items"]
        playlist = await http.get(f"{path}/playlist.m3u8", headers=ROOM_ADMIN)
        answers = (stop, captured, clip, playlist)
        return [each.status_code for each in answers] + [len(buffers), len(clips)]

    assert await found() == [404, 409, 404, 404, 0, 0]
    was_there = {"room_sid": "RM", "room": ROOM, "identity": "mod", "joined_at": made.start}
    await ctx.store.create(Participant.model_validate({"sid": "PA_mod"} | was_there))
    assert await found() == [202, 202, 200, 200, 1, 1]


async def test_only_the_sharer_and_admins_delete(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    made = await share()
    path = f"/buffers/{made.buffer_id}"
    for who in CALLERS.keys() - {"owner", "room admin", "instance admin"}:
        assert (await http.delete(path, headers=CALLERS[who])).status_code == 404, who
    assert len(made.files("*.m4s")) == 10
    assert (await http.get(path, headers=OWNER)).json()["spans"]
    assert (await http.delete(path, headers=INSTANCE_ADMIN)).status_code == 204
    assert (await http.get(path, headers=OWNER)).json()["spans"] == []
    await share_erasure.go_on(ctx, made.buffer_id)
    assert made.files("*.m4s") == []


ODD_PATHS = [
    "/segments/..%2f..%2fetc%2fpasswd",
    "/segments/../../etc/passwd",
    "/segments/{session}-0.ts",
    "/segments/{session}-00000000.m4s%00",
    "/segments/{session}-0.m4s%0a",
    "/segments/{session}-99999999.m4s",
    "/segments/{session}-init-..mp4",
    "/segments/{session}-" + "f" * 64 + ".mp4",
    "/segments/" + "0" * 8 + "-" + "0" * 24 + "-0.m4s",
    "/segments/-0.m4s",
    "/segments/",
    "/buffers/..%2f{buffer}",
    "/buffers/%F0%9F%8E%AC",
    "/buffers/%ff%fe",
    "/buffers/%00",
    "/buffers/{buffer}/replay.mp4/",
    "/buffers/" + "x" * 5000,
]


async def test_no_path_leads_anywhere_else(http: httpx.AsyncClient, share: MakeShare) -> None:
    made = await share()
    for path in ODD_PATHS:
        given = path.replace("{session}", made.session_id).replace("{buffer}", made.buffer_id)
        found = await http.get(given, headers=INSTANCE_ADMIN)
        assert found.status_code in (404, 410), (given, found.text)
        assert found.json()["type"] in ("not-found", "gone")

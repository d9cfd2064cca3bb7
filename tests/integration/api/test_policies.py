"""CAPTURE_POLICY and ACCESS over HTTP: what is seen, watched and captured under each."""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from app.access import communities
from app.context import Context
from app.models.schema import Participant, Room
from tests.integration.api.conftest import OWNER, ROOM, STRANGER, MakeShare, bearer, token
from tests.integration.buffer.shares import DiskShare

BOB = STRANGER
ELSEWHERE = bearer(token("bob", room="other"))


async def rules(ctx: Context, **changes: Any) -> None:
    await communities.configure(ctx.store, communities.DEFAULT, changes)


async def bob_was_there(
    ctx: Context, made: DiskShare, since: float, until: float | None, sid: str = "PA_bob"
) -> None:
    """From `since` to `until` seconds of the share."""
    await ctx.store.create(Room.model_validate(dict(sid="RM", name=ROOM)))
    left_at = None if until is None else made.start + timedelta(seconds=until)
    joined_at = made.start + timedelta(seconds=since)
    await ctx.store.create(
        Participant.model_validate(dict(
            sid=sid, room_sid="RM", room=ROOM, identity="bob", joined_at=joined_at,
            left_at=left_at,
        ))
    )  # fmt: skip


async def statuses(
    http: httpx.AsyncClient, made: DiskShare, headers: dict[str, str]
) -> dict[str, int]:
    """What becomes of each way to somebody's pictures: those of its seconds 4 to 8, or the last."""
    start, end = (
        (made.start + timedelta(seconds=each)).astimezone(UTC).isoformat(timespec="milliseconds")
        for each in (4, 8)
    )
    window = {"start": start, "end": end}
    path = f"/buffers/{made.buffer_id}"
    found = {}
    for name, answer in {
        "buffer": await http.get(path, headers=headers),
        "playlist": await http.get(f"{path}/playlist.m3u8", params=window, headers=headers),
        "whole playlist": await http.get(f"{path}/playlist.m3u8", headers=headers),
        "replay": await http.get(f"{path}/replay.mp4", params=window, headers=headers),
        "last": await http.get(f"{path}/replay.mp4?last=3", headers=headers),
        "segment": await http.get(f"/segments/{made.session_id}-3.m4s", headers=headers),
        "by buffer": await http.post(
            "/captures", json=window | {"buffer": made.buffer_id}, headers=headers
        ),
        "by name": await http.post(
            "/captures", json=window | {"room": ROOM, "identity": "ann"}, headers=headers
        ),
    }.items():
        found[name] = answer.status_code
        if answer.status_code == 403:
            assert answer.json()["type"] == "not-permitted"
    return found


FREE = {
    "buffer": 200,
    "playlist": 200,
    "whole playlist": 200,
    "replay": 200,
    "last": 307,
    "segment": 200,
    "by buffer": 202,
    "by name": 202,
}
SEEN_ONLY = dict.fromkeys(FREE, 403) | {"buffer": 200}
HIDDEN = dict.fromkeys(FREE, 404) | {"by name": 403}


async def test_each_policy_opens_a_share_to_those_it_names_and_to_nobody_else(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    made = await share()
    assert await statuses(http, made, BOB) == HIDDEN
    await bob_was_there(ctx, made, 5, 12)
    assert await statuses(http, made, BOB) == HIDDEN
    await rules(ctx, capture_policy="room")
    # Of the window he gets what he was there for; he had left before the last seconds.
    assert await statuses(http, made, BOB) == FREE | {"last": 403}
    assert await statuses(http, made, ELSEWHERE) == HIDDEN
    assert await statuses(http, made, bearer(token("eve"))) == HIDDEN
    await rules(ctx, access="rbac")
    assert await statuses(http, made, BOB) == SEEN_ONLY
    assert await statuses(http, made, OWNER) == SEEN_ONLY
    await communities.set_member(ctx.store, communities.DEFAULT, "bob", "moderator", [])
    await rules(ctx, capture_policy="role")
    assert await statuses(http, made, BOB) == FREE
    assert await statuses(http, made, ELSEWHERE) == HIDDEN
    assert await statuses(http, made, bearer(token("bob", can_subscribe=False))) == HIDDEN


async def test_urls_are_given_to_those_who_may_watch_and_end_where_their_stay_ends(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """Who was present gets the window as it is; a URL that moved on would outlive their leaving."""
    made = await share()

    async def told(headers: dict[str, str]) -> dict[str, Any]:
        (item,) = (await http.get("/buffers", headers=headers)).json()["items"]
        single = (await http.get(f"/buffers/{made.buffer_id}", headers=headers)).json()
        assert single.items() >= {k: item[k] for k in ("playlist_url", "replay_url")}.items()
        return dict(item)

    mine = await told(OWNER)
    assert "start=" not in mine["playlist_url"]
    await rules(ctx, capture_policy="room")
    await bob_was_there(ctx, made, 5, None)
    his = await told(BOB)
    for url in (his["playlist_url"], his["replay_url"]):
        assert f"end={his['newest']}" in url.replace("%3A", ":")
        assert (await http.get(url)).status_code == 200
        moved = url.replace("end=2", "end=3")
        assert (await http.get(moved)).status_code == 401
    await rules(ctx, access="rbac")
    for headers in (BOB, OWNER):
        hidden = await told(headers)
        assert hidden["playlist_url"] is hidden["replay_url"] is None
        assert hidden["state"] == "recording"


async def test_what_is_shown_is_cut_to_the_stays_of_who_asks(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """Timeline, playlist, film, pictures, by token and by the URLs that are given."""
    made = await share()
    await rules(ctx, capture_policy="room")
    await bob_was_there(ctx, made, 4.5, 6.5)
    await bob_was_there(ctx, made, 14.5, 16.5, "PA_again")
    path = f"/buffers/{made.buffer_id}"
    told = (await http.get(path, headers=BOB)).json()
    at = [(made.start + timedelta(seconds=each)) for each in (4.5, 6.5, 14.5, 16.5)]
    times = [each.isoformat(timespec="milliseconds").replace("+00:00", "Z") for each in at]
    assert [(each["start"], each["end"]) for each in told["spans"]] == [
        (times[0], times[1]),
        (times[2], times[3]),
    ]
    assert [(gap["start"], gap["end"], gap["why"]) for gap in told["gaps"]] == [
        (times[1], times[2], "not-present")
    ]
    assert (told["oldest"], told["newest"], told["seconds"]) == (times[0], times[3], 4)
    # Segments 2 and 3, 7 and 8: those that his stays touch.
    for found in (
        await http.get(f"{path}/playlist.m3u8", headers=BOB),
        await http.get(f"{path}/playlist.m3u8?last=20", headers=BOB),
        await http.get(told["playlist_url"]),
    ):
        assert re.findall(r"-(\d+)\.m4s", found.text) == ["2", "3", "7", "8"], found.text
    index = await http.get(told["thumbnails"])
    assert ".2-3," in unquote(index.text)
    assert ".7-8" in unquote(index.text)
    sound = await http.get(f"{path}/waveform", headers=BOB)
    heard = [(each["start"], each["end"]) for each in sound.json()["stretches"]]
    assert heard
    for start, end in heard:
        assert any(times[n] <= start < end <= times[n + 1] for n in (0, 2)), (heard, times)
    films = [
        await http.get(told["replay_url"]),
        await http.get(f"{path}/replay.mp4?last=20", headers=BOB, follow_redirects=True),
    ]
    for film in films:
        assert film.status_code == 200
        assert film.headers["ETag"] == films[0].headers["ETag"]
        assert "stays=" in film.headers["Content-Location"]
        again = await http.get(film.headers["Content-Location"])
        assert again.content == films[0].content
    whole = await http.get(f"{path}/replay.mp4?last=20", headers=OWNER, follow_redirects=True)
    assert len(films[0].content) < len(whole.content) / 2
    assert (await http.get(told["poster"])).status_code == 200
    for number, status in ((1, 403), (2, 200), (5, 403), (8, 200), (9, 403)):
        name = f"/segments/{made.session_id}-{number}.m4s"
        assert (await http.get(name, headers=BOB)).status_code == status, number
    widened = told["playlist_url"].replace("stays=1", "stays=0")
    assert (await http.get(widened)).status_code == 401


@pytest.mark.parametrize("identity", ["bob", "nobody"])
async def test_whether_there_is_a_share_is_not_told_to_those_who_may_not_capture(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context, identity: str
) -> None:
    """Asked by name, a share that exists and one that doesn't get the same answer."""
    await share("bob")
    await rules(ctx, capture_policy="room")
    asked = {"room": ROOM, "identity": identity, "last": 3}
    found = await http.post("/captures", json=asked, headers=bearer(token("eve")))
    assert found.status_code == 403
    assert found.json()["detail"].replace(identity, "X") == (
        "'eve' may not capture this of the share of 'X' in 'room': its community's access and "
        "capture_policy say who may"
    )
    mine = await http.post("/captures", json={"room": ROOM, "last": 3}, headers=OWNER)
    assert (mine.status_code, mine.json()["type"]) == (409, "buffer-empty")


async def test_a_token_for_another_room_is_told_so(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    """The refusal names both rooms: the community's rules have nothing to do with it."""
    await share()
    asked = {"room": ROOM, "last": 3}
    found = await http.post("/captures", json=asked, headers=bearer(token("ann", room="demo")))
    assert (found.status_code, found.json()["type"]) == (403, "not-permitted")
    assert found.json()["detail"] == (
        "the token is for the room 'demo', and the share that is meant is in 'room': send a token "
        "for that room, or name a share in this one"
    )

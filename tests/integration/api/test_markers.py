"""Moments that are marked now and cut later: /buffers/{id}/markers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from app.access import communities
from app.api.in_flight import AT_ONCE, WAITING
from app.buffer.markers import AT_MOST, AT_MOST_OF_ONE
from app.cleaning import cleanup
from app.context import Context
from app.models.schema import Buffer, EgressSession, Marker, Segment
from app.viewing.served_movies import to_milliseconds
from tests.integration.api.conftest import (
    INSTANCE_ADMIN,
    OWNER,
    ROOM_ADMIN,
    STRANGER,
    MakeShare,
    bearer,
    token,
)
from tests.integration.buffer.shares import DiskShare
from tests.integration.captures.checking import work_on
from tests.packet_checker import read_clip
from tests.rows import PartOfRow

LONG = timedelta(minutes=20)


def path_of(share: DiskShare) -> str:
    return f"/buffers/{share.buffer_id}/markers"


def told(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds")


async def post(
    http: httpx.AsyncClient, share: DiskShare, headers: dict[str, str], **body: object
) -> httpx.Response:
    return await http.post(path_of(share), json=body, headers=headers)


async def happened_earlier(ctx: Context, share: DiskShare) -> datetime:
    """As if the share and its markers were LONG ago, and cleaned up since; its start then."""
    back = int(LONG.total_seconds() * 1e9)
    sessions, segments = ctx.store.rows(EgressSession), ctx.store.rows(Segment)
    await sessions.update_one({"_id": share.session_id}, {"$inc": {"clock_ns": -back}})
    for model, names in (
        (Buffer, ["since"]),
        (EgressSession, ["created_at"]),
        (Segment, ["start", "end"]),
        (Marker, ["at"]),
    ):
        async for row in ctx.store.database[+model].find({}, dict.fromkeys(names, 1)):
            moved = {name: row[name] - LONG for name in names}
            await ctx.store.database[+model].update_one({"_id": row["_id"]}, {"$set": moved})
    assert await segments.count_documents({}) == 10
    await cleanup.run(ctx)
    return to_milliseconds(share.start - LONG)


async def test_what_is_marked_can_be_watched_and_cut_when_the_rest_has_gone(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare, tmp_path: Path
) -> None:
    made = await share()
    at = made.start + timedelta(seconds=1)
    found = await post(http, made, OWNER, at=told(at), label="  The\ngoal ")
    assert found.status_code == 201, found.text
    marker = found.json()
    assert marker["label"] == "The goal"
    assert (marker["by"], marker["buffer_id"]) == ("ann", made.buffer_id)
    kept = datetime.fromisoformat(marker["kept_until"])
    assert kept == to_milliseconds(at) + timedelta(minutes=30)
    start = await happened_earlier(ctx, made)
    # 15 s after the mark end within the ninth segment; the tenth is the newest of a live share
    assert len(made.files("*.m4s")) == 9
    detail = (await http.get(f"/buffers/{made.buffer_id}", headers=OWNER)).json()
    (span,) = detail["spans"]
    begin, end = (datetime.fromisoformat(span[key]) for key in ("start", "end"))
    assert (begin, end) == (start, start + timedelta(seconds=16))
    assert [each["id"] for each in detail["markers"]] == [marker["id"]]
    (listed,) = (await http.get("/buffers", headers=OWNER)).json()["items"]
    assert listed["seconds"] == 16

    def window(first: float, last: float) -> dict[str, str]:
        """The seconds [first, last) after the share's start."""
        times = [start + timedelta(seconds=seconds) for seconds in (first, last)]
        return {"start": told(times[0]), "end": told(times[1])}

    query = urlencode(window(3, 8))
    replay = await http.get(f"/buffers/{made.buffer_id}/replay.mp4?{query}", headers=OWNER)
    assert replay.status_code == 200, replay.text
    path = tmp_path / "replay.mp4"
    path.write_bytes(replay.content)
    assert sum(not packet.hidden for packet in read_clip(path).video) == 5 * 15
    for name in ("playlist.m3u8", "thumbnails.vtt", "poster.jpg"):
        answer = await http.get(f"/buffers/{made.buffer_id}/{name}?{query}", headers=OWNER)
        assert answer.status_code == 200, (name, answer.text)
    body = {"buffer": made.buffer_id, **window(3, 8)}
    accepted = (await http.post("/captures", json=body, headers=OWNER)).json()
    await work_on(ctx, accepted["id"])
    capture = (await http.get(f"/captures/{accepted['id']}", headers=OWNER)).json()
    assert (capture["status"], capture["notes"]) == ("ready", [])
    assert capture["clip"]["delivered"]["duration"] == 5
    gone = urlencode(window(16.5, 18))
    answer = await http.get(f"/buffers/{made.buffer_id}/replay.mp4?{gone}", headers=OWNER)
    assert answer.status_code in (410, 422)

    deleted = await http.delete(f"{path_of(made)}/{marker['id']}", headers=OWNER)
    assert deleted.status_code == 204
    assert (await http.get(path_of(made), headers=OWNER)).json() == {"items": []}
    assert (await http.get(f"/buffers/{made.buffer_id}", headers=OWNER)).json()["spans"] == []
    await cleanup.run(ctx)
    assert len(made.files("*.m4s")) <= 4  # what the replay still pins, and the newest


async def test_the_same_key_sets_the_same_mark_once(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    """As long as it is there, and of the same person; for another mark a key is not good."""
    made = await share()
    key = {"Idempotency-Key": "k1"}
    asked = [post(http, made, OWNER | key, label="goal") for _ in range(4)]
    answers = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} == {201}
    (marker,) = (await http.get(path_of(made), headers=OWNER)).json()["items"]
    assert [answer.json() for answer in answers] == [marker] * 4
    for wrong in ({"label": "another"}, {"label": "goal", "at": told(made.start)}):
        assert (await post(http, made, OWNER | key, **wrong)).status_code == 409
    at = {"Idempotency-Key": "k2"}
    exact = await post(http, made, OWNER | at, label="goal", at=marker["at"])
    assert (exact.status_code, exact.json()["at"]) == (201, marker["at"])
    assert (await post(http, made, OWNER | at, label="goal")).status_code == 409
    other = await post(http, made, ROOM_ADMIN | key, label="goal")
    assert other.json()["id"] != marker["id"]
    await http.delete(f"{path_of(made)}/{marker['id']}", headers=OWNER)
    again = await post(http, made, OWNER | key, label="another")
    assert (again.status_code, again.json()["label"]) == (201, "another")


async def test_who_may_capture_a_share_marks_it(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    """A marker is deleted by who set it, by the sharer, and by admins."""
    made = await share()
    assert (await post(http, made, STRANGER)).status_code == 404
    await communities.configure(ctx.store, "default", {"capture_policy": "role"})
    await communities.set_member(ctx.store, "default", "bob", "member", ["capture_replay"])
    await communities.set_member(ctx.store, "default", "eve", "member", ["capture_replay"])
    ids: dict[str, str] = {}
    for who, headers in (("ann", OWNER), ("bob", STRANGER), ("mod", ROOM_ADMIN)):
        found = await post(http, made, headers, label=who)
        assert found.status_code == 201, found.text
        age = datetime.now(UTC) - datetime.fromisoformat(found.json()["at"])
        assert age < timedelta(seconds=20)
        ids[who] = found.json()["id"]
    eve = bearer(token("eve"))
    items = (await http.get(path_of(made), headers=eve)).json()["items"]
    assert [item["by"] for item in items] == ["ann", "bob", "mod"]
    for who, headers, status in (
        ("ann", eve, 403),
        ("ann", STRANGER, 403),
        ("mod", STRANGER, 403),
        ("bob", STRANGER, 204),
        ("bob", STRANGER, 404),
        ("mod", OWNER, 204),
        ("ann", ROOM_ADMIN, 204),
    ):
        answer = await http.delete(f"{path_of(made)}/{ids[who]}", headers=headers)
        assert answer.status_code == status, (who, status, answer.text)
        if status == 403:
            all_who_may = f"only {who!r}, who set it, 'ann', whose share it is, and the admins of"
            assert all_who_may in answer.json()["detail"]
    await communities.configure(ctx.store, "default", {"access": "rbac"})
    assert (await post(http, made, OWNER)).status_code == 403


async def test_a_mark_lies_within_the_buffer(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    made = await share()
    now = datetime.now(UTC)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"at": told(now + timedelta(seconds=30))}, "after the end"),
        ({"at": told(now - timedelta(hours=1))}, "before the beginning"),
        ({"at": "9999-12-31T23:59:59.999999Z"}, "after the end"),
        ({"at": "0001-01-01T00:00:00Z"}, "before the beginning"),
        ({"label": "x" * 201}, "200"),
        ({"at": "yesterday"}, "RFC 3339"),
        ({"label": 3}, "label"),
        ({"colour": "red"}, "colour"),
    ]
    for body, word in wrong:
        found = await post(http, made, OWNER, **body)
        assert (found.status_code, found.json()["type"]) == (422, "invalid"), body
        assert word in found.json()["detail"]
    ahead = told(datetime.now(UTC) + timedelta(seconds=2))
    assert (await post(http, made, OWNER, at=ahead)).status_code == 201
    # Over: what is marked is its end, and nothing after it.
    await made.change(ended_at=now, indexing=None, role=None)
    await ctx.store.rows(Buffer).update_one({"_id": made.buffer_id}, {"$set": {"ended_at": now}})
    found = await post(http, made, OWNER)
    assert datetime.fromisoformat(found.json()["at"]) == to_milliseconds(made.start) + timedelta(
        seconds=20
    )
    assert (await post(http, made, OWNER, at=told(now))).status_code == 422
    deleted = await http.delete(f"/buffers/{made.buffer_id}", headers=OWNER)
    assert deleted.status_code == 204
    assert await ctx.store.rows(Marker).count_documents({}) == 0
    found = await post(http, made, OWNER)
    assert (found.status_code, found.json()["type"]) == (409, "buffer-empty")


async def test_a_buffer_has_only_so_many_markers(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    made = await share()
    row = (await post(http, made, OWNER)).json()
    kept: PartOfRow = await ctx.store.rows(Marker).find_one({"_id": row["id"]})
    assert kept is not None
    markers = ctx.store.rows(Marker)

    async def fill(places: int, **given: Any) -> None:
        """Takes so many of the places that are free."""
        rows = await markers.find({}).to_list(None)
        free = [n for n in range(AT_MOST) if n not in {row["place"] for row in rows}]
        own = [n for n in range(AT_MOST) if n not in {row["personal_place"] for row in rows}]
        numbers = [{"place": free[n], "personal_place": own[n]} for n in range(places)]
        await markers.insert_many([kept | given | row | {"_id": str(row)} for row in numbers])

    await fill(AT_MOST - 1, by="x", kept_until=datetime.now(UTC) - timedelta(seconds=1))
    assert (await http.post(path_of(made), headers=OWNER)).status_code == 201
    await fill(AT_MOST_OF_ONE - 2)
    found = await post(http, made, OWNER)
    assert (found.status_code, found.json()["limit"]) == (429, AT_MOST_OF_ONE)
    assert (await post(http, made, INSTANCE_ADMIN)).status_code == 201
    await fill(AT_MOST - AT_MOST_OF_ONE - 1, by="others")
    found = await post(http, made, INSTANCE_ADMIN)
    assert (found.status_code, found.json()["type"]) == (429, "too-many-markers")
    assert found.json()["limit"] == AT_MOST


async def test_of_many_markers_at_once_exactly_as_many_are_made_as_may_be(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    made = await share()
    some = asyncio.Semaphore(AT_ONCE + WAITING)

    async def mark() -> int:
        async with some:
            return (await post(http, made, OWNER)).status_code

    codes = await asyncio.gather(*(mark() for _ in range(AT_MOST_OF_ONE + 20)))
    assert (codes.count(201), codes.count(429)) == (AT_MOST_OF_ONE, 20)
    assert await ctx.store.rows(Marker).count_documents({}) == AT_MOST_OF_ONE

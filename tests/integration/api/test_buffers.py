"""GET /buffers and what is below it: whose, in which state, since when, with which gaps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

from app.captures import share_erasure
from app.context import Context
from app.models import Why
from app.models.schema import Buffer, EgressSession
from tests.integration.api.conftest import (
    INSTANCE_ADMIN,
    OWNER,
    ROOM_ADMIN,
    STRANGER,
    MakeShare,
    bearer,
    token,
)
from tests.integration.queued import queued


async def ids(http: httpx.AsyncClient, query: str, headers: dict[str, str]) -> list[str]:
    found = await http.get(f"/buffers{query}", headers=headers)
    assert found.status_code == 200, found.text
    return [item["identity"] for item in found.json()["items"]]


async def test_a_buffer_tells_what_it_holds(http: httpx.AsyncClient, share: MakeShare) -> None:
    made = await share()
    found = await http.get("/buffers?room=room&identity=ann", headers=OWNER)
    (item,) = found.json()["items"]
    assert item["id"] == made.buffer_id
    assert item["room"] == "room"
    assert item["state"] == "recording"
    assert item["why"] is None
    assert item["seconds"] == 20
    assert item["audio"] is True
    assert item["sessions"] == [made.session_id]
    assert item["clock"] == "exact"
    start = datetime.fromisoformat(item["oldest"])
    assert abs(start - made.start) < timedelta(milliseconds=2)
    assert datetime.fromisoformat(item["newest"]) - start == timedelta(seconds=20)
    assert item["since"].endswith("Z")
    assert len(item["since"]) == len("2026-11-03T10:15:00.000Z")


async def test_where_nothing_is_shared_the_list_is_empty(http: httpx.AsyncClient) -> None:
    found = await http.get("/buffers?room=nobody-was-here", headers=OWNER)
    assert (found.status_code, found.json()["items"]) == (200, [])


async def test_one_buffer_comes_with_its_timeline(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    made = await share()
    found = await http.get(f"/buffers/{made.buffer_id}", headers=OWNER)
    assert found.status_code == 200
    (span,) = found.json()["spans"]
    assert span["session"] == made.session_id
    assert (span["width"], span["height"], span["audio"]) == (160, 120, True)
    assert span["start"] == found.json()["oldest"]
    assert found.json()["gaps"] == []


async def test_everybody_sees_what_is_theirs(http: httpx.AsyncClient, share: MakeShare) -> None:
    await share("ann")
    await share("bob", age=24)
    assert await ids(http, "", OWNER) == ["ann"]
    assert await ids(http, "", STRANGER) == ["bob"]
    assert await ids(http, "", ROOM_ADMIN) == ["bob", "ann"]
    assert await ids(http, "", INSTANCE_ADMIN) == ["bob", "ann"]
    assert await ids(http, "?identity=ann", INSTANCE_ADMIN) == ["ann"]
    assert await ids(http, "?identity=ann", STRANGER) == []
    assert await ids(http, "?room=other", INSTANCE_ADMIN) == []
    assert await ids(http, "", bearer(token("ann", room="other"))) == []
    assert await ids(http, "", bearer(token("ann", room=""))) == ["ann"]
    assert await ids(http, "", bearer(token("mod", room_admin=True, can_subscribe=False))) == []


async def test_pages_follow_each_other_without_loss(http: httpx.AsyncClient, ctx: Context) -> None:
    """Also where several shares began in the same millisecond."""
    since = datetime(2026, 11, 3, tzinfo=UTC)
    for number in range(7):
        await ctx.store.create(
            Buffer(
                id=f"{number:024x}",
                room="room",
                room_sid="RM",
                identity=f"user-{number}",
                participant_sid="PA",
                video_sid=f"TR_{number}",
                since=since + timedelta(seconds=number // 3),
            )
        )
    seen: list[str] = []
    query = "?limit=2"
    while query:
        page = (await http.get(f"/buffers{query}", headers=INSTANCE_ADMIN)).json()
        seen += [item["identity"] for item in page["items"]]
        query = f"?limit=2&next={page['next']}" if page["next"] else ""
    assert seen == [f"user-{number}" for number in (6, 5, 4, 3, 2, 1, 0)]


async def test_why_nothing_is_recorded_is_told(http: httpx.AsyncClient, ctx: Context) -> None:
    retry_at = datetime.now(UTC) + timedelta(seconds=30)
    await ctx.store.create(
        Buffer(
            id="0" * 24,
            room="room",
            room_sid="RM",
            identity="ann",
            participant_sid="PA",
            video_sid="TR",
            since=datetime.now(UTC),
            why=Why.LIMIT,
            why_detail="5 shares are buffered already",
            retry_at=retry_at,
        )
    )
    (item,) = (await http.get("/buffers", headers=OWNER)).json()["items"]
    assert item["state"] == "refused"
    assert item["why"] == "limit"
    assert item["why_detail"] == "5 shares are buffered already"
    assert item["oldest"] is None
    assert item["seconds"] == 0


async def test_bad_questions_are_told_what_is_wrong(http: httpx.AsyncClient) -> None:
    for query, field in (
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("limit=1000", "limit"),
        ("room=", "room"),
        ("next=abc", "next"),
        ("next=99999999999999999999-" + "0" * 24, "next"),
        ("rooom=a", "rooom"),
        ("room=a&room=b", "room"),
    ):
        found = await http.get(f"/buffers?{query}", headers=OWNER)
        assert found.status_code == 422, query
        assert found.json()["type"] == "invalid"
        assert field in found.json()["detail"]


async def test_the_sharer_deletes_his_buffer_at_once(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    made = await share()
    path = f"/buffers/{made.buffer_id}"
    assert (await http.delete(path, headers=STRANGER)).status_code == 404
    assert made.files("*.m4s")
    segment = f"/segments/{made.session_id}-0.m4s"
    assert (await http.get(segment, headers=OWNER)).status_code == 200
    assert (await http.delete(path, headers=OWNER)).status_code == 204
    assert made.files("*.m4s"), "their deletion is not waited for"
    assert (await http.get(segment, headers=OWNER)).status_code == 410
    told = (await http.get(path, headers=OWNER)).json()
    assert (told["seconds"], told["spans"], told["markers"]) == (0, [], [])
    assert await queued(ctx) == 2  # and its event
    await share_erasure.go_on(ctx, made.buffer_id)
    assert made.files("*.m4s") == []
    assert await ctx.store.rows(EgressSession).find_one({"_id": made.session_id}) is not None


async def test_the_sharer_deletes_the_last_part_of_his_buffer_at_once(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """Signed URLs of the rest go on; those of what is gone are 410."""
    made = await share()
    path = f"/buffers/{made.buffer_id}"
    whole = (await http.get(path, headers=OWNER)).json()
    rows = await made.rows()
    newest = f"/segments/{made.session_id}-{rows[-1]['sequence']}.m4s"
    assert (await http.get(newest, headers=OWNER)).status_code == 200
    for wrong in ("last=0", "last=-1", "last=soon", "first=3"):
        found = await http.delete(f"{path}?{wrong}", headers=OWNER)
        assert (found.status_code, found.json()["type"]) == (422, "invalid"), wrong
    length = datetime.now(UTC) - rows[-3]["start"] - timedelta(seconds=0.1)
    last = f"{path}?last={length.total_seconds():.3f}"
    assert (await http.delete(last, headers=OWNER)).status_code == 204
    told = (await http.get(path, headers=OWNER)).json()
    assert told["newest"] < whole["newest"]
    assert told["oldest"] == whole["oldest"]
    assert (await http.get(newest, headers=OWNER)).status_code == 410
    oldest = f"/segments/{made.session_id}-0.m4s"
    assert (await http.get(oldest, headers=OWNER)).status_code == 200
    assert await queued(ctx) == 2  # and its event
    names = made.files("*.m4s")
    await share_erasure.go_on(ctx, made.buffer_id)
    left = made.files("*.m4s")
    assert set(names[:-3]) <= set(left) < set(names)
    assert names[-1] not in left
    assert (await http.delete(f"{path}?last=999999999", headers=OWNER)).status_code == 204
    assert (await http.get(path, headers=OWNER)).json()["spans"] == []

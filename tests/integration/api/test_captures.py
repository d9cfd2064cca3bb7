"""/captures over HTTP."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from app.context import Context
from app.models.schema import Capture
from tests.integration.api.conftest import (
    INSTANCE_ADMIN,
    OWNER,
    ROOM,
    STRANGER,
    MakeShare,
    bearer,
    token,
)
from tests.integration.captures.checking import work_on


async def asked(http: httpx.AsyncClient, **given: Any) -> httpx.Response:
    return await http.post(
        "/captures", headers=OWNER, json={"room": ROOM, "last": 5, "tail": "skip"} | given
    )


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    """The data of each event of a stream that has ended."""
    blocks = answer.text.replace("\r\n", "\n").strip().split("\n\n")
    found = [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]
    assert all(each["event"] == "capture" for each in found)
    return [json.loads(each["data"]) for each in found]


async def test_a_capture_is_accepted_made_and_told_of(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    made = await share()
    answer = await asked(http, title="a <b>title</b>\nof two lines")
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert set(told) == {"id", "status", "clip_id", "playlist", "events_url", "Location"}
    assert answer.headers["Location"] == told["Location"] == f"/captures/{told['id']}"
    waiting = (await http.get(told["Location"], headers=OWNER)).json()
    assert (waiting["status"], waiting["progress"], waiting["clip"]) == ("queued", 0, None)
    await work_on(ctx, told["id"])
    ready = (await http.get(told["Location"], headers=OWNER)).json()
    assert (ready["status"], ready["progress"], ready["reason"]) == ("ready", 1, None)
    clip = ready["clip"]
    assert clip["buffer"] == made.buffer_id
    assert clip["id"] == told["clip_id"]
    assert clip["title"] == "a <b>title</b> of two lines"
    assert clip["delivered"]["duration"] == pytest.approx(5, abs=0.1)
    assert clip["requested"]["start"].endswith("Z")
    assert clip == (await http.get(f"/clips/{clip['id']}", headers=OWNER)).json()
    assert [clip] == (await http.get("/clips", headers=OWNER)).json()["items"]


async def test_events_tell_the_state_and_end_with_the_last_one(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    await share()
    told = (await asked(http)).json()
    await work_on(ctx, told["id"])
    answer = await http.get(f"/captures/{told['id']}/events", headers=OWNER)
    assert answer.headers["content-type"].startswith("text/event-stream")
    [event] = events(answer)
    assert set(event) == {"status", "stage", "progress", "reason", "detail", "clip"}
    assert (event["status"], event["clip"]["id"]) == ("ready", told["clip_id"])


async def test_events_are_heard_by_a_url_without_a_token(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    """As who asked hears them, whose clip's URLs are good whoever may see the clip afterwards.

    What an admin was given shows the clip as the admin sees it.
    """
    await share()
    told = (await asked(http)).json()
    await work_on(ctx, told["id"])
    path = f"/v1/captures/{told['id']}"
    by_admin = (await http.get(path, headers=INSTANCE_ADMIN)).json()["events_url"]
    [event] = events(await http.get(told["events_url"]))
    [with_token] = events(await http.get(f"{path}/events", headers=OWNER))
    [of_admin] = events(await http.get(by_admin))
    assert event == with_token
    assert of_admin["clip"]["id"] == told["clip_id"]
    opened = {"visibility": "room"}
    changed = await http.patch(f"/v1/clips/{told['clip_id']}", json=opened, headers=OWNER)
    assert changed.status_code == 200
    for url, status in ((event["clip"]["file_url"], 200), (of_admin["clip"]["file_url"], 404)):
        assert (await http.get(url)).status_code == status
    for wrong in (told["events_url"].replace("/events?", "?"), told["events_url"] + "1"):
        assert (await http.get(wrong)).status_code == 401
    await ctx.store.rows(Capture).delete_one({"_id": told["id"]})
    assert (await http.get(told["events_url"])).status_code == 410


async def test_a_failure_is_told_with_its_reason(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    made = await share()
    told = (await asked(http)).json()
    (made.fragments / made.files("init-*")[0]).unlink()
    await work_on(ctx, told["id"])
    [event] = events(await http.get(f"/captures/{told['id']}/events", headers=OWNER))
    assert (event["status"], event["reason"]) == ("failed", "segment-changed")
    assert event["detail"]


async def test_a_capture_is_cancelled_once_and_a_finished_one_not(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    await share()
    location = (await asked(http)).json()["Location"]
    assert (await http.delete(location, headers=OWNER)).json()["status"] == "cancelled"
    again = await http.delete(location, headers=OWNER)
    assert (again.status_code, again.json()["type"]) == (409, "conflict")
    told = (await asked(http)).json()
    await work_on(ctx, told["id"])
    finished = await http.delete(told["Location"], headers=OWNER)
    assert (finished.status_code, finished.json()["type"]) == (409, "conflict")
    assert "ready" in finished.json()["detail"]


async def test_an_idempotency_key_opens_no_capture_of_another_room(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    """Not with the very same request, by a token of the same user that is not good for it."""
    made = await share()
    key = {"Idempotency-Key": "abc"}
    body = {"buffer": made.buffer_id, "last": 5}
    first = await http.post("/captures", headers=OWNER | key, json=body)
    assert first.status_code == 202
    elsewhere = bearer(token(room="elsewhere"))
    other = await http.post("/captures", headers=elsewhere | key, json=body)
    assert (other.status_code, other.json()["type"]) == (409, "conflict")
    assert first.json()["id"] not in other.text
    everywhere = bearer(token(room=""))
    again = await http.post("/captures", headers=everywhere | key, json=body)
    assert again.json()["id"] == first.json()["id"]


async def test_an_idempotency_key_gives_the_same_capture(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    await share()
    headers = OWNER | {"Idempotency-Key": "abc"}
    body = {"room": ROOM, "last": 5}
    first = await http.post("/captures", headers=headers, json=body)
    second = await http.post("/captures", headers=headers, json=body)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"]
    other = await http.post("/captures", headers=headers, json=body | {"last": 6})
    assert (other.status_code, other.json()["type"]) == (409, "conflict")
    for key in ("", "x" * 201, "a b"):
        bad = await http.post("/captures", headers=OWNER | {"Idempotency-Key": key}, json=body)
        assert (bad.status_code, bad.json()["type"]) == (422, "invalid")


@pytest.mark.parametrize(
    ("given", "status", "slug"),
    [
        ({"last": -1}, 422, "invalid"),
        ({"last": 601}, 413, "window-too-long"),
        ({"last": None}, 422, "invalid"),
        ({"nonsense": 1}, 422, "invalid"),
        ({"identity": "bob"}, 403, "not-permitted"),
        ({"room": "../../etc"}, 403, "not-permitted"),
        ({"share": "TR_unknown"}, 409, "buffer-empty"),
        ({"room": None, "buffer": "0" * 24}, 404, "not-found"),
        ({"last": None, "start": "2099-01-01T00:00:00Z", "end": "2099-01-01T00:01:00Z"}, 422,
         "invalid"),
        ({"last": None, "start": "2020-01-01T00:00:00Z", "end": "2020-01-01T00:01:00Z"}, 422,
         "invalid"),
    ],
)  # fmt: skip
async def test_each_wrong_request_has_its_answer(
    http: httpx.AsyncClient, share: MakeShare, given: dict[str, Any], status: int, slug: str
) -> None:
    await share()
    answer = await asked(http, **given)
    assert (answer.status_code, answer.json()["type"]) == (status, slug), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"last": NaN}', b"[" * 9000])
async def test_a_body_that_is_no_json_object_is_refused(
    http: httpx.AsyncClient, body: bytes
) -> None:
    answer = await http.post("/captures", headers=OWNER, content=body)
    assert answer.status_code in (400, 422)


async def test_somebody_elses_capture_is_as_none(http: httpx.AsyncClient, share: MakeShare) -> None:
    await share()
    location = (await asked(http)).json()["Location"]
    for path in (location, "/captures/unknown"):
        for method, place in (("GET", path), ("DELETE", path), ("GET", f"{path}/events")):
            answer = await http.request(method, place, headers=STRANGER)
            assert (answer.status_code, answer.json()["type"]) == (404, "not-found")
            assert (await http.request(method, place)).status_code == 401

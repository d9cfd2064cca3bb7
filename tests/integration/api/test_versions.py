"""Under the paths of before everything is as it was, and leads to the version."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from app.context import Context
from tests.integration.api.conftest import OWNER, ROOM, MakeShare
from tests.integration.captures.checking import work_on


@pytest.fixture(params=["", "/v1"])
def version(request: pytest.FixtureRequest) -> str:
    """What stands before each path."""
    return str(request.param)


async def test_every_url_of_an_answer_leads_to_the_version_and_is_there(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context, version: str
) -> None:
    """None needs a token. Where a capture is asked for has the names that its request had."""
    made = await share()
    asked = {"room": ROOM, "last": 5, "tail": "skip"}
    accepted = await http.post(f"{version}/captures", json=asked, headers=OWNER)
    assert accepted.headers["Location"] == f"{version}/captures/{accepted.json()['id']}"
    await work_on(ctx, accepted.json()["id"])
    buffer = (await http.get(f"{version}/buffers/{made.buffer_id}", headers=OWNER)).json()
    path = f"{version}/clips/{accepted.json()['clip_id']}"
    clip = (await http.get(path, headers=OWNER)).json()
    urls = {each for each in [*buffer.values(), *clip.values()] if is_path(each)}
    assert len(urls) == 8
    for url in urls:
        assert url.startswith("/v1/")
        found = await http.get(url, follow_redirects=True)
        assert found.status_code == 200, (url, found.text)
        assert found.url.path.startswith("/v1/")


def is_path(value: Any) -> bool:
    """Whether a member is a URL of ours without a host."""
    return isinstance(value, str) and value.startswith("/")


async def test_playlists_and_indexes_lead_to_the_version_from_wherever_they_are_read(
    http: httpx.AsyncClient, share: MakeShare, version: str
) -> None:
    made = await share()
    for name in ("playlist.m3u8", "thumbnails.vtt"):
        url = f"{version}/buffers/{made.buffer_id}/{name}"
        text = (await http.get(url, params={"last": "5"}, headers=OWNER)).text
        named = re.findall(r"^\.\./\S+|(?<=URI=\")[^\"]+", text, re.MULTILINE)
        assert named
        for each in named:
            target = urljoin(f"http://replay.test{url}", each)
            assert target.startswith("http://replay.test/v1/")
            assert (await http.get(target)).status_code == 200


async def test_a_request_is_the_same_by_either_path(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    """Sent again after an upgrade, with the names of now, it is the same capture."""
    made = await share()
    key = OWNER | {"Idempotency-Key": "once"}
    window = {"last": 5, "tail": "skip"}
    before = await http.post("/captures", json=window | {"buffer": made.buffer_id}, headers=key)
    now = await http.post("/v1/captures", json=window | {"buffer_id": made.buffer_id}, headers=key)
    assert (before.status_code, now.status_code) == (202, 202)
    assert before.json()["id"] == now.json()["id"]
    assert f"/v1{before.json()['Location']}" == now.json()["capture_url"]

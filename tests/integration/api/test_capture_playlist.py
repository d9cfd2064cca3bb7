"""GET /captures/{id}/playlist.m3u8: a capture watched while it waits and is made."""

from __future__ import annotations

import asyncio
import math
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from app.cleaning.removal import remove
from app.context import Context
from app.models.schema import Buffer, Capture, EgressSession
from tests.integration.api.conftest import OWNER, SHARER, STRANGER, MakeShare
from tests.integration.buffer.shares import DiskShare, begin_share, indexing
from tests.integration.captures.checking import work_on
from tests.media_factory import Recording

PATH = re.compile(r"/v1/captures/([0-9a-f]{24})/playlist\.m3u8")


async def asked(http: httpx.AsyncClient, **request: Any) -> dict[str, Any]:
    """A capture as its acceptance tells of it."""
    answer = await http.post("/captures", json={"room": "room"} | request, headers=OWNER)
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.json()
    return told


def since(share: DiskShare, seconds: float) -> dict[str, str]:
    """The window from so many seconds after the share's beginning until now."""
    start = share.start + timedelta(seconds=seconds)
    return {"start": start.isoformat(), "end": datetime.now(UTC).isoformat()}


async def playlist(http: httpx.AsyncClient, told: dict[str, Any]) -> str:
    answer = await http.get(told["playlist"])
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/vnd.apple.mpegurl"
    return answer.text


def sequences(text: str) -> list[int]:
    return [int(found) for found in re.findall(r"-(\d+)\.m4s", text)]


def body(text: str) -> list[str]:
    """The lines that a player keeps, without the end."""
    lines = text.splitlines()
    begin = next(place for place, line in enumerate(lines) if line.startswith("#EXT-X-MAP"))
    return [line for line in lines[begin:] if line != "#EXT-X-ENDLIST"]


async def live(ctx: Context, recording: Recording, seconds: float, count: int) -> DiskShare:
    """A share that began so many seconds ago, with segments written and not yet indexed."""
    made = await begin_share(ctx, SHARER, datetime.now(UTC) - timedelta(seconds=seconds), recording)
    made.commit(count)
    return made


async def test_a_capture_is_watched_before_anybody_has_begun_to_make_it(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    """Its JSON names the playlist, which needs no token; nor do the segments."""
    made = await share()
    await made.change(indexing=None, role=None, ended_at=datetime.now(UTC))
    told = await asked(http, last=5)
    assert PATH.match(told["playlist"])
    text = await playlist(http, told)
    assert sequences(text) == [7, 8, 9]
    assert "#EXT-X-PLAYLIST-TYPE:VOD" in text
    assert "#EXT-X-ENDLIST" in text
    again = (await http.get(told["Location"], headers=OWNER)).json()
    assert again["playlist"] == told["playlist"]
    for line in [*re.findall(r'URI="([^"]+)"', text), *re.findall(r"^\.\./.*$", text, re.M)]:
        part = await http.get(urljoin(told["playlist"], line))
        assert part.status_code == 200
    assert made.session_id in text


async def test_the_playlist_of_a_waiting_capture_grows_and_then_ends(
    http: httpx.AsyncClient, ctx: Context, recording: Recording
) -> None:
    """At its end and nowhere else, as players demand."""
    made = await live(ctx, recording, 8.2, 4)
    async with indexing(ctx):
        await made.indexed(4)
        told = await asked(http, **since(made, 3.2), post_roll=3)
        seen = [await playlist(http, told)]
        assert sequences(seen[0]) == [1, 2, 3]
        assert "#EXT-X-PLAYLIST-TYPE:EVENT" in seen[0]
        assert "#EXT-X-TARGETDURATION:3" in seen[0]
        assert "#EXT-X-ENDLIST" not in seen[0]
        made.commit(1)
        await made.indexed(5)
        seen.append(await playlist(http, told))
        assert sequences(seen[1]) == [1, 2, 3, 4]
        assert "#EXT-X-ENDLIST" not in seen[1]
        job = asyncio.create_task(work_on(ctx, PATH.match(told["playlist"])[1]))  # type: ignore[index]
        waiting = (await http.get(told["Location"], headers=OWNER)).json()
        end = datetime.fromisoformat(waiting["window"]["end"])
        made.commit(math.ceil((end - made.start) / timedelta(seconds=2)) - 5)
        await job
    seen.append(await playlist(http, told))
    done = (await http.get(told["Location"], headers=OWNER)).json()
    assert done["status"] == "ready", done
    assert "#EXT-X-ENDLIST" in seen[2]
    assert "#EXT-X-TARGETDURATION:3" in seen[2]
    for earlier, later in pairwise(seen):
        assert body(later)[: len(body(earlier))] == body(earlier)


async def test_a_capture_of_a_share_that_is_only_starting_has_to_be_asked_for_again(
    http: httpx.AsyncClient, ctx: Context, recording: Recording
) -> None:
    made = await begin_share(
        ctx, SHARER, datetime.now(UTC) - timedelta(seconds=1), recording, clock_ns=None,
        clock_exact=False, status="EGRESS_STARTING", active_at=None,
    )  # fmt: skip
    told = await asked(http, last=3)
    early = await http.get(told["playlist"])
    assert early.status_code == 409
    assert early.json()["type"] == "buffer-empty"
    assert int(early.headers["Retry-After"]) > 0
    await made.change(
        clock_ns=int(made.start.timestamp() * 1e9), clock_exact=True, status="EGRESS_ACTIVE"
    )
    async with indexing(ctx):
        made.commit(1)
        await made.indexed(1)
    assert sequences(await playlist(http, told)) == [0]


async def test_a_session_that_takes_over_only_adds_to_the_playlist(
    http: httpx.AsyncClient, ctx: Context, recording: Recording
) -> None:
    """What is not settled yet is told later: neither removed again, nor put in between."""
    one = await live(ctx, recording, 8.2, 4)
    seen: list[str] = []
    async with indexing(ctx):
        await one.indexed(4)
        told = await asked(http, **since(one, 2.2), post_roll=30)
        seen.append(await playlist(http, told))
        two = await begin_share(
            ctx, SHARER, one.start + timedelta(seconds=9), recording,
            buffer_id=one.buffer_id, role="next",
        )  # fmt: skip
        one.commit(2)  # the seconds 8 to 12, of which the second session has some, too
        await one.indexed(6)
        seen.append(await playlist(http, told))
        assert sequences(seen[-1]) == [1, 2, 3, 4]
        await one.change(role=None)
        await two.change(role="current")
        two.commit(1)
        await two.indexed(1)
        seen.append(await playlist(http, told))
        one.commit(1)
        one.egress.end()
        await one.change(status="EGRESS_COMPLETE", ended_at=datetime.now(UTC))
        await one.read_to_the_end()
        two.commit(1)
        await two.indexed(2)
        seen.append(await playlist(http, told))
    for earlier, later in pairwise(seen):
        assert body(later)[: len(body(earlier))] == body(earlier)
    assert sequences(seen[-1]) == [1, 2, 3, 4, 0, 1]
    assert seen[-1].count("#EXT-X-DISCONTINUITY\n") == 1


async def test_the_last_segments_of_a_session_are_waited_for(
    http: httpx.AsyncClient, ctx: Context, recording: Recording
) -> None:
    """Those of the session that has taken over are not told before."""
    one = await live(ctx, recording, 8.2, 3)
    async with indexing(ctx):
        await one.indexed(3)
        told = await asked(http, **since(one, 2.2), post_roll=30)
        two = await begin_share(
            ctx, SHARER, one.start + timedelta(seconds=8), recording,
            buffer_id=one.buffer_id, role="next",
        )  # fmt: skip
        await one.change(role=None)
        await two.change(role="current")
        two.commit(1)
        await two.indexed(1)
        assert sequences(await playlist(http, told)) == [1, 2]
        one.commit(1)
        await one.indexed(4)
        assert sequences(await playlist(http, told)) == [1, 2, 3, 0]


@pytest.mark.parametrize("how", ["cancelled", "failed"])
async def test_a_capture_that_was_given_up_is_not_watched(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context, how: str
) -> None:
    made = await share()
    told = await asked(http, last=5)
    if how == "cancelled":
        assert (await http.delete(told["Location"], headers=OWNER)).status_code == 200
    else:
        (made.fragments / made.files("*.m4s")[-1]).unlink()
        now = {"wait_until": datetime.now(UTC)}
        await ctx.store.rows(Capture).update_many({}, {"$set": now})
        await work_on(ctx, told["Location"].rpartition("/")[2])
    found = await http.get(told["playlist"])
    assert found.status_code == 410, found.text
    assert how in found.json()["detail"]


async def test_a_finished_capture_is_watched_as_long_as_its_window_is_there(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """With its beginning gone it would be another film: then there is the clip."""
    made = await share()
    await made.change(indexing=None, role=None, ended_at=datetime.now(UTC))
    told = await asked(http, last=9)
    await work_on(ctx, told["Location"].rpartition("/")[2])
    assert sequences(await playlist(http, told)) == [5, 6, 7, 8, 9]
    rows = await made.rows()
    await remove(ctx, rows[:5])
    assert sequences(await playlist(http, told)) == [5, 6, 7, 8, 9]
    await remove(ctx, rows[5:6])
    found = await http.get(told["playlist"])
    assert found.status_code == 410
    assert "clip" in found.json()["detail"]
    await remove(ctx, rows[6:])
    await ctx.store.rows(EgressSession).delete_many({})
    await ctx.store.rows(Buffer).delete_many({})
    assert (await http.get(told["playlist"])).status_code == 410
    await ctx.store.rows(Capture).delete_many({})
    assert (await http.get(told["playlist"])).status_code == 410


async def test_a_captures_playlist_is_its_callers_alone(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    await share()
    told = await asked(http, last=5, tail="skip")
    path = PATH.match(told["playlist"])
    assert path is not None
    assert (await http.get(path[0], headers=OWNER)).status_code == 200
    theirs = await http.get(path[0], headers=STRANGER)
    nobodys = await http.get(f"/captures/{'0' * 24}/playlist.m3u8", headers=STRANGER)
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json() == nobodys.json()
    other = told["playlist"].replace(path[1], "0" * 24)
    assert (await http.get(other)).status_code == 401

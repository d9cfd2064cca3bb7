"""GET /buffers/{id}/playlist.m3u8 and the segments it names."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode, urljoin

import av
import httpx
import pytest

from app.context import Context
from app.models.schema import Segment
from tests.integration.api.conftest import OWNER, STRANGER, MakeShare
from tests.integration.buffer.shares import DiskShare, begin_share, indexing
from tests.media_factory import Recording


def playlist_of(share: DiskShare) -> str:
    return f"http://replay.test/buffers/{share.buffer_id}/playlist.m3u8"


def uris(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def maps(text: str) -> list[str]:
    return re.findall(r'#EXT-X-MAP:URI="([^"]+)"', text)


async def test_the_whole_buffer_plays_from_its_playlist(
    http: httpx.AsyncClient, share: MakeShare, tmp_path: Path
) -> None:
    """Every URL in it is signed: a player needs nothing else."""
    made = await share()
    found = await http.get(playlist_of(made), headers=OWNER)
    assert found.status_code == 200, found.text
    assert found.headers["Content-Type"] == "application/vnd.apple.mpegurl"
    (init,) = maps(found.text)
    assert len(uris(found.text)) == 10
    assert "#EXT-X-ENDLIST" in found.text
    media = b""
    for uri in (init, *uris(found.text)):
        part = await http.get(urljoin(playlist_of(made), uri))
        assert part.status_code == 200, part.text
        assert part.headers["Content-Type"] == "video/mp4"
        assert part.headers["Cache-Control"] == "private, no-cache"
        media += part.content
    path = tmp_path / "all.mp4"
    path.write_bytes(media)
    with av.open(str(path)) as container:
        assert sum(packet.size > 0 for packet in container.demux(video=0)) == 300


async def test_the_url_in_the_buffers_json_needs_no_token(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    made = await share()
    told = (await http.get(f"/buffers/{made.buffer_id}", headers=OWNER)).json()
    found = await http.get(told["playlist_url"])
    assert found.status_code == 200
    assert len(uris(found.text)) == 10
    first = urljoin(playlist_of(made), uris(found.text)[0])
    assert (await http.head(first)).status_code == 200
    # and for another segment its signature is none
    other = re.sub(r"-0\.m4s", "-1.m4s", first)
    assert other != first
    assert (await http.head(other)).status_code == 401
    redirected = await http.get(told["replay_url"])
    assert redirected.status_code == 307
    assert (await http.head(redirected.headers["Location"])).status_code == 200


async def test_a_window_names_the_segments_that_lie_in_it(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    made = await share()
    start = made.start + timedelta(seconds=4.5)
    query = {"start": start.isoformat(), "end": (start + timedelta(seconds=3)).isoformat()}
    found = await http.get(f"{playlist_of(made)}?{urlencode(query)}", headers=OWNER)
    assert [re.findall(r"-(\d+)\.m4s", uri) for uri in uris(found.text)] == [["2"], ["3"]]
    last = await http.get(f"{playlist_of(made)}?last=3", headers=OWNER)
    assert len(uris(last.text)) == 2
    wrong = await http.get(f"{playlist_of(made)}?last=0", headers=OWNER)
    assert wrong.status_code == 422


async def test_two_sessions_are_told_apart(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context, recording: Recording
) -> None:
    made = await share(age=60)
    later = await begin_share(
        ctx,
        "ann",
        made.start + timedelta(seconds=30),
        recording,
        buffer_id=made.buffer_id,
        role=None,
    )
    later.commit(3)
    async with indexing(ctx):
        await later.indexed(3)
    found = await http.get(playlist_of(made), headers=OWNER)
    assert found.text.count("#EXT-X-DISCONTINUITY\n") == 1
    assert len(maps(found.text)) == 2
    assert len(uris(found.text)) == 13


async def test_a_segment_is_served_in_ranges(http: httpx.AsyncClient, share: MakeShare) -> None:
    made = await share()
    path = f"/segments/{made.session_id}-3.m4s"
    whole = await http.get(path, headers=OWNER)
    (name,) = [name for name in made.files("*.m4s") if int(name[:8]) == 3]
    assert whole.content == (made.fragments / name).read_bytes()
    part = await http.get(path, headers=OWNER | {"Range": "bytes=10-19"})
    assert part.status_code == 206
    assert part.content == whole.content[10:20]
    head = await http.head(path, headers=OWNER)
    assert head.headers["Content-Length"] == str(len(whole.content))
    known = await http.get(path, headers=OWNER | {"If-None-Match": head.headers["ETag"]})
    assert known.status_code == 304


async def test_a_segment_that_cleanup_took_is_gone(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    made = await share()
    path = f"/segments/{made.session_id}-2.m4s"
    (made.fragments / "00000002.m4s").unlink()
    assert (await http.get(path, headers=OWNER)).status_code == 410
    await ctx.store.rows(Segment).delete_one({"_id": f"{made.session_id}:2"})
    assert (await http.get(path, headers=OWNER)).status_code == 410
    assert (await http.get(path, headers=STRANGER)).status_code == 404


async def test_a_segment_that_cannot_be_used_is_not_served(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    made = await share()
    row = {"_id": f"{made.session_id}:4"}
    change = {"$set": {"state": "quarantined", "fault": "truncated"}}
    await ctx.store.rows(Segment).update_one(row, change)
    found = await http.get(f"/segments/{made.session_id}-4.m4s", headers=OWNER)
    assert found.status_code == 404


@pytest.mark.edge("a window longer than the buffer, an empty buffer")
async def test_an_empty_buffer_says_when_to_try_again(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    """Its media is too old to be offered, and not yet old enough to be deleted."""
    made = await share(age=700)
    found = await http.get(playlist_of(made), headers=OWNER)
    assert found.status_code == 409
    assert found.json()["type"] == "buffer-empty"
    assert int(found.headers["Retry-After"]) > 0

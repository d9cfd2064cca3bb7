"""A share is looked at while it goes on: as one MP4 and as HLS, by URL alone, over real HTTP."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.e2e.conftest import World
from tests.plain_http import plain_client


async def probe(source: str) -> dict[str, object]:
    """What ffprobe says of a file or URL, with its packets counted."""
    process = await asyncio.create_subprocess_exec(
        *("ffprobe", "-v", "error", "-count_packets", "-of", "json"),
        *("-show_entries", "stream=codec_type,nb_read_packets,duration:format=duration"),
        source,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, errors.decode()
    assert errors == b""
    found: dict[str, object] = json.loads(output)
    return found


def duration(found: dict[str, object]) -> float:
    form = found["format"]
    assert isinstance(form, dict)
    return float(form["duration"])


@pytest.mark.edge("what players need")
async def test_the_last_seconds_play_by_their_url_alone(
    world: World, room: str, tmp_path: Path
) -> None:
    """ffprobe reads it over HTTP in ranges, as a player does; a download gives the same."""
    async with world.share(room):
        buffer = await world.wait_for_buffer(room, seconds=6)
        answer = await world.admin.get(f"/buffers/{buffer['id']}/replay.mp4", params={"last": "5"})
        assert answer.status_code == 307, answer.text
        url = urljoin(world.service.url, answer.headers["Location"])
        over_http = await probe(url)
        async with plain_client() as anybody:
            whole = await anybody.get(url)
            part = await anybody.get(url, headers={"Range": "bytes=1000-1999"})
        assert whole.status_code == 200
        assert part.status_code == 206
        assert part.content == whole.content[1000:2000]
    path = tmp_path / "replay.mp4"
    path.write_bytes(whole.content)
    downloaded = await probe(str(path))
    assert downloaded == over_http
    assert abs(duration(downloaded) - 5) < 0.15


async def test_the_playlist_of_the_buffer_plays(world: World, room: str) -> None:
    async with world.share(room):
        await world.wait_for_buffer(room, seconds=6)
        (buffer,) = await world.buffers(room)
        url = urljoin(world.service.url, buffer["playlist_url"])
        least = await _listed_seconds(url)
        assert least >= 6
        found = await probe(url)
        # more may have come meanwhile
        most = await _listed_seconds(url)
    assert least - 0.3 < duration(found) < most + 0.3


async def _listed_seconds(playlist_url: str) -> float:
    async with plain_client() as anybody:
        text = (await anybody.get(playlist_url)).text
    return sum(float(length) for length in re.findall(r"#EXTINF:([0-9.]+)", text))


async def test_a_viewer_who_leaves_costs_nothing_further(world: World, room: str) -> None:
    """The answer is given up in its middle, and the service goes on."""
    async with world.share(room):
        buffer = await world.wait_for_buffer(room, seconds=6)
        answer = await world.admin.get(f"/buffers/{buffer['id']}/replay.mp4", params={"last": "5"})
        url = urljoin(world.service.url, answer.headers["Location"])
        async with plain_client() as anybody:
            for _ in range(5):
                async with anybody.stream("GET", url) as begun:
                    assert begun.status_code == 200
                    await anext(begun.aiter_bytes())
            assert (await anybody.get(url)).status_code == 200
    assert "request_error" not in world.service.log(400)

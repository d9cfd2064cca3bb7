"""Odd windows, and media that changes on disk: what films, playlists and clips make of them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode, urljoin

import httpx
import pytest

from app.access.tokens import Caller
from app.captures import acceptance
from app.captures.requests import CaptureRequest
from app.context import Context
from app.models.schema import Capture, Pin, ReplayClip
from tests.integration.api.conftest import OWNER, SHARER, MakeShare
from tests.integration.buffer.shares import DiskShare
from tests.integration.captures.checking import work_on
from tests.media_factory import MediaFactory, Recording, Shape
from tests.packet_checker import Media, read_clip
from tests.plain_http import plain_client
from tests.serving import Running, serving
from tests.waiting import wait_for

FRAME = 1 / 15
HOLE = (4.6, 5.8)


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """10 s in 5 segments of 2 s, without pictures from 4.6 to 5.8 s."""
    return MediaFactory(tmp_path_factory.mktemp("recordings")).record(Shape(hole=HOLE))


def instants(share: DiskShare, start: float, end: float) -> dict[str, str]:
    times = [share.start + timedelta(seconds=seconds) for seconds in (start, end)]
    shown = [time.isoformat(timespec="milliseconds") for time in times]
    return dict(zip(("start", "end"), shown, strict=True))


def path_of(share: DiskShare, name: str, *window: float) -> str:
    return f"/buffers/{share.buffer_id}/{name}?{urlencode(instants(share, *window))}"


async def replayed(http: httpx.AsyncClient, made: DiskShare, folder: Path, *window: float) -> Media:
    """What replay.mp4 gives of a window."""
    found = await http.get(path_of(made, "replay.mp4", *window), headers=OWNER)
    assert found.status_code == 200, found.text
    assert found.headers["Content-Length"] == str(len(found.content))
    path = folder / "replay.mp4"
    path.write_bytes(found.content)
    return read_clip(path)


async def clipped(ctx: Context, made: DiskShare, *window: float) -> ReplayClip:
    """What a capture makes of it."""
    asked = {"buffer": made.buffer_id, "tail": "skip"} | instants(made, *window)
    request = CaptureRequest.model_validate(asked)
    row = await acceptance.accept(ctx, Caller(SHARER), request)
    await work_on(ctx, row["_id"])
    capture = await ctx.store.rows(Capture).find_one({"_id": row["_id"]})
    assert capture is not None
    assert capture["status"] == "ready", capture["detail"]
    clip = await ctx.store.rows(ReplayClip).find_one({"capture_id": row["_id"]})
    assert clip is not None
    return ReplayClip.model_validate_doc(dict(clip))


@pytest.mark.parametrize(
    ("window", "pictures", "seconds"),
    [
        pytest.param((1.0, 1.0 + FRAME), 1, FRAME, id="one frame"),
        pytest.param((2.0, 2.0 + FRAME), 1, FRAME, id="one frame, a key frame"),
        pytest.param((1.0, 1.001), 1, 0.001, id="a millisecond"),
        pytest.param((2.4, 3.2), 12, 0.8, id="start and end in one group of pictures"),
        pytest.param((5.0, 7.0), 18, 1.2, id="starting in a hole"),
        pytest.param((4.0, 5.0), 9, 0.6, id="ending in a hole"),
        pytest.param((4.8, 5.4), 1, 0.6, id="within a hole"),
        pytest.param((-5.0, 1.0), 15, 1.0, id="beginning before the buffer"),
        pytest.param((9.0, 14.0), 15, 1.0, id="ending after the buffer"),
    ],
)
async def test_an_odd_window_shows_what_there_is(
    http: httpx.AsyncClient,
    share: MakeShare,
    ctx: Context,
    tmp_path: Path,
    window: tuple[float, float],
    pictures: int,
    seconds: float,
) -> None:
    """Served and captured alike; its playlist has the segments that it lies in."""
    made = await share()
    film = await replayed(http, made, tmp_path, *window)
    shown = sum(not packet.hidden for packet in film.video)
    # Up to 3 pictures before the end may need one after it.
    assert pictures - 3 <= shown <= pictures
    assert shown
    clip = await clipped(ctx, made, *window)
    assert seconds - 0.21 <= clip.duration_seconds <= seconds + 0.05  # sound ends on its own grid
    assert clip.delivered_end is not None
    late = timedelta(seconds=window[1]) - (clip.delivered_end - made.start)
    assert late < timedelta(seconds=0.26) or "end-clamped" in clip.notes
    listed = (await http.get(path_of(made, "playlist.m3u8", *window), headers=OWNER)).text
    first, last = max(0, int(window[0] // 2)), min(4, int((window[1] - 0.0005) // 2))
    assert re.findall(r"-(\d+)\.m4s", listed) == [str(n) for n in range(first, last + 1)]


@pytest.mark.parametrize(
    ("window", "status"),
    [
        pytest.param((3.0, 3.0), 422, id="of no length"),
        pytest.param((4.0, 3.0), 422, id="backwards"),
        pytest.param((-60.0, -30.0), 422, id="before the share"),
        pytest.param((11.0, 12.0), 422, id="after the newest media"),
        pytest.param((5.0, 1000.0), 422, id="into the future"),
    ],
)
async def test_a_window_that_is_none_is_refused_everywhere(
    http: httpx.AsyncClient, share: MakeShare, window: tuple[float, float], status: int
) -> None:
    """By words that say what there is, never by half a film."""
    made = await share()
    for name in ("replay.mp4", "playlist.m3u8", "thumbnails.vtt", "poster.jpg", "waveform"):
        found = await http.get(path_of(made, name, *window), headers=OWNER)
        assert found.status_code == status, (name, found.text)
        assert found.json()["detail"]
    asked = {"buffer": made.buffer_id, "tail": "skip"} | instants(made, *window)
    refused = await http.post("/captures", json=asked, headers=OWNER)
    assert refused.status_code == status


@pytest.mark.parametrize("age", [640, 700])
async def test_a_window_that_was_there_and_is_too_old_is_gone(
    http: httpx.AsyncClient, share: MakeShare, age: float
) -> None:
    """As long as some of the share is offered, and afterwards."""
    made = await share(age=age)
    if age == 640:
        await made.change(clock_ns=int((made.start.timestamp() + 35) * 1e9))
    for name in ("replay.mp4", "playlist.m3u8", "thumbnails.vtt", "poster.jpg", "waveform"):
        found = await http.get(path_of(made, name, 0.5, 4), headers=OWNER)
        assert found.status_code == 410, (name, found.text)
        assert found.json()["type"] == "gone"


def _delete(path: Path) -> None:
    path.unlink()


def _shorten(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def _lengthen(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


def _alter(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


DAMAGES: list[Callable[[Path], None]] = [_delete, _shorten, _lengthen, _alter]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("planned", [False, True], ids=["at first", "after it was served"])
async def test_a_fragment_that_changed_on_disk_is_never_served(
    http: httpx.AsyncClient, share: MakeShare, damage: Callable[[Path], None], planned: bool
) -> None:
    """Neither within a film nor as a segment; the rest of the buffer is."""
    made = await share()
    film = path_of(made, "replay.mp4", 1, 5)
    url = f"http://replay.test{path_of(made, 'playlist.m3u8', 1, 5)}"
    segments = re.findall(r"^\.\./.*m4s.*$", (await http.get(url, headers=OWNER)).text, re.M)
    if planned:
        assert (await http.get(film, headers=OWNER)).status_code == 200
    damage(made.fragments / made.files("*.m4s")[1])
    for asked in (
        await http.get(film, headers=OWNER),
        await http.get(film, headers=OWNER | {"Range": "bytes=0-99"}),
        await http.get(urljoin(url, segments[1])),
    ):
        assert asked.status_code == 410, asked.text
        assert asked.json()["type"] == "gone"
    assert (await http.head(film, headers=OWNER)).status_code == 410
    assert (await http.get(urljoin(url, segments[0]))).status_code == 200
    assert (await http.get(path_of(made, "replay.mp4", 6, 8), headers=OWNER)).status_code == 200


@pytest.mark.parametrize("damage", DAMAGES)
async def test_an_init_segment_that_changed_on_disk_is_never_served(
    http: httpx.AsyncClient, share: MakeShare, damage: Callable[[Path], None]
) -> None:
    made = await share()
    url = f"http://replay.test{path_of(made, 'playlist.m3u8', 1, 5)}"
    text = (await http.get(url, headers=OWNER)).text
    damage(made.fragments / made.files("init-*")[0])
    (init,) = re.findall(r'URI="([^"]+)"', text)
    for asked in (
        await http.get(urljoin(url, init)),
        await http.get(path_of(made, "replay.mp4", 1, 5), headers=OWNER),
        await http.get(path_of(made, "poster.jpg", 1, 5), headers=OWNER),
    ):
        assert asked.status_code == 410, asked.text


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_film_whose_media_changes_while_it_is_sent_breaks_off(
    app: Running, share: MakeShare, damage: Callable[[Path], None]
) -> None:
    """The reader can tell that bytes are missing; never are there others in their place."""
    made = await share()
    async with (
        serving(app) as base,
        plain_client(base_url=base) as http,
    ):
        path = path_of(made, "replay.mp4", 0, 10)
        whole = (await http.get(path, headers=OWNER)).content
        async with http.stream("GET", path, headers=OWNER) as answer:
            assert answer.status_code == 200
            assert answer.headers["Content-Length"] == str(len(whole))
            damage(made.fragments / made.files("*.m4s")[-1])
            got = bytearray()
            with pytest.raises(httpx.RemoteProtocolError):
                await _read(answer, got)
            assert len(got) < len(whole)
            assert got == whole[: len(got)]


async def _read(answer: httpx.Response, into: bytearray) -> None:
    async for block in answer.aiter_bytes(1024):
        into += block


async def test_a_reader_who_goes_away_leaves_nothing_open(app: Running, share: MakeShare) -> None:
    """Of a hundred that break off, no descriptor stays."""
    made = await share()
    async with (
        serving(app) as base,
        plain_client(base_url=base) as http,
    ):
        path = path_of(made, "replay.mp4", 0, 10)
        assert (await http.get(path, headers=OWNER)).status_code == 200
        before = _open_fragments(made)
        for _ in range(100):
            async with http.stream("GET", path, headers=OWNER) as answer:
                async for _block in answer.aiter_bytes(100):
                    break
        await wait_for(lambda: _open_fragments(made) <= before, what="they are closed")


def _open_fragments(share: DiskShare) -> int:
    found = 0
    for link in list(Path("/proc/self/fd").iterdir()):
        try:
            found += str(link.readlink()).startswith(str(share.fragments))
        except FileNotFoundError:
            continue  # it was that of this listing
    return found


async def test_a_window_is_pinned_for_its_watcher_even_if_he_only_asks_for_the_head(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    made = await share()
    assert (await http.head(path_of(made, "replay.mp4", 1, 5), headers=OWNER)).status_code == 200
    pins = await ctx.store.rows(Pin).find({}).to_list(None)
    assert [pin["session_id"] for pin in pins] == [made.session_id]
    assert datetime.now(tz=pins[0]["until"].tzinfo) < pins[0]["until"]

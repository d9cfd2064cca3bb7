"""Posters, sprite sheets and their indexes, of buffers and of clips."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from app.access.tokens import Caller
from app.captures import acceptance
from app.captures.requests import CaptureRequest
from app.cleaning import erasure, part_erasure, strays
from app.cleaning.buffer_invariants import violations
from app.cleaning.removal import remove
from app.clips import clip_expiry, clip_thumbnails, library
from app.context import Context
from app.media import pictures
from app.models.schema import ReplayClip
from tests.integration.api.conftest import OWNER, SHARER, STRANGER, MakeShare, bearer, token
from tests.integration.buffer.shares import DiskShare, begin_share, indexing
from tests.integration.captures.checking import work_on
from tests.media_factory import MediaFactory, Recording, Shape, number_in

ANN = Caller(SHARER)
BASE = "http://replay.test"


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """10 s in 5 segments of 30 numbered pictures, 320x180."""
    shape = Shape(numbered=True, size=(320, 180))
    return MediaFactory(tmp_path_factory.mktemp("recordings")).record(shape)


def grey(jpeg: bytes) -> NDArray[np.uint8]:
    frame = pictures.from_jpeg(jpeg)
    return frame.to_ndarray()[: frame.height].astype(np.uint8)


@dataclass
class Shown:
    """A cue of an index: its times, and the number in its picture; None: it is black."""

    start: float
    end: float
    number: int | None


async def shown(http: httpx.AsyncClient, url: str, **asked: dict[str, str]) -> list[Shown]:
    """What an index shows, seen as a player does: it and the sheet that it names."""
    found = await http.get(url, **asked)  # type: ignore[arg-type]
    assert found.status_code == 200, found.text
    assert found.headers["Content-Type"].startswith("text/vtt")
    assert found.text.startswith("WEBVTT\n")
    cues = re.findall(r"([\d:.]+) --> ([\d:.]+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)\n", found.text)
    sheets: dict[str, NDArray[np.uint8]] = {}
    result = []
    for start, end, sheet, *place in cues:
        if sheet not in sheets:
            answer = await http.get(urljoin(urljoin(BASE, url), sheet))
            assert answer.status_code == 200, answer.text
            assert answer.headers["Content-Type"] == "image/jpeg"
            sheets[sheet] = grey(answer.content)
        x, y, width, height = map(int, place)
        tile = sheets[sheet][y : y + height, x : x + width]
        assert tile.shape == (height, width), "the place lies on the sheet"
        number = None if tile.max() < 40 else number_in(np.ascontiguousarray(tile))
        result.append(Shown(_seconds(start), _seconds(end), number))
    return result


def _seconds(text: str) -> float:
    hours, minutes, seconds = text.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def path_of(share: DiskShare, name: str) -> str:
    return f"/buffers/{share.buffer_id}/{name}"


def window(share: DiskShare, start: float, end: float) -> str:
    times = [share.start + timedelta(seconds=seconds) for seconds in (start, end)]
    names = zip(("start", "end"), times, strict=True)
    return urlencode({name: time.isoformat(timespec="milliseconds") for name, time in names})


async def test_a_buffers_index_finds_a_picture_for_each_segment(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    """Its URL is in the buffer's JSON, that of the sheet in the index; neither needs a token."""
    made = await share()
    told = (await http.get(f"/buffers/{made.buffer_id}", headers=OWNER)).json()
    cues = await shown(http, told["thumbnails"])
    assert [cue.number for cue in cues] == [0, 30, 60, 90, 120]
    assert [cue.start for cue in cues] == pytest.approx([0, 2, 4, 6, 8], abs=0.002)
    assert [cue.end for cue in cues] == pytest.approx([2, 4, 6, 8, 10], abs=0.002)


async def test_a_windows_index_tells_times_from_its_start(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    made = await share()
    url = f"{path_of(made, 'thumbnails.vtt')}?{window(made, 3, 7)}"
    cues = await shown(http, url, headers=OWNER)
    assert [cue.number for cue in cues] == [30, 60, 90]
    assert [cue.start for cue in cues] == pytest.approx([0, 1, 3], abs=0.002)
    text = (await http.get(url, headers=OWNER)).text
    (note,) = re.findall(r"^NOTE start (\S+)$", text, re.MULTILINE)
    begin = datetime.fromisoformat(note)
    assert abs(begin - made.start - timedelta(seconds=3)) < timedelta(milliseconds=2)


async def test_a_sheet_stays_as_its_index_says_while_the_buffer_moves_on(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """Segments that were deleted leave black tiles, and move nothing."""
    made = await share()
    url = f"{path_of(made, 'thumbnails.vtt')}?last=10"
    text = (await http.get(url, headers=OWNER)).text
    rows = await made.rows()
    assert await remove(ctx, rows[:2]) == 2
    (sheet,) = set(re.findall(r"^(\S+)#xywh", text, re.MULTILINE))
    found = grey((await http.get(urljoin(f"{BASE}{url}", sheet))).content)
    tiles = [np.ascontiguousarray(found[:, x : x + 160]) for x in range(0, 800, 160)]
    assert [tile.max() < 40 for tile in tiles] == [True, True, False, False, False]
    assert [number_in(tile) for tile in tiles[2:]] == [60, 90, 120]


async def test_tiles_lie_beside_their_segments_and_go_with_them(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """They are a known class of file: no violation, no stray; drawn again if somebody removes
    them."""
    made = await share()
    url = path_of(made, "thumbnails.vtt")
    first = await shown(http, url, headers=OWNER)
    assert made.files("*.jpg") == [f"{n:08d}.jpg" for n in range(5)]
    later = datetime.now(UTC) + timedelta(minutes=2)
    assert [each.detail async for each in violations(ctx, later)] == []
    then = time.time() - 7200
    for name in made.files("*.jpg"):
        os.utime(made.fragments / name, (then, then))
    assert (await strays.find(ctx, datetime.now(UTC))).unknown == ()
    (made.fragments / "00000001.jpg").unlink()
    assert await shown(http, url, headers=OWNER) == first
    await remove(ctx, (await made.rows())[:3])
    assert made.files("*.jpg") == ["00000003.jpg", "00000004.jpg"]


async def test_a_tile_without_its_segment_is_a_stray(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """Somebody was killed between the two; cleanup takes it when it is old enough."""
    made = await share()
    await shown(http, path_of(made, "thumbnails.vtt"), headers=OWNER)
    left = made.fragments / "00000009.jpg"
    left.write_bytes(b"left")
    later = datetime.now(UTC) + timedelta(minutes=2)
    assert [str(left) in each.detail async for each in violations(ctx, later)] == [True]
    then = time.time() - 7200
    os.utime(left, (then, then))
    assert (await strays.settle(ctx, datetime.now(UTC))).removed == 1
    assert not left.exists()


async def test_the_poster_is_the_newest_key_frame(
    http: httpx.AsyncClient, share: MakeShare, recording: Recording
) -> None:
    """At each look; a client that has it already is told so."""
    made = await share(age=12)
    told = (await http.get(f"/buffers/{made.buffer_id}", headers=OWNER)).json()
    found = await http.get(told["poster"])
    assert found.headers["Content-Type"] == "image/jpeg"
    assert found.headers["Cache-Control"] == "private, no-cache"
    assert number_in(grey(found.content)) == 120
    assert grey(found.content).shape == (180, 320)
    known = {"If-None-Match": found.headers["ETag"]}
    assert (await http.get(told["poster"], headers=known)).status_code == 304
    head = await http.head(told["poster"])
    assert head.headers["Content-Length"] == str(len(found.content))
    part = await http.get(told["poster"], headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.content) == (206, found.content[:10])
    made.media = recording
    segment = recording.segments[1]
    made.egress.commit(_shifted(segment.path, 8), segment.extinf_seconds)
    async with indexing(made.ctx):
        await made.indexed(6)
    again = await http.get(told["poster"], headers=known)
    assert again.status_code == 200
    assert number_in(grey(again.content)) == 30


def _shifted(path: Path, seconds: float) -> bytes:
    """A segment's bytes with its times moved."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-copyts", "-i", str(path), "-c", "copy"]
    command += ["-muxdelay", "0", "-muxpreload", "0", "-output_ts_offset", str(seconds)]
    command += ["-mpegts_flags", "+resend_headers", "-pes_payload_size", "0", "-f", "mpegts", "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout


async def test_the_poster_of_a_window_is_the_last_key_frame_in_it(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    made = await share()
    found = await http.get(f"{path_of(made, 'poster.jpg')}?{window(made, 1, 5)}", headers=OWNER)
    assert number_in(grey(found.content)) == 60


async def test_a_damaged_segment_gives_no_picture(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    """The poster is the one before; the sheet's tile stays black."""
    made = await share()
    (made.fragments / "00000004.m4s").write_bytes(b"gone")
    found = await http.get(path_of(made, "poster.jpg"), headers=OWNER)
    assert number_in(grey(found.content)) == 90
    cues = await shown(http, path_of(made, "thumbnails.vtt"), headers=OWNER)
    assert [cue.number for cue in cues] == [0, 30, 60, 90, None]


async def test_what_is_gone_is_gone(http: httpx.AsyncClient, share: MakeShare) -> None:
    """From the disk: no picture. Windows that are too old: told so, like those of the playlist."""
    made = await share()
    index = (await http.get(path_of(made, "thumbnails.vtt"), headers=OWNER)).text
    sheet = re.findall(r"^(\S+)#xywh", index, re.MULTILINE)[0]
    for name in made.files("*.m4s"):
        (made.fragments / name).unlink()
    url = urljoin(f"{BASE}{path_of(made, 'thumbnails.vtt')}", sheet)
    for answer in (
        await http.get(url),
        await http.get(path_of(made, "poster.jpg"), headers=OWNER),
    ):
        assert answer.status_code == 410
        assert answer.json()["type"] == "gone"


async def test_a_share_without_media_has_no_picture_yet(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    made = await share(age=700)
    for name in ("poster.jpg", "thumbnails.vtt"):
        found = await http.get(path_of(made, name), headers=OWNER)
        assert found.status_code == 409, found.text
        assert found.json()["type"] == "buffer-empty"


async def test_nothing_from_before_a_deletion_is_shown(
    http: httpx.AsyncClient, ctx: Context, recording: Recording
) -> None:
    """Not from memory, and not the first picture of a segment that reaches over that moment."""
    began = datetime.now(UTC) - timedelta(seconds=7)
    made = await begin_share(ctx, SHARER, began, recording)
    async with indexing(ctx):
        made.commit(3)
        await made.indexed(3)
    text = (await http.get(path_of(made, "thumbnails.vtt"), headers=OWNER)).text
    sheet = re.findall(r"^(\S+)#xywh", text, re.MULTILINE)[0]
    url = urljoin(f"{BASE}{path_of(made, 'thumbnails.vtt')}", sheet)
    assert (await http.get(url)).status_code == 200
    assert (await http.get(path_of(made, "poster.jpg"), headers=OWNER)).status_code == 200
    await erasure.promise(ctx.store, made.buffer_id, began + timedelta(seconds=7))
    assert not await erasure.erase(ctx, made.buffer_id)
    assert made.files("*.jpg") == []
    assert (await http.get(url)).status_code == 410
    async with indexing(ctx):
        made.commit(1)  # the seconds from 6 to 8
        await made.indexed(1)
        poster = await http.get(path_of(made, "poster.jpg"), headers=OWNER)
        assert poster.status_code == 409
        made.commit(1)
        await made.indexed(2)
        assert await erasure.erase(ctx, made.buffer_id)
    cues = await shown(http, path_of(made, "thumbnails.vtt"), headers=OWNER)
    assert [cue.number for cue in cues] == [120]
    poster = await http.get(path_of(made, "poster.jpg"), headers=OWNER)
    assert number_in(grey(poster.content)) == 120


async def test_of_a_part_that_is_to_go_no_picture_is_shown_though_all_is_there_still(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """Said to another process: no poster, no tile of a sheet that an index has named before."""
    made = await share()
    last = f"{path_of(made, 'poster.jpg')}?{window(made, 4, 10)}"
    assert number_in(grey((await http.get(last, headers=OWNER)).content)) == 120
    url = f"{path_of(made, 'thumbnails.vtt')}?{window(made, 0, 10)}"
    text = (await http.get(url, headers=OWNER)).text
    (sheet,) = set(re.findall(r"^(\S+)#xywh", text, re.MULTILINE))
    assert (await http.get(urljoin(f"{BASE}{url}", sheet))).status_code == 200
    begin, end = (made.start + timedelta(seconds=each) for each in (7, 9))
    await part_erasure.promise(ctx.store, made.buffer_id, begin, end)
    assert len(made.files("*.m4s")) == 5
    found = grey((await http.get(urljoin(f"{BASE}{url}", sheet))).content)
    tiles = [np.ascontiguousarray(found[:, x : x + 160]) for x in range(0, 800, 160)]
    assert [tile.max() < 40 for tile in tiles] == [False, False, False, True, True]
    assert [cue.number for cue in await shown(http, url, headers=OWNER)] == [0, 30, 60]
    assert number_in(grey((await http.get(last, headers=OWNER)).content)) == 60


@pytest.mark.parametrize(
    "change",
    [
        {"tiles": "x"},
        {"tiles": "{session}.0-320"},
        {"tiles": ""},
        {"every": "0"},
        {"width": "161"},
        {"height": "1000"},
        {"more": "1"},
    ],
)
async def test_a_sheet_that_no_index_names_is_refused(
    http: httpx.AsyncClient, share: MakeShare, change: dict[str, str]
) -> None:
    made = await share()
    query = {"tiles": f"{made.session_id}.0-4", "every": "1", "width": "160", "height": "90"}
    changed = {name: value.format(session=made.session_id) for name, value in change.items()}
    found = await http.get(
        f"{path_of(made, 'thumbnails.jpg')}?{urlencode(query | changed)}", headers=OWNER
    )
    assert found.status_code == 422, found.text


async def test_a_sheet_has_the_size_that_its_index_names(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    """Every other one would be drawn anew; who asks for it is told which there are."""
    made = await share()
    query = {"tiles": f"{made.session_id}.0-4", "every": "1", "width": "80", "height": "44"}
    url = path_of(made, "thumbnails.jpg")
    found = await http.get(f"{url}?{urlencode(query)}", headers=OWNER)
    assert found.status_code == 422, found.text
    assert (found.json()["type"], found.json()["sizes"]) == ("invalid", [[160, 90]])
    query |= {"width": "160", "height": "90"}
    assert (await http.get(f"{url}?{urlencode(query)}", headers=OWNER)).status_code == 200


async def test_who_asks_for_many_sheets_keeps_nobody_else_waiting(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    made, others = await share(), await share("bob")
    size = "every=1&width=160&height=90"
    stripe = f"{made.session_id}.0-4"
    many = [
        asyncio.create_task(
            http.get(
                f"{path_of(made, 'thumbnails.jpg')}?tiles={','.join([stripe] * count)}&{size}",
                headers=OWNER,
            )
        )
        for count in range(1, 9)
    ]
    await asyncio.wait(many, return_when=asyncio.FIRST_COMPLETED)
    url = f"{path_of(others, 'thumbnails.jpg')}?tiles={others.session_id}.0-4&{size}"
    before = sum(task.done() for task in many)
    found = await http.get(url, headers=bearer(token("bob")))
    assert found.status_code == 200, found.text
    assert sum(task.done() for task in many) <= before + 2, "the one drawn then, and the next"
    assert [(await task).status_code for task in many] == [200] * 8


async def test_a_sheet_shows_nothing_of_another_share(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    """A buffer that one may see is no way into another."""
    mine, theirs = await share(), await share("bob")
    query = {"tiles": f"{theirs.session_id}.0-4", "every": "1", "width": "160", "height": "90"}
    found = await http.get(f"{path_of(mine, 'thumbnails.jpg')}?{urlencode(query)}", headers=OWNER)
    assert found.status_code == 410


async def clip_of(ctx: Context, made: DiskShare, start: float, end: float) -> ReplayClip:
    """A clip of the seconds [start, end) of a share."""
    query = {name: values[0] for name, values in parse_qs(window(made, start, end)).items()}
    request = CaptureRequest.model_validate({"buffer": made.buffer_id} | query)
    row = await acceptance.accept(ctx, ANN, request)
    await work_on(ctx, row["_id"])
    found = await ctx.store.rows(ReplayClip).find_one({"_id": row["clip_id"]})
    assert found is not None
    return ReplayClip.model_validate_doc(dict(found))


async def test_a_clips_pictures_are_of_what_it_shows(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """The key frame that its edit list hides is not among them."""
    clip = await clip_of(ctx, await share(), 3, 9)
    told = (await http.get(f"/clips/{clip.id}", headers=OWNER)).json()
    cues = await shown(http, told["thumbnails"])
    assert [cue.number for cue in cues] == [60, 90, 120]
    assert [cue.start for cue in cues] == pytest.approx([0, 3, 5], abs=0.07)
    assert cues[-1].end == pytest.approx(clip.duration_seconds, abs=0.05)
    poster = await http.get(told["poster"])
    assert number_in(grey(poster.content)) == 60


async def test_a_clip_within_one_group_of_pictures_has_its_first_one(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    clip = await clip_of(ctx, await share(), 2.6, 3.4)
    told = (await http.get(f"/clips/{clip.id}", headers=OWNER)).json()
    (cue,) = await shown(http, told["thumbnails"])
    assert cue.number == 39
    assert number_in(grey((await http.get(told["poster"])).content)) == 39


async def test_a_clips_pictures_are_made_once_and_kept(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """Served with ranges and an ETag that stays."""
    clip = await clip_of(ctx, await share(), 0, 10)
    folder = ctx.settings.media_root / "thumbnails" / clip.id
    for name in ("poster.jpg", "thumbnails.jpg"):
        url = f"/clips/{clip.id}/{name}"
        first = await http.get(url, headers=OWNER)
        assert first.status_code == 200, first.text
        assert (await http.get(url, headers=OWNER)).headers["ETag"] == first.headers["ETag"]
        part = await http.get(url, headers=OWNER | {"Range": "bytes=-7"})
        assert (part.status_code, part.content) == (206, first.content[-7:])
        head = await http.head(url, headers=OWNER)
        assert head.headers["Content-Length"] == str(len(first.content))
    assert sorted(path.name for path in folder.iterdir()) == ["poster.jpg", "sheet.jpg"]


async def test_a_clips_pictures_go_with_it(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """Hidden at once, removed with the file, and not made again."""
    clip = await clip_of(ctx, await share(), 0, 10)
    told = (await http.get(f"/clips/{clip.id}", headers=OWNER)).json()
    assert (await http.get(told["poster"])).status_code == 200
    await library.delete(ctx, ANN, clip.id)
    for url in (told["poster"], told["thumbnails"]):
        assert (await http.get(url)).status_code == 410
    await ctx.store.rows(ReplayClip).update_one(
        {"_id": clip.id}, {"$set": {"deleted_at": datetime.now(UTC) - timedelta(minutes=2)}}
    )
    await clip_expiry.sweep_clips(ctx)
    assert list((ctx.settings.media_root / "thumbnails").iterdir()) == []
    assert (await http.get(told["poster"])).status_code == 404


async def test_pictures_of_clips_that_are_gone_are_swept(ctx: Context, share: MakeShare) -> None:
    """Whoever made them was killed before he saw that the clip had gone; others stay."""
    clip = await clip_of(ctx, await share(), 0, 4)
    root = ctx.settings.media_root / "thumbnails"
    for name in (clip.id, "0" * 24, "1" * 24):
        (root / name).mkdir(parents=True)
        (root / name / "poster.jpg").write_bytes(b"x")
        then = time.time() - (7200 if name[0] != "1" else 0)
        os.utime(root / name, (then, then))
    await clip_thumbnails.sweep(ctx)
    assert {path.name for path in root.iterdir()} == {clip.id, "1" * 24}
    shutil.rmtree(root)
    await clip_thumbnails.sweep(ctx)


async def test_a_clip_whose_file_is_lost_has_no_picture(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    clip = await clip_of(ctx, await share(), 0, 4)
    (path,) = (ctx.settings.media_root / "replays").rglob("*.mp4")
    path.write_bytes(b"not a movie")
    for name in ("poster.jpg", "thumbnails.vtt", "thumbnails.jpg"):
        found = await http.get(f"/clips/{clip.id}/{name}", headers=OWNER)
        assert found.status_code == 410
    path.unlink()
    for name in ("poster.jpg", "thumbnails.vtt", "thumbnails.jpg"):
        found = await http.get(f"/clips/{clip.id}/{name}", headers=OWNER)
        assert found.status_code == 410
        assert str(ctx.settings.media_root) not in found.text


async def test_a_clips_pictures_are_its_readers_alone(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """A stranger is told what he would be told of no clip; a signature is for one picture."""
    clip = await clip_of(ctx, await share(), 0, 4)
    told = (await http.get(f"/clips/{clip.id}", headers=OWNER)).json()
    for name in ("poster.jpg", "thumbnails.vtt", "thumbnails.jpg"):
        theirs = await http.get(f"/clips/{clip.id}/{name}", headers=STRANGER)
        nobodys = await http.get(f"/clips/{'0' * 24}/{name}", headers=STRANGER)
        assert theirs.status_code == nobodys.status_code == 404
        assert theirs.json()["type"] == nobodys.json()["type"]
        odd = f"/clips/{clip.id}/{name}?grant={'1' * 5000}"
        assert (await http.get(odd)).status_code == 401
        assert (await http.get(odd, headers=OWNER)).status_code == 200
    other = urlsplit(told["poster"])._replace(path=f"/clips/{clip.id}/thumbnails.jpg").geturl()
    assert (await http.get(other)).status_code == 401

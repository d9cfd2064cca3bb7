"""GET /buffers/{id}/replay.mp4: the window as one MP4 that nobody wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx
import pytest

from app.cleaning import erasure, part_erasure
from app.context import Context
from app.errors import Gone
from app.models.schema import Buffer, Pin, Segment
from app.viewing import served_movies, watched_windows
from app.viewing.watched_windows import Watch, Watcher
from tests.integration.api.conftest import OWNER, STRANGER, MakeShare, bearer, client_in, token
from tests.integration.buffer.shares import DiskShare
from tests.packet_checker import read_clip
from tests.serving import Running


def path_of(share: DiskShare) -> str:
    return f"/buffers/{share.buffer_id}/replay.mp4"


def window(share: DiskShare, start: float, end: float) -> str:
    """The query of the seconds [start, end) after the share's start."""
    times = [share.start + timedelta(seconds=seconds) for seconds in (start, end)]
    names = zip(("start", "end"), times, strict=True)
    return urlencode({name: time.isoformat(timespec="milliseconds") for name, time in names})


async def test_the_window_is_an_mp4_that_shows_it(
    http: httpx.AsyncClient, share: MakeShare, tmp_path: Path
) -> None:
    made = await share()
    found = await http.get(f"{path_of(made)}?{window(made, 3, 8)}", headers=OWNER)
    assert found.status_code == 200, found.text
    assert found.headers["Content-Type"] == "video/mp4"
    assert found.headers["Content-Length"] == str(len(found.content))
    path = tmp_path / "replay.mp4"
    path.write_bytes(found.content)
    clip = read_clip(path)
    assert sum(not packet.hidden for packet in clip.video) == 5 * 15


async def test_last_leads_to_the_same_window_by_start_and_end(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    made = await share()
    found = await http.get(f"{path_of(made)}?last=5", headers=OWNER)
    assert found.status_code == 307
    location = found.headers["Location"]
    query = parse_qs(urlsplit(location).query)
    start, end = (datetime.fromisoformat(query[name][0]) for name in ("start", "end"))
    assert end - start == timedelta(seconds=5)
    assert abs(end - made.start - timedelta(seconds=20)) < timedelta(milliseconds=2)
    bare = await http.get(location)
    assert bare.status_code == 200
    by_hand = await http.get(
        f"{path_of(made)}?{urlencode({'start': query['start'][0], 'end': query['end'][0]})}",
        headers=OWNER,
    )
    assert by_hand.content == bare.content
    assert by_hand.headers["ETag"] == bare.headers["ETag"]


@pytest.mark.edge("what players need")
async def test_ranges_put_together_are_the_whole(http: httpx.AsyncClient, share: MakeShare) -> None:
    made = await share()
    url = f"{path_of(made)}?{window(made, 1, 9)}"
    whole = (await http.get(url, headers=OWNER)).content
    head = await http.head(url, headers=OWNER)
    assert head.headers["Content-Length"] == str(len(whole))
    assert head.content == b""
    etag = head.headers["ETag"]
    parts = b""
    step = len(whole) // 7
    for begin in range(0, len(whole), step):
        asked = {"Range": f"bytes={begin}-{begin + step - 1}", "If-Range": etag} | OWNER
        part = await http.get(url, headers=asked)
        assert part.status_code == 206
        parts += part.content
    assert parts == whole
    assert (await http.get(url, headers=OWNER | {"If-None-Match": etag})).status_code == 304
    beyond = await http.get(url, headers=OWNER | {"Range": f"bytes={len(whole)}-"})
    assert beyond.status_code == 416


@pytest.mark.parametrize("prefix", ["", "/deep/er"])
async def test_what_a_film_leads_to_lies_behind_the_same_prefix(
    http: httpx.AsyncClient, share: MakeShare, prefix: str
) -> None:
    """Which a proxy takes away before we see the path."""
    made = await share()
    asked = f"https://replay.test{prefix}{path_of(made)}"
    led = await http.get(f"{path_of(made)}?last=5", headers=OWNER)
    film = await http.head(f"{path_of(made)}?{window(made, 2, 6)}", headers=OWNER)
    for told in (led.headers["Location"], film.headers["Content-Location"]):
        split = urlsplit(urljoin(asked, told))
        assert split.path == f"{prefix}/v1{path_of(made).removeprefix('/v1')}"
        again = split.path.removeprefix(prefix)
        assert (await http.head(f"{again}?{split.query}")).status_code == 200


async def test_a_signed_url_opens_its_window_and_no_other(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    made = await share()
    found = await http.head(f"{path_of(made)}?{window(made, 2, 6)}", headers=OWNER)
    url = found.headers["Content-Location"]
    assert (await http.head(url)).status_code == 200
    split = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(split.query).items()}
    longer = query | {"end": (made.start + timedelta(seconds=9)).isoformat()}
    for altered in (longer, query | {"holder": "x"}, query | {"exp": "99999999999"}):
        assert (await http.head(f"{split.path}?{urlencode(altered)}")).status_code == 401
    without = {name: value for name, value in query.items() if name != "sig"}
    assert (await http.head(f"{split.path}?{urlencode(without)}")).status_code == 401


async def test_a_window_that_is_watched_outlives_the_retention(
    app: Running, http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """Its pins cover it, each look renews them, and its URL goes on giving the same bytes."""
    made = await share()
    found = await http.head(f"{path_of(made)}?{window(made, 2, 6)}", headers=OWNER)
    url = found.headers["Content-Location"]
    pins = await ctx.store.rows(Pin).find({}).to_list(None)
    assert {pin["session_id"] for pin in pins} == {made.session_id}
    (pin,) = pins
    assert pin["start_ticks"] <= 2 * 90_000 + 90
    assert pin["end_ticks"] is not None
    assert pin["end_ticks"] >= 6 * 90_000 - 90
    lapsing = datetime.now(UTC) + timedelta(seconds=20)
    await ctx.store.rows(Pin).update_many({}, {"$set": {"until": lapsing}})
    # Another process is asked: it knows the window by its pins alone.
    late = datetime.now(UTC) + timedelta(hours=1)
    await ctx.store.rows(Buffer).update_one({"_id": made.buffer_id}, {"$set": {"ended_at": late}})
    app.state["web"].replays._planned.clear()
    assert (await http.head(url)).headers["ETag"] == found.headers["ETag"]
    renewed = await ctx.store.rows(Pin).distinct("until")
    assert max(renewed) > lapsing + timedelta(seconds=60)


async def test_who_goes_on_watching_a_window_keeps_it_until_all_of_it_could_be_watched(
    app: Running, share: MakeShare, ctx: Context
) -> None:
    """A lease longer than its end is kept anyway, however often it is asked for."""
    made = await share()
    begin, end = (made.start + timedelta(seconds=seconds) for seconds in (2, 6))
    watch = served_movies.named(Watcher("watcher"), made.buffer_id, begin, end, None)
    over = watch.end + ctx.settings.retention + watched_windows.LEASE
    replays = app.state["web"].replays
    now = datetime.now(UTC)
    while now < over:
        await replays.of(watch, now)
        now += watched_windows.LEASE / 2
    assert await ctx.store.rows(Pin).distinct("until") == [over]
    for instant in (over, now):
        with pytest.raises(Gone):
            await replays.of(watch, instant)


async def test_a_watcher_keeps_so_many_windows_and_no_more(ctx: Context, share: MakeShare) -> None:
    made = await share()
    now = datetime.now(UTC)
    span = {"session_id": made.session_id, "start_ticks": 0, "end_ticks": 90_000}
    for number in range(watched_windows.WINDOWS + 3):
        watch = Watch(
            Watcher("watcher"),
            made.buffer_id,
            made.start,
            made.start + timedelta(seconds=number + 1),
        )
        await watched_windows.begin(ctx.store, watch, [span], now + timedelta(seconds=number))  # type: ignore[list-item]
    end = made.start + timedelta(seconds=1)
    other = Watch(Watcher("watcher2"), made.buffer_id, made.start, end)
    await watched_windows.begin(ctx.store, other, [span], now)  # type: ignore[list-item]
    owners = set(await ctx.store.rows(Pin).distinct("owner"))
    assert len(owners) == watched_windows.WINDOWS + 1
    assert other.owner in owners
    assert watch.owner in owners


async def test_whoever_has_a_url_releases_no_window_that_others_watch(
    app: Running, http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """Neither what its owner watches by token, nor what they watch by URLs at their own address."""
    made = await share()
    urls = []
    for number in range(watched_windows.WINDOWS + 3):
        asked = f"{path_of(made)}?{window(made, 1, 3 + number / 10)}"
        urls.append((await http.head(asked, headers=OWNER)).headers["Content-Location"])
    led = (await http.get(f"{path_of(made)}?last=5", headers=OWNER)).headers["Location"]
    assert (await http.head(led)).status_code == 200
    watched = set(await ctx.store.rows(Pin).distinct("owner"))
    strange = client_in(app, "192.0.2.7")
    for url in urls:
        assert (await strange.head(url)).status_code == 200
    owners = set(await ctx.store.rows(Pin).distinct("owner"))
    assert watched <= owners
    theirs = [owner for owner in owners if owner.endswith(" 192.0.2.7")]
    assert len(theirs) == watched_windows.WINDOWS


async def test_a_film_goes_on_from_another_address_when_its_media_is_old(
    app: Running, http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """What its watcher has kept so far is kept for the new address, too."""
    made = await share()
    asked = f"{path_of(made)}?{window(made, 2, 6)}"
    url = (await http.head(asked, headers=OWNER)).headers["Content-Location"]
    kept = await ctx.store.rows(Pin).find({}).to_list(None)
    await ctx.store.rows(Buffer).delete_one({"_id": made.buffer_id})  # no window is resolved
    assert (await client_in(app, "192.0.2.8").head(url)).status_code == 200
    pins = await ctx.store.rows(Pin).find({"owner": {"$regex": " 192.0.2.8$"}}).to_list(None)
    assert [row["start_ticks"] for row in pins] == [row["start_ticks"] for row in kept]


@pytest.mark.parametrize("what", ["file", "rows"])
async def test_a_window_whose_media_went_is_gone(
    app: Running, http: httpx.AsyncClient, share: MakeShare, ctx: Context, what: str
) -> None:
    made = await share()
    url = (await http.get(f"{path_of(made)}?last=5", headers=OWNER)).headers["Location"]
    assert (await http.head(url)).status_code == 200
    if what == "file":
        (made.fragments / made.files("*.m4s")[-1]).unlink()
    else:
        await ctx.store.rows(Segment).delete_many({"session_id": made.session_id})
        await ctx.store.rows(Pin).delete_many({})
        app.state["web"].replays._planned.clear()
    gone = await http.get(url)
    assert gone.status_code == 410
    assert gone.json()["type"] == "gone"


@pytest.mark.parametrize("all_of_it", [False, True])
async def test_a_movie_that_is_watched_ends_with_the_word_that_a_part_of_it_is_to_go(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context, all_of_it: bool
) -> None:
    """Said to another process, while rows, pins and files are there still."""
    made = await share()
    asked = f"{path_of(made)}?{window(made, 2, 9)}"
    whole = await http.get(asked, headers=OWNER)
    other = f"{path_of(made)}?{window(made, 14, 18)}"
    signed, beside = whole.headers["Content-Location"], await http.get(other, headers=OWNER)
    if all_of_it:
        await erasure.promise(ctx.store, made.buffer_id, made.start + timedelta(seconds=7.5))
    else:
        begin, end = (made.start + timedelta(seconds=each) for each in (7, 7.5))
        await part_erasure.promise(ctx.store, made.buffer_id, begin, end)
    assert (await http.get(signed)).status_code == 410
    left = await http.get(asked, headers=OWNER)
    assert left.status_code == 200, left.text  # from 8 s on, and of a part what is before 6 s
    assert len(left.content) < len(whole.content)
    assert left.headers["ETag"] != whole.headers["ETag"]
    again = await http.get(other, headers=OWNER)
    assert again.headers["ETag"] == beside.headers["ETag"]


async def test_what_is_asked_wrongly_is_told(http: httpx.AsyncClient, share: MakeShare) -> None:
    made = await share()
    now = datetime.now(UTC)
    old = {"start": "2020-01-01T00:00:00Z", "end": "2020-01-01T00:01:00Z"}
    future = {"start": now.isoformat(), "end": (now + timedelta(minutes=1)).isoformat()}
    for query, status in (
        ("", 422),
        ("last=0", 422),
        ("last=-5", 422),
        ("last=nan", 422),
        ("last=abc", 422),
        ("last=1e400", 422),
        ("last=601", 413),
        ("start=2026-01-01T00:00:00Z", 422),
        (f"last=5&{window(made, 1, 2)}", 422),
        (window(made, 5, 5), 422),
        (window(made, 6, 5), 422),
        (urlencode(old), 422),
        (urlencode(future), 422),
        ("start=5&end=6", 422),
        ("start=9999-12-31T23:59:59-23:59&end=9999-12-31T23:59:59Z", 422),
        ("last=5&v=abc", 422),
        ("last=5&nonsense=1", 422),
    ):
        found = await http.get(f"{path_of(made)}?{query}", headers=OWNER)
        assert found.status_code == status, (query, found.text)
        assert found.json()["detail"]


async def test_a_stranger_is_told_the_same_as_of_a_buffer_that_is_not_there(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    made = await share()
    theirs = await http.get(f"{path_of(made)}?last=5", headers=STRANGER)
    nobodys = await http.get(f"/buffers/{'0' * 24}/replay.mp4?last=5", headers=STRANGER)
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json() == nobodys.json()
    elsewhere = bearer(token("ann", room="other"))
    assert (await http.get(f"{path_of(made)}?last=5", headers=elsewhere)).status_code == 404

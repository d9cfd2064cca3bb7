"""The database that the rows live in, whichever MONGO_URL names."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import bson
import pymongo.lock
import pytest
from bson.datetime_ms import DatetimeMS
from pymongo import ReadPreference
from pymongo.errors import ConnectionFailure

from app.context import Context
from app.errors import Invalid
from app.models import Row, schema
from app.models.keyset import Order
from app.models.schema import Pin
from app.processes.free_ports import unused_port
from app.store import Change, KeyTaken, Store, first, insertion
from tests.chaos.link import Link, to_port
from tests.integration.queued import redis_of
from tests.waiting import PATIENCE_SECONDS


async def test_a_row_whose_id_is_taken_is_refused_unchanged(ctx: Context) -> None:
    until = datetime(2026, 1, 2, tzinfo=UTC)
    assert await ctx.store.create(
        Pin(id="p", owner="a", session_id="s", start_ticks=0, until=until)
    )
    assert not await ctx.store.create(
        Pin(id="p", owner="b", session_id="s", start_ticks=0, until=until)
    )
    row = await ctx.store.rows(Pin).find_one({"_id": "p"})
    assert row is not None
    assert row["owner"] == "a"
    assert row["until"] == until  # aware, UTC


async def test_the_first_none_of_rows_are_none(ctx: Context) -> None:
    """As many as there may be of an empty list, or as are left of a page that is full."""
    until = datetime(2026, 1, 2, tzinfo=UTC)
    for owner in "ab":
        await ctx.store.create(
            Pin(id=owner, owner=owner, session_id="s", start_ticks=0, until=until)
        )
    found = [await first(ctx.store.rows(Pin).find({}), count) for count in (-1, 0, 1, 2, 3)]
    assert [len(rows) for rows in found] == [0, 0, 1, 2, 2]


async def test_who_has_just_written_reads_it_whatever_the_url_prefers() -> None:
    """Secondaries, which URLs of managed databases name, are behind. Writes go as the URL says."""
    prefers = "readPreference=secondaryPreferred&maxStalenessSeconds=90&readPreferenceTags=dc:ny"
    store = Store(f"mongodb://127.0.0.1:9/replay?{prefers}&w=majority")
    try:
        assert store.rows(Pin).read_preference == ReadPreference.PRIMARY
        assert store.rows(Pin).write_concern.document == {"w": "majority"}
    finally:
        await store.close()


async def test_every_test_starts_with_an_empty_database_and_queue(ctx: Context) -> None:
    assert await ctx.store.rows(Pin).find_one({}) is None
    async with redis_of(ctx) as redis:
        assert await redis.dbsize() == 0


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_pages_leave_no_row_out_and_tell_none_twice(
    ctx: Context, newest_first: bool, limit: int
) -> None:
    """Also of rows of one instant, and when the row that a page ended with has gone."""
    noon = datetime(2026, 1, 2, 12, tzinfo=UTC)
    rows = [(noon + timedelta(seconds=second), f"{second}{letter}")
            for second in range(3) for letter in "abc"]  # fmt: skip
    for until, pin_id in rows:
        await ctx.store.create(
            Pin(id=pin_id, owner="a", session_id="s", start_ticks=0, until=until)
        )
    order = Order("until", newest_first=newest_first)
    wanted = [pin_id for _, pin_id in sorted(rows, reverse=newest_first)][:-3]
    bounds: dict[str, Any] = {"since": rows[3][0]} if newest_first else {"until": rows[6][0]}
    found: list[str] = []
    after = None
    while True:
        page = await ctx.store.page(Pin, order, {"owner": "a"}, limit=limit, after=after, **bounds)
        found += [row["_id"] for row in page.items]
        after = page.next
        if after is None:
            break
        await ctx.store.rows(Pin).delete_one({"_id": found[-1]})
    assert found == wanted
    with pytest.raises(Invalid):
        await ctx.store.page(Pin, order, {}, limit=limit, after="x")


async def test_a_row_is_taken_by_one_of_those_who_have_read_it(ctx: Context) -> None:
    until = datetime(2026, 1, 2, tzinfo=UTC)
    await ctx.store.create(Pin(id="p", owner="a", session_id="s", start_ticks=0, until=until))
    row = await ctx.store.rows(Pin).find_one({"_id": "p"})
    assert row is not None
    taken = await ctx.store.take(Pin, row, {"owner": "b"})
    assert taken is not None
    assert taken["owner"] == "b"
    assert taken == await ctx.store.rows(Pin).find_one({"_id": "p"})
    assert await ctx.store.take(Pin, row, {"owner": "c"}) is None  # too late
    assert await ctx.store.take(Pin, taken, {"owner": "c"}, session_id="other") is None
    assert await ctx.store.take(Pin, taken, {"owner": "c"}, session_id="s") is not None


async def test_questions_that_are_cancelled_twice_are_in_nobodys_way() -> None:
    """Such as one whose asker leaves when its time is over: while the database is away."""
    store = Store("mongodb://127.0.0.1:9/away")
    asking = [asyncio.create_task(store.probe()) for _ in range(20)]
    answered, _ = await asyncio.wait(asking, timeout=0.5)
    assert not answered
    for _ in range(2):
        for question in asking:
            question.cancel()
        await asyncio.sleep(0)
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert {type(each) for each in found} == {asyncio.CancelledError}
    await asyncio.wait_for(store.close(), PATIENCE_SECONDS)


async def test_a_task_that_is_told_to_end_ends_whatever_it_waits_for() -> None:
    """The answer may come with the cancellation: neither is lost, as when a process ends."""
    loop = asyncio.get_running_loop()
    for wait_for in (asyncio.wait_for, pymongo.lock.wait_for):  # type: ignore[attr-defined]
        answer: asyncio.Future[int] = loop.create_future()
        asking = loop.create_task(wait_for(answer, PATIENCE_SECONDS))
        await asyncio.sleep(0)
        answer.set_result(1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await wait_for(answer, PATIENCE_SECONDS) == 1


TOO_LATE, TOO_EARLY = DatetimeMS(2**62), DatetimeMS(-(2**62))


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (bson.encode({"v": TOO_LATE}), datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
        (bson.encode({"v": TOO_EARLY}), datetime(1, 1, 1, tzinfo=UTC)),
        (bson.encode({"v": "a??z"}).replace(b"??", b"\xff\xfe"), "a\ufffd\ufffdz"),
    ],
    ids=["after the year 9999", "before the year 1", "not UTF-8"],
)
async def test_what_python_can_not_hold_is_read_as_the_nearest_that_it_can(
    ctx: Context, data: bytes, read: object
) -> None:
    """The bytes are as a database may give them; the embedded one refuses such dates."""
    assert bson.decode(data, ctx.store.database.codec_options) == {"v": read}


def _of_room(name: str, which: Row, *, or_new: bool = False) -> Change:
    return Change(schema.Room, {"$set": {"name": name}}, which, or_new)


@pytest.mark.parametrize("together", [True, False])
async def test_changes_are_made_in_their_order_up_to_the_first_that_meets_a_key(
    ctx: Context, together: bool
) -> None:
    """Of rows of several collections; each says whether it has found its row."""
    ctx.store._writes_together = together
    track: dict[str, Any] = {
        "room_sid": "RM", "room": "r", "participant_sid": "PA", "identity": "ann", "video": True,
    }  # fmt: skip
    found = await ctx.store.write(
        insertion(schema.Room.model_validate({"sid": "RM"})),
        insertion(schema.Track(sid="TR", **track)),
        _of_room("first", {"_id": "RM", "name": ""}),
        _of_room("never", {"_id": "RM", "name": ""}),
        _of_room("made", {"_id": "RM_2"}, or_new=True),
        _of_room("changed", {"_id": "RM_2"}, or_new=True),
    )
    assert found == [True, True, True, False, True, True]
    with pytest.raises(KeyTaken) as met:
        await ctx.store.write(
            _of_room("second", {"_id": "RM"}),
            _of_room("third", {"_id": "RM", "name": "first"}, or_new=True),
            insertion(schema.Track(sid="TR_2", **track)),
        )
    assert met.value.place == 1
    with pytest.raises(KeyTaken) as met:
        await ctx.store.write(insertion(schema.Room.model_validate({"sid": "RM"})))
    assert met.value.place == 0
    rooms = {row["_id"]: row["name"] async for row in ctx.store.rows(schema.Room).find()}
    assert rooms == {"RM": "second", "RM_2": "changed"}
    assert await ctx.store.rows(schema.Track).distinct("_id") == ["TR"]
    assert await ctx.store.write() == []


async def test_a_database_that_goes_away_is_told_as_by_any_other_command(ctx: Context) -> None:
    """By ConnectionFailure, which tells that from a row that can't be written."""
    url = urlsplit(ctx.settings.mongo_url)
    assert url.port is not None
    async with Link(to_port(url.port)).served(unused_port()) as link:
        through = url.netloc.replace(f":{url.port}", f":{link.port}")
        store = Store(urlunsplit(url._replace(netloc=through)))
        changes = [_of_room("r", {"_id": sid}, or_new=True) for sid in ("RM_1", "RM_2")]
        assert await store.write(*changes) == [True, True]
        link.cut()
        with pytest.raises(ConnectionFailure):
            await store.write(*changes)
        await store.close()

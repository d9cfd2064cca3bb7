"""GET /buffers/events: what becomes of the buffers, to each caller what is theirs to see."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest_asyncio

from app.access import communities
from app.context import Context
from app.main import create_app
from app.models.schema import Buffer, Segment
from app.settings import Settings
from handlers import router
from tests.integration.api.conftest import (
    INSTANCE_ADMIN,
    OWNER,
    ROOM_ADMIN,
    STRANGER,
    MakeShare,
    bearer,
    token,
)
from tests.plain_http import plain_client
from tests.rows import PartOfRow
from tests.serving import Running, running, serving
from tests.waiting import PATIENCE_SECONDS

Event = tuple[str, dict[str, Any]]


class Stream:
    """The events of one caller, as they come."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def event(self) -> Event | None:
        """The next event; None at the end of the stream."""
        return await asyncio.wait_for(self._event(), PATIENCE_SECONDS)

    async def _event(self) -> Event | None:
        name = ""
        async for line in self._lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                return name, json.loads(line.removeprefix("data: "))
        return None

    async def until(self, wanted: str, buffer_id: str, **members: object) -> dict[str, Any]:
        """The next event of a buffer that has these members, whatever comes before."""
        while (found := await self.event()) is not None:
            name, data = found
            if name == wanted and {"id": buffer_id, **members}.items() <= data.items():
                return data
        raise AssertionError(f"the stream ended without {wanted} of {buffer_id}")

    async def snapshot(self) -> list[dict[str, Any]]:
        first = await self.event()
        assert first is not None
        assert first[0] == "snapshot"
        items: list[dict[str, Any]] = first[1]["items"]
        return items


@asynccontextmanager
async def listening(url: str, headers: dict[str, str], query: str = "") -> AsyncIterator[Stream]:
    async with (
        plain_client(base_url=url) as client,
        client.stream("GET", f"/buffers/events{query}", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer.aiter_lines())


@pytest_asyncio.fixture
async def url(app: Running) -> AsyncIterator[str]:
    async with serving(app) as found:
        yield found


async def change(ctx: Context, buffer_id: str, **fields: object) -> None:
    await ctx.store.rows(Buffer).update_one({"_id": buffer_id}, {"$set": fields})


async def test_a_share_is_followed_from_what_there_is_to_its_end(
    url: str, http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    """Told as GET /buffers tells it; a new segment, a reason, a new share and the end of one."""
    made = await share()
    async with listening(url, OWNER) as stream:
        listed = (await http.get("/buffers", headers=OWNER)).json()["items"]
        assert await stream.snapshot() == listed
        rows = await made.rows()
        last = rows[-1]
        later = timedelta(seconds=2)
        copy: PartOfRow = last | {
            "_id": f"{made.session_id}:{last['sequence'] + 1}",
            "sequence": last["sequence"] + 1,
            "start": last["end"],
            "end": last["end"] + later,
            "start_ticks": last["end_ticks"],
            "end_ticks": last["end_ticks"] + 180_000,
            "indexed_at": datetime.now(UTC),
        }
        await ctx.store.rows(Segment).insert_one(copy)
        told = await stream.until("buffer", made.buffer_id, seconds=22)
        assert told["replay_url"] == listed[0]["replay_url"]  # signed as before
        came = time.monotonic()
        for number in range(2):
            await change(ctx, made.buffer_id, why="limit", why_detail=f"try {number}")
            await stream.until(
                "buffer", made.buffer_id, state="refused", why_detail=f"try {number}"
            )
        assert time.monotonic() - came > 1  # once a second
        now = datetime.now(UTC)
        await ctx.store.create(
            Buffer(
                id="f" * 24, room="room", room_sid="RM", identity="ann", participant_sid="PA",
                video_sid="TR_new", since=now,
            )
        )  # fmt: skip
        await stream.until("buffer", "f" * 24, state="waiting")
        await change(ctx, "f" * 24, ended_at=now)
        await stream.until("gone", "f" * 24)


async def test_everybody_follows_what_is_theirs_for_as_long_as_it_is(
    url: str, http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    """A grant that is taken back is seen within 10 s; a token's end is the stream's."""
    await communities.configure(ctx.store, "guests", {"capture_policy": "role"})
    await communities.set_member(ctx.store, "guests", "bob", "moderator", [])
    ann, zoe = await share("ann"), await share("zoe", age=24)
    await change(ctx, ann.buffer_id, community="guests")
    async with (
        listening(url, bearer(token(ttl=timedelta(seconds=8)))) as short,
        listening(url, STRANGER) as stranger,
        listening(url, OWNER) as owner,
        listening(url, ROOM_ADMIN) as room_admin,
        listening(url, INSTANCE_ADMIN, "?identity=zoe") as one,
        listening(url, bearer(token(room="other"))) as elsewhere,
    ):
        streams = (stranger, owner, room_admin, one, elsewhere, short)
        seen = [[item["identity"] for item in await each.snapshot()] for each in streams]
        assert seen == [["ann"], ["ann"], ["zoe", "ann"], ["zoe"], [], ["ann"]]
        await communities.configure(ctx.store, "guests", {"access": "rbac"})
        await communities.remove_member(ctx.store, "guests", "bob")
        began = time.monotonic()
        # Of one's own share one still sees that it is there, without its media.
        await owner.until("buffer", ann.buffer_id, replay_url=None, poster=None)
        await stranger.until("gone", ann.buffer_id)
        assert time.monotonic() - began < 10
        while await short.event() is not None:
            pass
        await change(ctx, ann.buffer_id, why="disk")
        await change(ctx, zoe.buffer_id, why="disk")
        for stream in (room_admin, one):
            await stream.until("buffer", zoe.buffer_id, state="refused")
        await owner.until("buffer", ann.buffer_id, state="refused")
    empty = await http.get("/buffers?identity=bob", headers=STRANGER)
    assert empty.json()["items"] == []


async def test_what_was_asked_wrongly_is_told_before_a_stream_begins(
    http: httpx.AsyncClient,
) -> None:
    assert (await http.get("/buffers/events")).status_code == 401
    for query in ("room=", "identity=a&identity=b", "limit=3"):
        found = await http.get(f"/buffers/events?{query}", headers=OWNER)
        assert (found.status_code, found.json()["type"]) == (422, "invalid")
    head = await http.head("/buffers/events", headers=OWNER)
    assert (head.status_code, head.text) == (200, "")


class Wire:
    """A connection to the database that can be cut while it is asked something.

    It has a thread of its own: a client that is closed waits for an answer, and lets nothing else
    run in its loop meanwhile.
    """

    def __init__(self, mongo_url: str) -> None:
        self._parts = urlsplit(mongo_url)
        self._open: list[asyncio.StreamWriter] = []
        self._cut_next = False
        self._cut = threading.Event()

    @contextmanager
    def laid(self) -> Iterator[str]:
        """Its URL, for a client that repeats nothing by itself."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        begin = asyncio.start_server(self._join, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(begin, loop).result(PATIENCE_SECONDS)
        port = server.sockets[0].getsockname()[1]
        user, at, _ = self._parts.netloc.rpartition("@")
        query = "&".join(filter(None, (self._parts.query, "retryReads=false")))
        if "directConnection" not in query:
            query += "&directConnection=true"
        try:
            yield urlunsplit(
                self._parts._replace(netloc=f"{user}{at}127.0.0.1:{port}", query=query)
            )
        finally:
            loop.call_soon_threadsafe(server.close)
            loop.call_soon_threadsafe(self._close)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    async def cut_when_asked(self) -> None:
        """Cuts all connections with the next question about buffers."""
        self._cut_next = True
        assert await asyncio.to_thread(self._cut.wait, PATIENCE_SECONDS)

    def _close(self) -> None:
        for writer in self._open:
            writer.close()
        self._open.clear()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        self._open += [writer, far[1]]
        with suppress(ConnectionError):
            await asyncio.gather(self._carry(reader, far[1]), self._carry(far[0], writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if self._cut_next and b"buffers" in data:
                self._cut_next = False
                self._close()
                self._cut.set()
                return
            writer.write(data)
            await writer.drain()
        writer.close()


async def test_a_stream_outlives_a_database_that_fails(
    ctx: Context, settings: Settings, share: MakeShare
) -> None:
    """It tells nothing of that, and goes on with what has changed meanwhile."""
    wire = Wire(settings.mongo_url)
    with wire.laid() as mongo_url:
        app = create_app(settings.model_copy(update={"mongo_url": mongo_url}), router)
        async with running(app) as within, serving(within) as url:
            made = await share()
            async with listening(url, OWNER) as stream:
                assert len(await stream.snapshot()) == 1
                await wire.cut_when_asked()
                await change(ctx, made.buffer_id, why="disk")
                found = await stream.event()
                assert found is not None
                assert (found[0], found[1]["state"]) == ("buffer", "refused")

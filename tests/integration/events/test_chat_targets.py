"""Events for chats: in order, left alone as long as a service asks, dead at once if it refuses."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from starlette.responses import PlainTextResponse, Response

from app.context import Context
from app.events import outbox
from app.events.contents import ChatMessage, ClipSharedContent
from app.models import EventRow
from app.models.schema import OutgoingEvent
from app.settings import Settings
from tests.chat_servers import ChatServers, target_of
from tests.integration.conftest import MakeSettings
from tests.integration.events.delivering import deliver
from tests.serving import serving


@pytest_asyncio.fixture
async def servers() -> AsyncIterator[tuple[ChatServers, str]]:
    made = ChatServers()
    async with serving(made.app) as url:
        yield made, url


@pytest.fixture
def settings(make_settings: MakeSettings, servers: tuple[ChatServers, str]) -> Settings:
    targets = [target_of(name, servers[1]) for name in ("slack", "matrix")]
    return make_settings(events_targets=json.dumps(targets))


async def tell(ctx: Context, title: str) -> None:
    content = ClipSharedContent(
        community="default", clip_id=title, file_id="f", title=title, shared_by="ann",
        duration=3.0, channel_id="c", message=ChatMessage(text="", attachments=[]),
    )  # fmt: skip
    await outbox.tell(ctx, content, title, room="studio", room_sid="RM_1", identity="ann")


async def say(row: EventRow) -> None:
    """The room is not live."""


async def page_of(row: EventRow) -> str:
    return f"https://replay.example.com/c/{row['data']['clip_id']}"


async def rows(ctx: Context) -> list[EventRow]:
    return await ctx.store.rows(OutgoingEvent).find().sort("number", 1).to_list(None)


def titles(messages: list[Any]) -> list[str]:
    return [message["text"].splitlines()[0].rpartition(": ")[2] for message in messages]


async def test_a_chat_is_left_alone_as_long_as_it_asks_and_then_gets_all_in_order(
    ctx: Context, servers: tuple[ChatServers, str]
) -> None:
    """The other one waits for nothing; no row has a secret, nor the page of a link."""
    chats, _ = servers
    for title in ("one", "two"):
        await tell(ctx, title)
    chats.refuse("slack", Response(status_code=429, headers={"Retry-After": "600"}))
    before = datetime.now(UTC)
    await deliver(ctx, say, "studio", page_of)
    await deliver(ctx, say, "studio", page_of)
    assert (chats.taken["slack"], len(chats.taken["matrix"])) == ([], 2)
    first, second = await rows(ctx)
    put_off = first["targets"]["slack"]["next_try_at"] - before
    assert timedelta(seconds=590) < put_off < timedelta(seconds=660)
    assert second["targets"]["slack"]["attempts"] == 0
    assert "secret" not in repr([first, second])
    assert "/c/" not in repr([first, second])
    assert "https://replay.example.com/c/one" in chats.taken["matrix"][0]["body"]


async def test_what_a_chat_refuses_is_dead_with_its_word_and_the_next_one_goes_on(
    ctx: Context, servers: tuple[ChatServers, str]
) -> None:
    chats, _ = servers
    for title in ("one", "two"):
        await tell(ctx, title)
    chats.refuse("slack", PlainTextResponse("invalid_blocks", 400))
    await deliver(ctx, say, "studio", page_of)
    first, second = await rows(ctx)
    assert (first["state"], second["state"]) == ("dead", "delivered")
    assert first["targets"]["slack"]["last_error"] == "HTTP 400: invalid_blocks"
    assert first["targets"]["matrix"]["state"] == "delivered"
    assert titles(chats.taken["slack"]) == ["two"]

"""Shares with media in their buffers, and who captures them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from app.access.tokens import Caller
from app.context import Context
from app.models.schema import Buffer
from tests.integration.buffer.shares import DiskShare, begin_share, indexing
from tests.integration.captures.mortal import Mortal, Program, mortal
from tests.media_factory import MediaFactory, Recording, Shape
from tests.unit.media.conftest import fragments as fragments

ADA = Caller("ada")
BOB = Caller("bob")
ADMIN = Caller("root", instance_admin=True)

MakeShare = Callable[..., Awaitable[list[DiskShare]]]


@pytest.fixture(scope="session")
def factory(tmp_path_factory: pytest.TempPathFactory) -> MediaFactory:
    return MediaFactory(tmp_path_factory.mktemp("recordings"))


@pytest.fixture(scope="session")
def recording(factory: MediaFactory) -> Recording:
    """20 s in 10 segments of 2 s, 160x120 at 15 frames a second, with sound."""
    return factory.record(Shape(frames=300))


@pytest_asyncio.fixture(scope="module")
async def program() -> AsyncIterator[Program]:
    async with mortal() as running:
        yield running


@pytest.fixture
def worker(program: Program, ctx: Context) -> Mortal:
    """Somebody who works on the stores and the media root of the test, and may be killed."""
    return Mortal(program, ctx.settings)


@pytest.fixture
def ended_share(ctx: Context, recording: Recording) -> MakeShare:
    """A share that is over and indexed to its end: one DiskShare per session.

    `await ended_share("ada", (recording, seconds), …)`: each session's media, and when it began
    after the share did, which was `age` seconds ago.
    """

    async def make(
        name: str = "ada", *media: tuple[Recording, float], age: float = 60.0, **given: Any
    ) -> list[DiskShare]:
        start = datetime.now(UTC) - timedelta(seconds=age)
        sessions: list[DiskShare] = []
        for each, after in media or ((recording, 0.0),):
            same = {"buffer_id": sessions[0].buffer_id} if sessions else {}
            begin = start + timedelta(seconds=after)
            share = await begin_share(ctx, name, begin, each, role=None, **same, **given)
            share.commit(len(each.segments))
            share.egress.end()
            await share.change(status="EGRESS_COMPLETE", ended_at=datetime.now(UTC))
            sessions.append(share)
        async with indexing(ctx):
            for share in sessions:
                await share.read_to_the_end()
        await end_share(ctx, sessions[0].buffer_id)
        return sessions

    return make


async def end_share(ctx: Context, buffer_id: str) -> None:
    """What the recorder writes when a share is over."""
    await ctx.store.rows(Buffer).update_one(
        {"_id": buffer_id}, {"$set": {"ended_at": datetime.now(UTC)}}
    )

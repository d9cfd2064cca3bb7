"""Shares that an egress on disk records, and indexers that follow them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from app.context import Context
from tests.integration.buffer.shares import DiskShare, begin_share
from tests.media_factory import MediaFactory, Recording, Shape


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """40 s in 20 segments of 2 s, 160x120 at 15 frames a second, with sound."""
    return MediaFactory(tmp_path_factory.mktemp("recordings")).record(Shape(frames=600))


@pytest.fixture(scope="session")
def silent_recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """10 s in 5 segments, without sound."""
    return MediaFactory(tmp_path_factory.mktemp("recordings")).record(Shape(audio=False))


@pytest.fixture
def share(ctx: Context, recording: Recording) -> Callable[..., object]:
    """Begins a share: `await share()`, or of another name, age in seconds, start or media."""

    async def begin(
        name: str = "ann",
        *,
        age: float = 60.0,
        start: datetime | None = None,
        media: Recording | None = None,
        **given: object,
    ) -> DiskShare:
        start = start or datetime.now(UTC) - timedelta(seconds=age)
        return await begin_share(ctx, name, start, media or recording, **given)

    return begin

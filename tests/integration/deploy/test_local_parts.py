"""The parts of the local LiveKit: what is exported where they are started changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from livekit import api

from deploy.local.stack import LiveKitStack


async def test_settings_of_the_service_are_none_of_livekit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """livekit-server reads LIVEKIT_KEYS, too, in a form of its own, and 270 other variables."""
    monkeypatch.setenv("LIVEKIT_KEYS", '{"other": "another-secret-that-is-long-enough"}')
    monkeypatch.setenv("LIVEKIT_REGION", "elsewhere")
    monkeypatch.setenv("LIVEKIT_CONFIG", "port: 1")
    monkeypatch.setenv("REDIS_HOST", "127.0.0.1:1")
    monkeypatch.setenv("UDP_PORT", "none")
    async with (
        LiveKitStack(tmp_path) as stack,
        api.LiveKitAPI(stack.url, stack.api_key, stack.api_secret) as livekit,
    ):
        rooms = await livekit.room.list_rooms(api.ListRoomsRequest())
        assert list(rooms.rooms) == []

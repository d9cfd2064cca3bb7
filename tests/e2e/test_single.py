"""The whole service in one process, beside a real LiveKit."""

from __future__ import annotations

from tests.e2e.conftest import World
from tests.e2e.test_main_path import capture, shown_clocks
from tests.service import STORES


async def test_one_process_records_and_makes_clips(world: World, room: str) -> None:
    """As three do, on the same data: what it recorded, they go on with."""
    await world.service.stop()
    await world.start_service("single")
    async with world.share(room):
        await world.wait_for_buffer(room, seconds=6)
        assert world.service.pids().keys() == {"supervisor", "parser", *STORES}
        async with world.service.client("alice", room) as alice:
            done = await capture(alice, room=room, last=4)
            assert done["status"] == "ready", done
            clip = (await alice.get(f"/clips/{done['clip_id']}")).json()
            data = (await alice.get(f"/file/{clip['file_id']}")).content
        clocks = shown_clocks(data)
        assert abs(clocks[-1] - clocks[0] - 4) < 0.3
        await world.service.stop()
        await world.start_service()
        again = await world.wait_for_buffer(room, seconds=10)
        assert again["state"] == "recording"

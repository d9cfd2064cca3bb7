"""A sharer refuses to be buffered, in the middle of a share and for the next one."""

from __future__ import annotations

from typing import Any

from livekit import api

from tests.e2e.conftest import World
from tests.waiting import wait_for


async def say(world: World, room: str, replay: str) -> None:
    """Sets alice's attribute `replay`, as her client would."""
    stack = world.stack
    async with api.LiveKitAPI(stack.url, stack.api_key, stack.api_secret) as livekit:
        await livekit.room.update_participant(
            api.UpdateParticipantRequest(room=room, identity="alice", attributes={"replay": replay})
        )


async def files_of(world: World, buffer: dict[str, Any]) -> list[str]:
    """The media files of a share's sessions that are on the disk."""
    root = world.service.media_root
    return sorted(
        path.name
        for session in buffer["sessions"]
        for path in root.rglob(f"*{session}*/*")
        if path.suffix in (".m4s", ".ts", ".mp4")
    )


async def test_opting_out_stops_deletes_and_cancels_and_opting_in_begins_anew(
    world: World, room: str
) -> None:
    """Within RECONCILE_SECONDS, which are 3 here; what runs of a capture is cancelled."""
    async with world.share(room) as alice, world.service.client("alice", room) as client:
        recorded = await world.wait_for_buffer(room, seconds=4)
        assert await files_of(world, recorded)
        asked = {"room": room, "last": 3, "post_roll": 60}
        capture = (await client.post("/captures", json=asked)).json()["Location"]
        await say(world, room, "off")

        async def refused() -> bool:
            found = await world.buffer(room)
            return bool(found and (found["state"], found["why"]) == ("refused", "opted-out"))

        async def nothing_left() -> bool:
            found = await world.buffer(room)
            running = await world.egresses(room)
            return bool(
                found
                and found["seconds"] == 0
                and not running
                and not await files_of(world, recorded)
            )

        await wait_for(refused)
        await wait_for(nothing_left)
        assert (await client.get(capture)).json()["status"] == "cancelled"
        asked = {"room": room, "last": 3}
        assert (await client.post("/captures", json=asked)).status_code == 409
        # It goes on by another track: LiveKit is asked before that is first recorded.
        await alice.do("unpublish_video")

        async def over() -> bool:
            found = await world.buffer(room)
            return bool(found and found["ended_at"])

        await wait_for(over)
        await alice.do("publish_video")
        await alice.told("video_published", count=2)

        async def goes_on() -> bool:
            found = await world.buffer(room)
            return bool(found and not found["ended_at"] and found["state"] == "refused")

        await wait_for(goes_on)
        found = await world.buffer(room)
        assert found is not None
        assert (found["why"], found["seconds"]) == ("opted-out", 0)
        await say(world, room, "")
        again = await world.wait_for_buffer(room, seconds=2)
        assert again["id"] == recorded["id"]
